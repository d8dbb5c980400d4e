"""As what a device runs its trials: its membership in a team, and the documents in force for it.

Memberships and groups are from nRF Cloud's "Device security" page. When a thing's variables have values is from "AWS
IoT Core Developer Guide, Thing policy variables".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.policy.documents.arn import EXAMPLE_ACCOUNT, EXAMPLE_REGION
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.profile import PROFILE
from harness.policy.evaluation.principal import Principal


class Membership(StrEnum):
    """What a device is in its team."""

    PROVISIONED = "provisioned"
    ASSOCIATED = "associated"
    GATEWAY = "gateway"
    NOT_ATTACHED = "not-attached"  # its certificate is attached to no thing


_GROUPS: dict[Membership, tuple[str, ...]] = {
    Membership.PROVISIONED: PROFILE[:1],
    Membership.ASSOCIATED: PROFILE[:2],
    Membership.GATEWAY: PROFILE,
    Membership.NOT_ATTACHED: (),
}

# Association gives a thing both attributes. nRF Cloud's gateway document reads teamId, the others read tenantId.
_TEAM_ATTRIBUTES = ("tenantId", "teamId")

DEVICE, OTHER_DEVICE, TENANT, OTHER_TENANT = "{device}", "{other_device}", "{tenant}", "{other_tenant}"


@dataclass(frozen=True, slots=True)
class Names:
    """Real names: of the device, of another device, of the device's team (tenant), of another team.

    ``region``, ``account``: of the cloud. They matter only to documents that spell them out.
    """

    device_id: str
    other_device_id: str
    tenant_id: str
    other_tenant_id: str
    region: str = EXAMPLE_REGION
    account: str = EXAMPLE_ACCOUNT

    def resolve(self, template: str) -> str:
        """Fill ``{device}``, ``{other_device}``, ``{tenant}`` and ``{other_tenant}``."""
        filled = template.replace(DEVICE, self.device_id).replace(OTHER_DEVICE, self.other_device_id)
        return filled.replace(TENANT, self.tenant_id).replace(OTHER_TENANT, self.other_tenant_id)


def principal_of(
    membership: Membership,
    names: Names,
    *,
    client_id: str | None = None,
    will: str | None = None,
    persistent: bool = False,
) -> Principal:
    """Return the principal of a connection of this device.

    ``membership``, ``names``: of the device. ``client_id``: of its CONNECT, by default its own. ``will``: the topic of
    its will, None: it has none. ``persistent``: its session outlives the connection.
    If the client id is not its own, the certificate is not attached to the thing of that name.
    """
    client_id = names.device_id if client_id is None else client_id
    attached = membership is not Membership.NOT_ATTACHED and client_id == names.device_id
    in_team = attached and membership is not Membership.PROVISIONED
    return Principal(
        client_id=client_id,
        thing_name=client_id if attached else None,
        attached=attached,
        attributes=dict.fromkeys(_TEAM_ATTRIBUTES, names.tenant_id) if in_team else {},
        connect_attributes=("PersistentConnect",) * persistent + ("LastWill",) * (will is not None),
        last_will_topic=will,
    )


def in_force(documents: Iterable[PolicyDocument], membership: Membership, *, attached: bool = True) -> tuple[str, ...]:
    """Return the names of those of ``documents`` that are in force for a connection of a device with ``membership``.

    ``attached``: whether the certificate is attached to the thing that has the client id as its name.

    ``provisioned``, ``associated`` and ``gateway`` belong to the thing groups of these names. They reach a connection
    through its thing, so none of them is in force without an attached thing. (AWS documents how groups and things
    belong together, but not this consequence: UNCONFIRMED.) A document of any other name belongs to the certificate
    and is always in force.
    """
    groups = _GROUPS[membership] if attached else ()
    return tuple(document.name for document in documents if document.name in groups or document.name not in PROFILE)
