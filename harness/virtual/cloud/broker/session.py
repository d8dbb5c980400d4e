"""A client's session: subscriptions, QoS 1 messages in flight, messages that wait. No I/O.

Why messages stay in order (MQTT 3.1.1 §4.6): each enters one queue at the end and leaves it at the front, and none in
flight is sent again on the same connection. If two may be in flight, messages 1, 2 and 3 go like this::

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
    """A message for subscribers. ``retain``: it is delivered because it was retained."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Session:
    """The state of the client ``client_id``. It outlives the connection if ``persistent`` (clean session 0).

    ``limits``: of messages that wait for it.
    """

    def __init__(self, client_id: str, limits: Limits, *, persistent: bool) -> None:
        self.client_id = client_id
        self.persistent = persistent
        self.subscriptions: dict[str, int] = {}
        self.dropped = 0
        """How many QoS 1 messages were lost because the queue was full."""
        self._limits = limits
        self._in_flight: dict[int, Delivery] = {}
        self._waiting: deque[Delivery] = deque()
        self._last_id = 0

    @property
    def pending(self) -> int:
        """How many QoS 1 messages the client has not acknowledged yet, whether sent or not."""
        return len(self._in_flight) + len(self._waiting)

    def enqueue(self, message: Delivery) -> bool:
        """Keep a QoS 1 message for sending; False if the queue is full."""
        if len(self._waiting) >= self._limits.queued:
            self.dropped += 1
            return False
        self._waiting.append(message)
        return True

    def next_publish(self) -> Publish | None:
        """Return the next PUBLISH to send, or None if no message waits or too many are in flight."""
        if not self._waiting or len(self._in_flight) >= self._limits.in_flight:
            return None
        message = self._waiting.popleft()
        packet_id = self._free_id()
        self._in_flight[packet_id] = message
        return _publish(message, packet_id)

    def acknowledge(self, packet_id: int) -> None:
        """Take a PUBACK. One with an unknown packet identifier is ignored."""
        self._in_flight.pop(packet_id, None)

    def resume(self, may_receive: Callable[[Delivery], bool]) -> list[Publish]:
        """Return the messages to send again on a new connection. Drop those that the client may no longer receive."""
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
