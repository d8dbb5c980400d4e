"""Things, certificates and groups, and who may connect as what: the Directory that the broker asks.

Facts: AWS IoT Core Developer Guide, "Thing policy variables" (a thing counts as attached when the client id is its name
and the presented certificate is attached to it) and "Managing things"; nRF Cloud "Device security" (policies belong to
groups; association gives a thing the attribute of its team and membership of the Associated group).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from harness.policy import CompiledPolicies, PolicyDocument, PolicySet, Principal
from harness.virtual.cloud.broker.interfaces import CERTIFICATE_EXPIRED, CERTIFICATE_REVOKED, Admission, Objection
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.registry.onboarding import DeviceCertificate, certificate_id, load_certificate
from harness.virtual.cloud.registry.policies import Policies, ThingGroup
from harness.virtual.cloud.tls.ca import IssuedIdentity
from harness.virtual.cloud.tls.certificate_fields import certificate_fields

_MOST_COMPILED: Final = 256  # clients whose compiled policies are kept


class CertificateState(StrEnum):
    """The state of a certificate. Only an ACTIVE one connects (AWS IoT API, UpdateCertificate)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    REVOKED = "REVOKED"
    PENDING_TRANSFER = "PENDING_TRANSFER"
    PENDING_ACTIVATION = "PENDING_ACTIVATION"
    REGISTER_INACTIVE = "REGISTER_INACTIVE"


class RegistryError(Exception):
    """The request contradicts what is registered."""


@dataclass
class Thing:
    """A thing: the part of a device that policies see."""

    name: str
    groups: set[ThingGroup]
    attributes: dict[str, str] = field(default_factory=dict)
    thing_type: str | None = None
    certificate_ids: set[str] = field(default_factory=set)


class _Compiled(NamedTuple):
    """What the rights of a connection were made of, and the rights."""

    documents: list[PolicyDocument]
    principal: Principal
    policies: CompiledPolicies


class Registry:
    """The Directory of :mod:`harness.virtual.cloud.broker.interfaces`.

    ``policies``: the documents in force. ``server``, ``root_pem``: the server's identity, and the root that issued it.
    ``now``: the clock for the validity of certificates. ``changed``: called with the name of each thing that changes.
    """

    def __init__(
        self,
        policies: Policies,
        *,
        server: IssuedIdentity,
        root_pem: str,
        now: Callable[[], datetime] = now_utc,
        changed: Callable[[str], object] = lambda name: None,
    ) -> None:
        self._policies = policies
        self._server = server
        self._root_pem = root_pem
        self._now = now
        self._announce = changed
        self._version = 0
        self._things: dict[str, Thing] = {}
        self._certificates: dict[str, DeviceCertificate] = {}
        self._states: dict[str, CertificateState] = {}
        self._compiled: dict[tuple[str | None, str | None], _Compiled] = {}
        self.newcomer: Callable[[Sequence[bytes]], Objection | None] = lambda _chain: None
        """Called for a chain whose first certificate is not registered. Returns an objection, or None."""

    @property
    def version(self) -> int:
        """A number that grows with every change by the methods below."""
        return self._version

    def server_identity(self) -> tuple[str, bytes]:
        """Return the chain (leaf, root) and the private key, both PEM."""
        return self._server.certificate_pem + self._root_pem, self._server.private_key_pem.encode()

    def examine(self, chain: Sequence[bytes]) -> Objection | None:
        """See :class:`harness.virtual.cloud.broker.interfaces.Directory`."""
        presented = certificate_id(chain[0])
        if presented not in self._certificates and (objection := self.newcomer(chain)):
            return objection
        return self._objection(presented)

    def admit(
        self,
        certificate_der: bytes,
        client_id: str | None,
        *,
        source_ip: str,
        server_name: str | None,
        will_topic: str | None = None,
        persistent: bool = False,
    ) -> Admission:
        """See :class:`harness.virtual.cloud.broker.interfaces.Directory`."""
        presented = certificate_id(certificate_der)
        owner = self._owner(presented)
        thing = owner if client_id is None else self._things.get(client_id)
        # The thing's policies are in force for a client that connects under the thing's name, and for HTTPS, which has
        # no client id. Its variables have values only for the former.
        entitled = thing is not None and thing is owner
        attached = entitled and client_id is not None
        wanted = [("PersistentConnect", persistent), ("LastWill", will_topic is not None)]
        principal = Principal(
            client_id=client_id,
            thing_name=thing.name if thing and client_id is not None else None,
            attached=attached,
            attributes=dict(thing.attributes) if thing and attached else {},
            thing_type=thing.thing_type if thing and attached else None,
            source_ip=source_ip,
            domain_name=server_name,
            certificate_id=presented,
            connect_attributes=tuple(name for name, asked in wanted if asked),
            last_will_topic=will_topic,
            certificate=certificate_fields(certificate_der),
        )
        objection = self._objection(presented)
        if objection:
            return Admission(principal, refused=objection.reason)
        documents = self._policies.of(thing.groups if thing and entitled else ())
        policies = self._compile(documents, principal) if documents else None
        return Admission(principal, policies, thing=thing.name if thing and entitled else None)

    def thing(self, name: str) -> Thing | None:
        """Return the thing of this name, or None. Change it only through the methods below."""
        return self._things.get(name)

    def certificate_of(self, name: str) -> DeviceCertificate | None:
        """Return a certificate that is attached to the thing ``name``, or None."""
        thing = self._things.get(name)
        return next((self._certificates[key] for key in sorted(thing.certificate_ids)), None) if thing else None

    def certificate_registered(self, key: str) -> bool:
        """Tell whether the certificate with id ``key`` is registered, in any state."""
        return key in self._certificates

    def add_thing(self, name: str, *groups: ThingGroup, thing_type: str | None = None) -> Thing:
        """Make a thing in ``groups``. Raises RegistryError if ``name`` is taken. ``thing_type``: None: it has none."""
        if name in self._things:
            raise RegistryError(f"thing {name} exists already")
        thing = self._things[name] = Thing(name, set(groups), thing_type=thing_type)
        self._changed(name)
        return thing

    def remove_thing(self, name: str) -> None:
        """Remove a thing and its certificates. Raises KeyError if there is none."""
        for key in self._things.pop(name).certificate_ids:
            del self._certificates[key], self._states[key]
        self._changed(name)

    def attach(self, name: str, certificate: DeviceCertificate) -> None:
        """Register ``certificate`` as ACTIVE and attach it to the thing ``name``. RegistryError: it is known."""
        if certificate.certificate_id in self._certificates:
            raise RegistryError("this certificate is registered already")
        self._things[name].certificate_ids.add(certificate.certificate_id)
        self._certificates[certificate.certificate_id] = certificate
        self._states[certificate.certificate_id] = CertificateState.ACTIVE
        self._changed(name)

    def detach_all(self, name: str) -> None:
        """Forget the certificates of the thing ``name``, for instance to rotate them."""
        certificate_ids = self._things[name].certificate_ids
        while certificate_ids:
            key = certificate_ids.pop()
            del self._certificates[key], self._states[key]
        self._changed(name)

    def set_certificate_state(self, key: str, state: CertificateState) -> None:
        """Change the state of the certificate with id ``key``. Raises KeyError if it is not registered."""
        if key not in self._states:
            raise KeyError(key)
        self._states[key] = state
        owner = self._owner(key)
        self._changed(owner.name if owner else None)

    def associate(self, name: str, tenant_id: str, *groups: ThingGroup) -> None:
        """Add the thing ``name`` to the team ``tenant_id``: it gets the team's attributes, and joins ``groups``."""
        thing = self._things[name]
        # nRF Cloud's gateway policy says teamId where the others say tenantId; both hold the team's id.
        thing.attributes.update(tenantId=tenant_id, teamId=tenant_id)
        thing.groups.update(groups)
        self._changed(name)

    def dissociate(self, name: str) -> None:
        """Remove the thing from its team. It stays in the Provisioned group, and connects as before."""
        thing = self._things[name]
        for key in ("tenantId", "teamId"):
            thing.attributes.pop(key, None)
        thing.groups &= {ThingGroup.PROVISIONED}
        self._changed(name)

    def snapshot(self, name: str) -> dict[str, Any] | None:
        """Return what is known of the thing ``name``, see :class:`harness.virtual.cloud.registry.state_keeper.Part`."""
        thing = self._things.get(name)
        if thing is None:
            return None
        return {
            "groups": sorted(thing.groups),
            "attributes": thing.attributes,
            "type": thing.thing_type,
            "certificates": {self._certificates[key].pem: self._states[key] for key in thing.certificate_ids},
        }

    def restore(self, name: str, content: dict[str, Any]) -> None:
        """Take back a :meth:`snapshot`."""
        thing = self.add_thing(name, *map(ThingGroup, content["groups"]), thing_type=content["type"])
        thing.attributes.update(content["attributes"])
        for pem, state in content["certificates"].items():
            certificate = load_certificate(pem)
            if certificate is None:
                raise ValueError("a thing has a public key for a certificate")
            self.attach(name, certificate)
            self.set_certificate_state(certificate.certificate_id, CertificateState(state))

    def _compile(self, documents: list[PolicyDocument], principal: Principal) -> CompiledPolicies:
        """Return the documents with the principal's values: those of its last connection, unless something changed."""
        key = principal.certificate_id, principal.client_id
        kept = self._compiled.get(key)
        if kept is not None and (kept.documents, kept.principal) == (documents, principal):
            return kept.policies
        if len(self._compiled) >= _MOST_COMPILED:
            self._compiled.clear()
        policies = PolicySet(documents).compile(principal)
        self._compiled[key] = _Compiled(documents, principal, policies)
        return policies

    def _changed(self, name: str | None) -> None:
        self._version += 1
        if name is not None:
            self._announce(name)

    def _owner(self, key: str) -> Thing | None:
        return next((thing for thing in self._things.values() if key in thing.certificate_ids), None)

    def _objection(self, key: str) -> Objection | None:
        certificate = self._certificates.get(key)
        if certificate is None:
            return Objection(f"certificate {key[:16]}… is not registered")
        state = self._states[key]
        if state is CertificateState.REVOKED:
            return Objection(f"certificate {key[:16]}… is {state}", CERTIFICATE_REVOKED)
        if state is not CertificateState.ACTIVE:
            return Objection(f"certificate {key[:16]}… is {state}")
        if reason := certificate.why_not_now(self._now()):
            return Objection(f"certificate {key[:16]}… {reason}", CERTIFICATE_EXPIRED)
        return None
