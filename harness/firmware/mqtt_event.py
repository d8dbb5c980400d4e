"""What a board reports of its MQTT connection, and its form on the timeline, the same for every firmware."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from harness import device_errno
from harness.modem.signal import signal_in
from harness.timeline import Draft, Event, Kind, packed, unpacked


class MqttEventKind(StrEnum):
    """What a board can report of its MQTT connection."""

    ACCEPTED = "accepted"  # CONNACK with return code 0
    REFUSED = "refused"  # CONNACK with another return code
    CLOSED = "closed"  # the connection ended; ``result`` 0: as the harness asked
    MESSAGE = "message"  # a PUBLISH arrived
    PUBACK = "puback"  # a QoS 1 publish was acknowledged
    SUBACK = "suback"  # no proof of a subscription: firmwares report it even for return code 0x80
    UNSUBACK = "unsuback"
    OTHER = "other"  # PINGRESP, QoS 2 steps


@dataclass(frozen=True, slots=True)
class MqttEvent:
    """One event of the board's MQTT connection.

    ``t``: seconds of ``time.monotonic()``, when its line arrived. ``result``: the number that the board gave; of a
    SUBACK 0x80 when the broker said no, as far as the firmware tells. ``seq``: of its event on the timeline, -1 before
    it is there. ``packet_id``: of an acknowledgement, None where the firmware does not tell it.
    """

    kind: MqttEventKind
    t: float
    result: int = 0
    topic: str = ""
    payload: bytes = b""
    seq: int = field(default=-1, compare=False)
    packet_id: int | None = None

    @property
    def by_remote(self) -> bool:
        """True for an end of the connection that the other side or the network caused."""
        return self.kind is MqttEventKind.CLOSED and self.result != 0

    @property
    def hung_up(self) -> bool:
        """True for an end of the connection with an errno by which a close by the other side shows."""
        return self.kind is MqttEventKind.CLOSED and abs(self.result) in device_errno.REMOTE_CLOSE

    def __str__(self) -> str:
        if self.kind is MqttEventKind.MESSAGE:
            return f"message on {self.topic} ({len(self.payload)} bytes)"
        if self.kind is MqttEventKind.CLOSED:
            return "disconnected as asked" if self.result == 0 else f"hung up: {device_errno.describe(self.result)}"
        if self.kind is MqttEventKind.REFUSED:
            return f"CONNACK return code {self.result}"
        if self.kind is MqttEventKind.SUBACK and self.result:
            return f"suback with return code 0x{self.result:02x}"
        return str(self.kind.value)


class MqttWatcher(Protocol):
    """Makes MQTT events of the events on a board's timeline. Pure: it knows only what it was shown, in order."""

    def see(self, t: float, kind: Kind, text: str, data: dict[str, Any]) -> MqttEvent | None:
        """Return what this event says of the MQTT connection; None: nothing. Raises ValueError if it is garbled.

        ``t``, ``kind``, ``text``, ``data``: of the event, see :class:`harness.timeline.Event`.
        """


_SIGNAL: Final = ("+CESQ:", "%CESQ:", "%XMONITOR:", "%CONEVAL:")
# An enumeration is slow to ask (Python 3.11), and its members are slow to hash.
_STEP, _MQTT, _CLOUD = Kind.STEP, Kind.MQTT, Kind.CLOUD
_KINDS: Final = {kind.value: kind for kind in MqttEventKind}


def watching(watcher: MqttWatcher, port: str) -> Callable[[list[Draft]], list[Draft]]:
    """Return what ``AtPort.watch`` takes: behind each draft of ``port`` its MQTT event, if it has one.

    A line that shows signal figures gets them as ``signal`` in its data.
    """

    def watch(drafts: list[Draft]) -> list[Draft]:
        found: list[Draft] = []
        for draft in drafts:
            t, kind, source, text, data = draft
            if text.startswith(_SIGNAL) and (figures := signal_in(text)):
                draft = t, kind, source, text, data | {"signal": figures}
            found.append(draft)
            if kind is _STEP or kind is _MQTT or kind is _CLOUD:
                continue
            try:
                event = watcher.see(t, kind, text, data)
            except ValueError:
                found.append((t, Kind.FAULT, port, f"garbled, skipped: {text}", {"garbled": True}))
                continue
            if event is not None:
                found.append(drafted(event, port))
        return found

    return watch


def drafted(event: MqttEvent, port: str) -> Draft:
    """Return the timeline's draft for ``event``.

    Its data: ``kind``, ``result``; ``errno`` (name) of an end that the other side caused; ``topic`` and the payload's
    fields (:func:`harness.timeline.packed`) of a message; ``packet_id`` where it is known.
    """
    data: dict[str, Any] = {"kind": event.kind.value, "result": event.result}
    if event.by_remote:
        data["errno"] = device_errno.NAMES.get(abs(event.result), "")
    if event.kind is MqttEventKind.MESSAGE:
        data |= {"topic": event.topic, **packed(event.payload)}
    if event.packet_id is not None:
        data["packet_id"] = event.packet_id
    return event.t, Kind.MQTT, port, str(event), data


def mqtt_event(event: Event) -> MqttEvent | None:
    """Return a timeline's event as an MQTT event; None if it is none."""
    if event.kind is not _MQTT:
        return None
    data = event.data
    kind = _KINDS.get(data["kind"]) or MqttEventKind(data["kind"])
    # Most are acknowledgements, and whoever waits reads them again and again.
    topic, payload = (data["topic"], unpacked(data)) if "topic" in data else ("", b"")
    return MqttEvent(kind, event.t, data["result"], topic, payload, event.seq, data.get("packet_id"))


def mqtt_events(events: Iterable[Event], port: str) -> list[MqttEvent]:
    """Return the MQTT events of the board ``port`` among ``events``, in order."""
    found = (mqtt_event(event) for event in events if event.kind is _MQTT and event.source == port)
    return [event for event in found if event is not None]
