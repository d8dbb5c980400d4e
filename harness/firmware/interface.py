"""What every application firmware can do for the harness, whatever commands or log lines it has for it.

A firmware is driven by short calls that say whether the board took the request, and watched through events. A call
never waits for the cloud's answer, because what happens *between* the request and the answer is what a trial is about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from harness import device_errno
from harness.errors import Refusal


class MqttEventKind(StrEnum):
    """What a board can report of its MQTT connection."""

    ACCEPTED = "accepted"  # CONNACK with return code 0
    REFUSED = "refused"  # CONNACK with another return code
    CLOSED = "closed"  # the connection ended; ``errno`` 0: as the harness asked
    MESSAGE = "message"  # a PUBLISH arrived
    PUBACK = "puback"  # a QoS 1 publish was acknowledged
    SUBACK = "suback"  # no proof of a subscription: firmwares report it even for return code 0x80
    UNSUBACK = "unsuback"
    OTHER = "other"  # PINGRESP, QoS 2 steps


@dataclass(frozen=True, slots=True)
class MqttEvent:
    """One event of the board's MQTT connection. ``t``: seconds of ``time.monotonic()``, when its line arrived."""

    kind: MqttEventKind
    t: float
    result: int = 0
    topic: str = ""
    payload: bytes = b""

    @property
    def by_remote(self) -> bool:
        """True for an end of the connection that the other side or the network caused."""
        return self.kind is MqttEventKind.CLOSED and self.result != 0

    def __str__(self) -> str:
        if self.kind is MqttEventKind.MESSAGE:
            return f"message on {self.topic} ({len(self.payload)} bytes)"
        if self.kind is MqttEventKind.CLOSED:
            return "disconnected as asked" if self.result == 0 else f"hung up: {device_errno.describe(self.result)}"
        if self.kind is MqttEventKind.REFUSED:
            return f"CONNACK return code {self.result}"
        return str(self.kind.value)


@dataclass(frozen=True, slots=True)
class Login:
    """What an MQTT connection is made with. ``keepalive``: seconds, 1200 is AWS IoT's maximum and NCS's default."""

    client_id: str
    host: str
    port: int
    sec_tag: int
    keepalive: int = 1200
    clean_session: bool = True


class NoSession(Refusal):
    """The board could not set up TCP and TLS; firmwares do not say which of DNS, TCP, trust or key failed."""


class MqttFirmware(Protocol):
    """The interface that each firmware fills. Calls raise LabError when the board is gone or silent."""

    @property
    def product(self) -> str:
        """Name and version as the board tells them, e.g. ``Serial Modem 1.0.0 (NCS 3.2.1)``."""

    def connect(self, login: Login, *, timeout: float = 60.0) -> None:
        """Set up TCP and TLS and send CONNECT. Raises NoSession when it did not come so far.

        CONNACK is an event (ACCEPTED or REFUSED); a broker that hangs up instead is CLOSED.
        """

    def topic_fault(self, topic: str) -> str | None:
        """Return why the board could not publish on or subscribe to this, whatever the cloud says; None: it could."""

    def disconnect(self) -> None:
        """End the connection; not being connected is fine."""

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Hand a message to the board. False: the board refused it (no connection any more)."""

    def subscribe(self, topic_filter: str, *, qos: int = 1) -> bool:
        """Ask for a subscription. False: the board refused the request."""

    def unsubscribe(self, topic_filter: str) -> bool:
        """Ask to end a subscription. False: the board refused the request."""

    def mark(self) -> int:
        """Return the position in the events from which ``wait`` and ``events`` read on."""

    def events(self, since: int) -> list[MqttEvent]:
        """Return the events from ``since`` on that arrived so far."""

    def wait(self, match: Callable[[MqttEvent], bool], *, since: int, timeout: float) -> MqttEvent | None:
        """Return the first event from ``since`` on that ``match`` accepts, or None after ``timeout`` seconds."""

    def restarted(self, since: int) -> str | None:
        """Return how the board or its modem restarted or crashed since ``since``, or None."""

    def close(self) -> None:
        """Stop watching. The port stays open."""
