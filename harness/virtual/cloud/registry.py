"""Things, certificates and groups, and with them who may connect as what: the Directory the broker asks.

Facts: AWS IoT Core Developer Guide, "Thing policy variables" (a thing counts as attached when the client id is its name
and the presented certificate is attached to it) and "Managing things"; nRF Cloud "Device security" (policies belong to
groups; association gives a thing the attribute of its team and membership of the Associated group).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from harness.policy import PolicyDocument, PolicySet, Principal
from harness.virtual.cloud.ca import IssuedIdentity
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.interfaces import Admission
from harness.virtual.cloud.onboarding import DeviceCertificate, certificate_id


class Group(StrEnum):
    """A thing group; its policy document applies to the things in it."""

    PROVISIONED = "provisioned"
    ASSOCIATED = "associated"
    GATEWAY = "gateway"
    TEAM = "team-device"


class CertificateState(StrEnum):
    """Only ACTIVE connects (AWS IoT API, UpdateCertificate)."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    REVOKED = "REVOKED"
    PENDING_TRANSFER = "PENDING_TRANSFER"
    PENDING_ACTIVATION = "PENDING_ACTIVATION"
    REGISTER_INACTIVE = "REGISTER_INACTIVE"


class RegistryError(Exception):
    """What was asked for contradicts what is registered."""


@dataclass
class Thing:
    """A thing: what policies see of a device."""

    name: str
    groups: set[Group]
    attributes: dict[str, str] = field(default_factory=dict)
    thing_type: str | None = None
    certificate_ids: set[str] = field(default_factory=set)


class Registry:
    """The Directory of :mod:`harness.virtual.cloud.interfaces`.

    ``policies``: the document of each group. ``server``, ``root_pem``: the server's identity and the root that issued
    it. ``now``: the clock that certificates' validity is judged by.
    """

    def __init__(
        self,
        policies: Mapping[Group, PolicyDocument],
        *,
        server: IssuedIdentity,
        root_pem: str,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self._policies = policies
        self._server = server
        self._root_pem = root_pem
        self._now = now
        self._version = 0
        self._things: dict[str, Thing] = {}
        self._certificates: dict[str, DeviceCertificate] = {}
        self._states: dict[str, CertificateState] = {}

    @property
    def version(self) -> int:
        """Grows with every change below."""
        return self._version

    def server_identity(self) -> tuple[str, bytes]:
        """Return the chain (leaf, root) and the private key, both PEM."""
        return self._server.certificate_pem + self._root_pem, self._server.private_key_pem.encode()

    def trust_anchors(self) -> list[str]:
        """Return the root and every registered certificate, whatever its state: the state is judged at CONNECT."""
        return [self._root_pem, *(certificate.pem for certificate in self._certificates.values())]

    def admit(
        self,
        certificate_der: bytes,
        client_id: str,
        *,
        source_ip: str,
        server_name: str | None,
        will_topic: str | None = None,
        persistent: bool = False,
    ) -> Admission:
        """See :class:`harness.virtual.cloud.interfaces.Directory`."""
        presented = certificate_id(certificate_der)
        thing = self._things.get(client_id)
        attached = thing is not None and presented in thing.certificate_ids
        wanted = [("PersistentConnect", persistent), ("LastWill", will_topic is not None)]
        principal = Principal(
            client_id=client_id,
            thing_name=thing.name if thing else None,
            attached=attached,
            attributes=dict(thing.attributes) if thing and attached else {},
            thing_type=thing.thing_type if thing and attached else None,
            source_ip=source_ip,
            domain_name=server_name,
            certificate_id=presented,
            connect_attributes=tuple(name for name, asked in wanted if asked),
            last_will_topic=will_topic,
        )
        refused = self._why_refused(presented)
        if refused or thing is None or not attached:
            return Admission(principal, refused=refused)
        documents = [self._policies[group] for group in sorted(thing.groups)]
        return Admission(principal, PolicySet(documents).compile(principal), thing=thing.name)

    def thing(self, name: str) -> Thing | None:
        """Return the thing of this name. Change it only through the methods below."""
        return self._things.get(name)

    def certificate_of(self, name: str) -> DeviceCertificate | None:
        """Return a certificate attached to the thing ``name``, None when it has none."""
        thing = self._things.get(name)
        return next((self._certificates[key] for key in sorted(thing.certificate_ids)), None) if thing else None

    def certificate_registered(self, key: str) -> bool:
        """Tell whether the certificate with id ``key`` is registered, in whatever state."""
        return key in self._certificates

    def add_thing(self, name: str, *groups: Group, thing_type: str | None = None) -> Thing:
        """Make a thing in ``groups``; RegistryError when the name is taken."""
        if name in self._things:
            raise RegistryError(f"thing {name} exists already")
        thing = self._things[name] = Thing(name, set(groups), thing_type=thing_type)
        self._version += 1
        return thing

    def remove_thing(self, name: str) -> None:
        """Remove a thing and its certificates; KeyError when there is none."""
        for key in self._things.pop(name).certificate_ids:
            del self._certificates[key], self._states[key]
        self._version += 1

    def attach(self, name: str, certificate: DeviceCertificate) -> None:
        """Register ``certificate`` as ACTIVE and attach it to the thing ``name``; RegistryError when it is known."""
        if certificate.certificate_id in self._certificates:
            raise RegistryError("this certificate is registered already")
        self._things[name].certificate_ids.add(certificate.certificate_id)
        self._certificates[certificate.certificate_id] = certificate
        self._states[certificate.certificate_id] = CertificateState.ACTIVE
        self._version += 1

    def detach_all(self, name: str) -> None:
        """Forget the certificates of the thing ``name``, as when they are rotated."""
        certificate_ids = self._things[name].certificate_ids
        while certificate_ids:
            key = certificate_ids.pop()
            del self._certificates[key], self._states[key]
        self._version += 1

    def set_certificate_state(self, key: str, state: CertificateState) -> None:
        """Change the state of the certificate with id ``key``; KeyError when it is not registered."""
        if key not in self._states:
            raise KeyError(key)
        self._states[key] = state
        self._version += 1

    def associate(self, name: str, tenant_id: str, *groups: Group) -> None:
        """Give the thing to a team: the team's attributes, and ``groups`` on top of those it is in."""
        thing = self._things[name]
        # nRF Cloud's gateway policy says teamId where the others say tenantId; both hold the team's id.
        thing.attributes.update(tenantId=tenant_id, teamId=tenant_id)
        thing.groups.update(groups)
        self._version += 1

    def dissociate(self, name: str) -> None:
        """Take the thing from its team: it stays in the Provisioned group, and connects as before."""
        thing = self._things[name]
        for key in ("tenantId", "teamId"):
            thing.attributes.pop(key, None)
        thing.groups &= {Group.PROVISIONED}
        self._version += 1

    def _why_refused(self, key: str) -> str | None:
        certificate = self._certificates.get(key)
        if certificate is None:
            return f"certificate {key[:16]}… is not registered"
        state = self._states[key]
        if state is not CertificateState.ACTIVE:
            return f"certificate {key[:16]}… is {state}"
        now = self._now()
        if now < certificate.not_before:
            return f"certificate {key[:16]}… is not valid before {certificate.not_before:%Y-%m-%d %H:%M:%S}"
        if now > certificate.not_after:
            return f"certificate {key[:16]}… expired at {certificate.not_after:%Y-%m-%d %H:%M:%S}"
        return None
