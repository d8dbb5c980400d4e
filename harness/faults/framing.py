"""Where one packet ends and the next begins, in bytes that arrive in any pieces. Pure.

Nobody can see MQTT packets inside TLS, but client and broker nearly always write one packet as one record. So TLS
application records count as packets, and handshake records do not. The first byte shows what a connection speaks:
0x16 is a TLS handshake record (RFC 8446 §5.1), 0x10 an MQTT CONNECT and 0x20 a CONNACK (MQTT 3.1.1 §2.2).
"""

from enum import StrEnum
from typing import NamedTuple


class Framing(StrEnum):
    """How bytes are cut into units."""

    AUTO = "auto"  # TLS or MQTT, by the first byte; anything else is cut as it arrives
    TLS = "tls"
    MQTT = "mqtt"
    LINES = "lines"  # up to a line feed; what waits for one is let through by ``flush``
    BYTES = "bytes"  # each byte is a unit
    PIECES = "pieces"  # as it arrives


class Unit(NamedTuple):
    """``counts``: it has a packet number."""

    data: bytes
    counts: bool


_HANDSHAKE, _APPLICATION_DATA = 0x16, 0x17
_CONNECT, _CONNACK = 0x10, 0x20
_TLS_HEADER = 5
_LONGEST = 1 << 16
"""Most bytes that are held back. Whatever claims to be longer is not a packet, and passes as it came."""


class Framer:
    """Cuts one direction of one connection into units."""

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Unit]:
        """Return the units that ``data`` completes."""
        if self.framing is Framing.AUTO and data:
            self.framing = _seen(data[0])
        if self.framing in (Framing.AUTO, Framing.PIECES):
            return [Unit(data, True)] if data else []
        if self.framing is Framing.BYTES:
            return [Unit(data[index : index + 1], True) for index in range(len(data))]
        self._held += data
        units = []
        while self._held and (length := self._next()):
            counts = self.framing is not Framing.TLS or self._held[0] == _APPLICATION_DATA
            units.append(Unit(bytes(self._held[:length]), counts))
            del self._held[:length]
        if len(self._held) > _LONGEST:
            units += self.flush()
        return units

    def flush(self) -> list[Unit]:
        """Return the part of a unit that is held back, as a unit that does not count."""
        held = bytes(self._held)
        self._held.clear()
        return [Unit(held, False)] if held else []

    @property
    def holds(self) -> bool:
        """True while something is held back."""
        return bool(self._held)

    def _next(self) -> int:
        """Return the length of the first unit that is held; 0: it is not complete yet."""
        if self.framing is Framing.LINES:
            return self._held.find(b"\n") + 1
        length = _tls_length(self._held) if self.framing is Framing.TLS else _mqtt_length(self._held)
        return length if 0 < length <= len(self._held) else 0


def _seen(first: int) -> Framing:
    if first == _HANDSHAKE:
        return Framing.TLS
    return Framing.MQTT if first in (_CONNECT, _CONNACK) else Framing.AUTO


def _tls_length(held: bytearray) -> int:
    return _TLS_HEADER + int.from_bytes(held[3:5], "big") if len(held) >= _TLS_HEADER else 0


def _mqtt_length(held: bytearray) -> int:
    length = 0
    for index in range(1, min(5, len(held))):
        length |= (held[index] & 0x7F) << 7 * (index - 1)
        if held[index] < 0x80:
            return index + 1 + length
    return len(held) if len(held) >= 5 else 0
