"""What Serial Modem's lines say of MQTT. No I/O, no clock: it knows only what it was shown, in order.

Source: Serial Modem application documentation, "MQTT client AT commands": #XMQTTEVT, #XMQTTMSG.
"""

import re
from collections import deque
from typing import Any, Final

from harness.at import Urc, urc_in
from harness.firmware.mqtt_event import MqttEvent, MqttEventKind
from harness.timeline import Kind

_EVENTS: Final = {
    1: MqttEventKind.CLOSED,
    3: MqttEventKind.PUBACK,
    7: MqttEventKind.SUBACK,
    8: MqttEventKind.UNSUBACK,
}
_URC, _RX, _TX, _RESULT = Kind.URC, Kind.RX, Kind.TX, Kind.RESULT  # an enumeration is slow to ask (Python 3.11)
_CONNACK: Final = 0
_CLOSED: Final = 1
_MESSAGE_FOLLOWED: Final = 2  # printed after #XMQTTMSG, says nothing that the message did not
_CONNECT: Final = "AT#XMQTTCON=1"
_HEADER: Final = re.compile(r"#XMQTTMSG: ?(\d+),(\d+)\Z")
_KEPT: Final = 16  # lines of a message whose header comes last


class SerialModemWatcher:
    """Reads one board's lines (:class:`harness.firmware.MqttWatcher`).

    It has to know whether a CONNECT is under way: event 0 is its CONNACK then, and an end of the connection otherwise.
    And it keeps the last lines that were nobody's: previews of Serial Modem 2.0 write a message's header behind it.
    """

    def __init__(self) -> None:
        self._connecting = False
        self._unclaimed: deque[str] = deque(maxlen=_KEPT)
        self._message = False  # one has come, and the event behind it has not

    def see(self, t: float, kind: Kind, text: str, data: dict[str, Any]) -> MqttEvent | None:
        """See :class:`harness.firmware.MqttWatcher`."""
        if kind is _URC:
            urc = urc_in(t, kind, text, data)
            return None if urc is None else self._read(urc)
        if kind is _RX:
            return self._line(t, text, data)
        if kind is _TX and text.startswith(_CONNECT):
            self._connecting = True
        elif kind is _RESULT and not data.get("ok") and str(data.get("command")).startswith(_CONNECT):
            self._connecting = False
        return None

    def _line(self, t: float, text: str, data: dict[str, Any]) -> MqttEvent | None:
        """Return the message whose header comes last; None: the line is no such header."""
        if "role" not in data:
            self._unclaimed.append(text)
            return None
        header = _HEADER.match(text)
        if header is None or data["role"] != "garbled":
            return None
        found = _find(list(self._unclaimed), int(header[1]), int(header[2]))
        if found is None:
            return None
        topic, payload, kept = found
        self._message = True
        self._unclaimed = deque(kept, maxlen=_KEPT)
        return MqttEvent(MqttEventKind.MESSAGE, t, 0, topic, payload)

    def _read(self, urc: Urc) -> MqttEvent | None:
        if urc.name == "#XMQTTMSG":
            topic, payload = urc.blobs
            self._message = True
            return MqttEvent(MqttEventKind.MESSAGE, urc.t, 0, topic.decode("utf-8", "replace"), payload)
        if urc.name != "#XMQTTEVT":
            return None
        number, code = map(int, urc.args.split(","))
        if number == _MESSAGE_FOLLOWED:
            came, self._message = self._message, False
            if not came:
                raise ValueError("a message came that could not be read")
            return None
        if number == _CONNACK:
            return self._connack(urc.t, code)
        if number == _CLOSED:
            self._connecting = False
        return MqttEvent(_EVENTS.get(number, MqttEventKind.OTHER), urc.t, code)

    def _connack(self, t: float, code: int) -> MqttEvent:
        if not self._connecting:
            # A refused CONNACK is followed by a second event when the client is torn down; older Zephyr numbers that
            # one 0 as well ("0,-111"), newer 1 ("1,-111"). Which SDK switched is unconfirmed: both mean closed.
            return MqttEvent(MqttEventKind.CLOSED, t, code)
        self._connecting = False
        if code < 0:
            # Older Zephyr reports a broker that closes without CONNACK as "0,-111".
            return MqttEvent(MqttEventKind.CLOSED, t, code)
        return MqttEvent(MqttEventKind.ACCEPTED if code == 0 else MqttEventKind.REFUSED, t, code)


def _find(lines: list[str], topic: int, payload: int) -> tuple[str, bytes, list[str]] | None:
    """Return the first topic and payload of these lengths among ``lines``, and the other lines. None: there are none.

    Several messages may have come before their headers.
    """
    for at, line in enumerate(lines):
        if len(line.encode()) != topic:
            continue
        for end in range(at + 1, len(lines) + 1):
            content = "\r\n".join(lines[at + 1 : end]).encode()
            if len(content) == payload:
                return line, content, lines[:at] + lines[end:]
    return None
