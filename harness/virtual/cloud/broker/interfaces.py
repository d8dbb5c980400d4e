"""What the broker needs from the rest of the local cloud, and what it hands over.

Certificates, things, groups and their policies are the :class:`Directory`'s; shadows, jobs and stored messages are the
:class:`Services`'; the broker knows connections, sessions and topics only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.policy import CompiledPolicies, Principal
from harness.virtual.cloud.broker.profile import BrokerProfile

CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN = 44, 45, 46
"""TLS alert descriptions."""


@dataclass(frozen=True)
class Admission:
    """The Directory's answer to a CONNECT: who this is and what it may do.

    ``refused``: why the certificate may not connect at all (unknown, inactive, expired ...), None when it may.
    ``policies``: every policy in force for the principal, compiled; None means that nothing is allowed.
    ``thing``: name of the thing that the certificate is attached to, None when there is none.
    """

    principal: Principal
    policies: CompiledPolicies | None = None
    refused: str | None = None
    thing: str | None = None


@dataclass(frozen=True)
class Objection:
    """Why a certificate that passed the TLS handshake may not be used.

    ``alert``: the TLS alert that says so (RFC 5246 §7.2.2), for brokers that refuse in the handshake.
    ``provisioning``: its device is being made just now (JITP); the connection ends, a later one may be accepted.
    """

    reason: str
    alert: int = CERTIFICATE_UNKNOWN
    provisioning: bool = False

    def __str__(self) -> str:
        return self.reason


class Directory(Protocol):
    """Things, certificates, groups and policies, as the broker asks for them."""

    @property
    def version(self) -> int:
        """Grow with every change of trust or rights."""
        ...

    def server_identity(self) -> tuple[str, bytes]:
        """Return the server's certificate chain (PEM, leaf first) and its private key (PEM, unencrypted)."""
        ...

    def examine(self, chain: Sequence[bytes]) -> Objection | None:
        """Look at the certificates that a client presented (DER, its own first), once per handshake.

        Return why the first may not be used, None when it may. That the client has its key is proven, nothing else; the
        others are what it sent along. An unknown certificate of the JITP CA starts the provisioning of its device.
        """
        ...

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
        """Decide who presents ``certificate_der`` as ``client_id``. Called at each CONNECT and each HTTPS publish.

        With ``policy_refresh="live"`` also before the next action after ``version`` has changed. ``client_id``: None
        for HTTPS, which has none, so that no thing policy variable has a value.

        ``server_name``: SNI host name. ``will_topic``, ``persistent``: what the CONNECT asks for; they become the
        policy keys ``iot:LastWillTopic`` and ``iot:ConnectAttributes`` of the principal. ``source_ip``: the client's
        address.
        """
        ...


class Services(Protocol):
    """What listens behind the topics: shadow, jobs, stored messages."""

    def on_publish(self, client_id: str, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """Take one accepted PUBLISH. Called after authorisation and before fan-out; must not block or raise.

        ``client_id``: the sender's. ``topic``, ``payload``, ``qos``, ``retain``: of the packet.
        """
        ...

    def on_subscribe(self, client_id: str, topic_filter: str, qos: int) -> None:
        """Take note of one accepted subscription. Called when it is in force; must not block or raise.

        ``client_id``: the subscriber's. ``topic_filter``: as it was sent. ``qos``: as it was granted.
        """
        ...


class PresenceBook(Protocol):
    """Where it is written down which things are connected. It must not block or raise."""

    def connected(self, device: str, profile: BrokerProfile) -> None:
        """A thing's connection was accepted."""
        ...

    def disconnected(self, device: str, reason: str, profile: BrokerProfile) -> None:
        """A thing's accepted connection has ended; ``reason``: as in AWS IoT's lifecycle events.

        ``device``: the thing's name. ``profile``: how the broker behaves.
        """
        ...


class Publisher(Protocol):
    """The part of the broker that services speak through."""

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> int:
        """Fan out to everyone who subscribed and may receive; return how many that were.

        ``topic``, ``payload``: of the message. ``qos``: the highest that a subscriber gets it with.
        """
        ...

    def send_to(self, client_id: str, topic: str, payload: bytes, qos: int = 1) -> bool:
        """Send to one connected client, subscribed or not.

        ``client_id``: whom. ``topic``, ``payload``, ``qos``: of the message.
        """
        ...


class Journal(Protocol):
    """Where decisions are written down: the device sees only a hang-up, the journal says why."""

    def write(self, event: str, **fields: Any) -> None:
        """Append one event with JSON-ready fields."""
        ...
