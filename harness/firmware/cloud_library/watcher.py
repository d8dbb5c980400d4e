"""Makes MQTT events of a cloud library's log lines, behind the lines on the timeline. No I/O, no clock."""

from collections.abc import Callable
from typing import Any, Final

from harness.device_errno import ENETDOWN, ENOTCONN
from harness.firmware.cloud_library.evidence import Evidence, LogClass
from harness.firmware.cloud_library.numbers import Generation
from harness.firmware.cloud_library.reader import LineReader, LogReading
from harness.firmware.mqtt_event import MqttEventKind
from harness.timeline import Draft, Event, Kind

_SAID: Final = (Kind.RX, Kind.URC)
CLASS: Final = "class"
"""The key under which an event's data has its :class:`LogClass`."""


def log_watch(port: str, generation: Generation | None = None) -> Callable[[list[Draft]], list[Draft]]:
    """Return what ``AtPort.watch`` takes: behind each line of ``port`` that is evidence, its MQTT event."""
    reader = LineReader(generation)

    def watch(drafts: list[Draft]) -> list[Draft]:
        if reader.silent([text for _, _, _, text, _ in drafts]):
            return drafts
        found: list[Draft] = []
        for draft in drafts:
            found.append(draft)
            t, kind, _, text, data = draft
            if kind not in _SAID or (data.get("role") not in (None, "cut", "garbled")):
                continue
            found += [each for reading in reader.read(text) if (each := _draft(t, port, reading)) is not None]
        return found

    return watch


def evidence_of(event: Event) -> Evidence | None:
    """Return the evidence in a timeline's event; None: there is none."""
    if event.kind is not Kind.MQTT or CLASS not in event.data:
        return None
    return Evidence(LogClass(event.data[CLASS]), event.data["code"], event.data["line"], event.data["strong"])


def _draft(t: float, port: str, reading: LogReading) -> Draft | None:
    if reading.dropped:
        text = f"{reading.dropped} log messages were dropped by the board: what they said is not known"
        return t, Kind.FAULT, port, text, {"dropped": reading.dropped}
    evidence = reading.evidence
    if evidence is None:
        return None
    kind, result = _as_mqtt(evidence)
    data: dict[str, Any] = {
        "kind": kind.value,
        "result": result,
        CLASS: evidence.what.value,
        "code": evidence.code,
        "strong": evidence.strong,
        "line": evidence.line,
    }
    if reading.uptime is not None:
        data["uptime"] = reading.uptime
    if reading.torn:
        data["torn"] = True
    return t, Kind.MQTT, port, f"{evidence.what}: {evidence.line}", data


def _as_mqtt(evidence: Evidence) -> tuple[MqttEventKind, int]:
    """Return the event's kind, and its result as Serial Modem would number it: 0 is an end that was asked for."""
    code = evidence.code
    match evidence.what:
        case LogClass.CONNECTED:
            return MqttEventKind.ACCEPTED, 0
        case LogClass.REFUSED:
            return MqttEventKind.REFUSED, code
        case LogClass.KICKED:
            return MqttEventKind.CLOSED, code if code < 0 else -ENOTCONN
        case LogClass.LINK_LOST:
            return MqttEventKind.CLOSED, -ENETDOWN
        case LogClass.USER_DISCONNECT:
            return MqttEventKind.CLOSED, 0
        case LogClass.KEEPALIVE | LogClass.MODEM_FAULT:
            return MqttEventKind.OTHER, code
