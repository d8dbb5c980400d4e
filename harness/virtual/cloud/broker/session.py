"""A client's session: subscriptions, QoS 1 messages under way, messages waiting. No I/O.

Why order holds (MQTT 3.1.1 §4.6): a message waits at the end of one queue and leaves it from the front, and no message
that is in flight is sent a second time on the same connection. With two allowed in flight, messages 1 2 3 go::

    enqueue 1, 2, 3     -> sent 1, 2; 3 waits
    acknowledge 2       -> sent 3; in flight are 1 and 3

Source: MQTT 3.1.1 §3.1.2.4, §4.4.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.settings import Limits
from harness.virtual.mqtt import Publish


@dataclass(frozen=True, slots=True)
class Delivery:
    """One application message as it is handed to subscribers. ``retain``: it is delivered because it was retained."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Session:
    """State that outlives a connection when the client asked for it (clean session 0)."""

    def __init__(self, client_id: str, limits: Limits, *, persistent: bool) -> None:
        self.client_id = client_id
        self.persistent = persistent
        self.subscriptions: dict[str, int] = {}
        self.dropped = 0
        """QoS 1 messages that found the queue full."""
        self._limits = limits
        self._in_flight: dict[int, Delivery] = {}
        self._waiting: deque[Delivery] = deque()
        self._last_id = 0

    @property
    def pending(self) -> int:
        """QoS 1 messages that the client has not acknowledged yet, sent or not."""
        return len(self._in_flight) + len(self._waiting)

    def enqueue(self, message: Delivery) -> bool:
        """Keep a QoS 1 message for sending; False when the queue is full."""
        if len(self._waiting) >= self._limits.queued:
            self.dropped += 1
            return False
        self._waiting.append(message)
        return True

    def next_publish(self) -> Publish | None:
        """Return the next PUBLISH to send, None when nothing waits or too many are unacknowledged."""
        if not self._waiting or len(self._in_flight) >= self._limits.in_flight:
            return None
        message = self._waiting.popleft()
        packet_id = self._free_id()
        self._in_flight[packet_id] = message
        return _publish(message, packet_id)

    def acknowledge(self, packet_id: int) -> None:
        """Take a PUBACK; one for an unknown packet identifier is ignored."""
        self._in_flight.pop(packet_id, None)

    def resume(self, may_receive: Callable[[Delivery], bool]) -> list[Publish]:
        """Return what has to be sent again on a new connection, and drop what the client may no longer receive."""
        self._in_flight = {key: message for key, message in self._in_flight.items() if may_receive(message)}
        self._waiting = deque(message for message in self._waiting if may_receive(message))
        return [replace(_publish(message, packet_id), dup=True) for packet_id, message in self._in_flight.items()]

    def _free_id(self) -> int:
        while True:
            self._last_id = self._last_id % 0xFFFF + 1
            if self._last_id not in self._in_flight:
                return self._last_id


def _publish(message: Delivery, packet_id: int) -> Publish:
    return Publish(message.topic, message.payload, 1, message.retain, packet_id=packet_id)
