"""What the broker needs from the rest of the local cloud, and what it passes to it.

The :class:`Directory` knows certificates, things, groups and their policies. The :class:`Services` know shadows, jobs
and stored messages. The broker knows only connections, sessions and topics.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.policy import CompiledPolicies, Principal
from harness.settings import CloudSettings

CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN = 44, 45, 46
"""TLS alert descriptions."""


@dataclass(frozen=True)
class Admission:
    """The Directory's answer to a CONNECT: who the client is, and what it may do.

    ``refused``: why the certificate may not connect at all (unknown, inactive, expired ...), or None.
    ``policies``: every policy in force for the principal, compiled; None: nothing is allowed.
    ``thing``: the name of the thing that the certificate is attached to, or None.
    """

    principal: Principal
    policies: CompiledPolicies | None = None
    refused: str | None = None
    thing: str | None = None


@dataclass(frozen=True)
class Objection:
    """Why a certificate that passed the TLS handshake may not be used.

    ``alert``: the TLS alert for it (RFC 5246 §7.2.2), if the broker refuses in the handshake.
    ``provisioning``: the certificate's device is being made (JITP); this connection ends, a later one may be accepted.
    """

    reason: str
    alert: int = CERTIFICATE_UNKNOWN
    provisioning: bool = False

    def __str__(self) -> str:
        return self.reason


class Directory(Protocol):
    """Things, certificates, groups and policies, for the broker."""

    @property
    def version(self) -> int:
        """A number that grows with every change of trust or rights."""
        ...

    def server_identity(self) -> tuple[str, bytes]:
        """Return the server's certificate chain (PEM, leaf first) and its private key (PEM, unencrypted)."""
        ...

    def examine(self, chain: Sequence[bytes]) -> Objection | None:
        """Look at the certificates that a client presented (DER, its own first), once per handshake.

        Return why the first one may not be used, or None. The client has proved only that it has the key of the first
        one. An unknown certificate of the JITP CA starts the provisioning of its device.
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

        With ``policy_refresh="live"`` it is also called before the next action after ``version`` has changed.

        ``client_id``: None for HTTPS; then no thing policy variable has a value. ``source_ip``: the client's address.
        ``server_name``: SNI host name. ``will_topic``, ``persistent``: of the CONNECT; they become the policy keys
        ``iot:LastWillTopic`` and ``iot:ConnectAttributes`` of the principal.
        """
        ...


class Services(Protocol):
    """What listens behind the topics: shadow, jobs, stored messages."""

    def on_publish(self, client_id: str, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """Take an accepted PUBLISH. Called after authorisation and before delivery. Must not block or raise.

        ``client_id``: the sender's. ``topic``, ``payload``, ``qos``, ``retain``: of the packet.
        """
        ...

    def on_subscribe(self, client_id: str, topic_filter: str, qos: int) -> None:
        """Take note of an accepted subscription that is in force. Must not block or raise.

        ``client_id``: the subscriber's. ``topic_filter``: as it was sent. ``qos``: the granted QoS.
        """
        ...


class PresenceBook(Protocol):
    """Records which things are connected. It must not block or raise."""

    def connected(self, device: str, profile: CloudSettings) -> None:
        """Record that a thing's connection was accepted. ``device``: the thing. ``profile``: the broker's behaviour."""
        ...

    def disconnected(self, device: str, reason: str, profile: CloudSettings) -> None:
        """Record that a thing's accepted connection has ended.

        ``device``: the thing's name. ``reason``: as in AWS IoT's lifecycle events. ``profile``: the broker's behaviour.
        """
        ...


class Publisher(Protocol):
    """The part of the broker by which services send messages."""

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> int:
        """Deliver to all that subscribed and may receive; return how many those were.

        ``topic``, ``payload``: of the message. ``qos``: the highest QoS with which a subscriber gets it.
        """
        ...

    def send_to(self, client_id: str, topic: str, payload: bytes, qos: int = 1) -> bool:
        """Send to one connected client, subscribed or not; False if it did not get the message.

        ``client_id``: the client. ``topic``, ``payload``, ``qos``: of the message.
        """
        ...


class Journal(Protocol):
    """Records decisions. The device sees only a hang-up, the journal says why."""

    def write(self, event: str, **fields: Any) -> None:
        """Append one event with JSON-ready fields."""
        ...
