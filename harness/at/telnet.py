"""Telnet, as far as RFC 2217 needs it: bytes of the board and what the two ends say to each other, on one connection.

No I/O. A byte 255 (IAC) of the board is sent twice; a single one begins something of Telnet's own.
"""

from enum import Enum, auto
from typing import Final, NamedTuple

IAC: Final = 0xFF
DONT, DO, WONT, WILL, SB, SE = 0xFE, 0xFD, 0xFC, 0xFB, 0xFA, 0xF0
_ESCAPED: Final = bytes((IAC, IAC))
_MOST: Final = 4096  # bytes of a subnegotiation that are kept: the longest that RFC 2217 knows is a signature


class TelnetVerb(NamedTuple):
    """DO, DONT, WILL or WONT, and the option that it is about."""

    verb: int
    option: int


class _State(Enum):
    DATA = auto()
    COMMAND = auto()  # after IAC
    OPTION = auto()  # after IAC and a verb


def escaped(data: bytes) -> bytes:
    """Return ``data`` as it is sent."""
    return data.replace(b"\xff", _ESCAPED)


def subnegotiation(content: bytes) -> bytes:
    """Return the subnegotiation with this ``content``, whose first byte is the option, as it is sent."""
    return bytes((IAC, SB)) + escaped(content) + bytes((IAC, SE))


class TelnetReader:
    """Takes a Telnet connection's bytes apart, wherever they were cut.

    :meth:`feed` returns the board's bytes. ``heard``: what Telnet itself said since the list was last emptied, in
    order: verbs, and the contents of subnegotiations.
    """

    def __init__(self) -> None:
        self.heard: list[TelnetVerb | bytes] = []
        self._state = _State.DATA
        self._verb = 0
        self._content: bytearray | None = None  # of the subnegotiation that has begun

    def plain(self, data: bytes) -> bool:
        """Tell whether ``data``, which come next, are the board's bytes as they are."""
        return IAC not in data and self._state is _State.DATA and self._content is None

    def feed(self, data: bytes) -> bytes:
        """Return the board's bytes among ``data``."""
        if self.plain(data):
            return data
        found = bytearray()
        at = 0
        while at < len(data):
            if self._state is _State.DATA:
                end = data.find(IAC, at)
                piece = data[at:] if end < 0 else data[at:end]
                self._keep(found, piece)
                at += len(piece)
                if end >= 0:
                    self._state = _State.COMMAND
                    at += 1
            else:
                self._step(data[at], found)
                at += 1
        return bytes(found)

    def _keep(self, found: bytearray, piece: bytes) -> None:
        if self._content is None:
            found += piece
        else:
            self._content += piece[: _MOST - len(self._content)]

    def _step(self, byte: int, found: bytearray) -> None:
        if self._state is _State.OPTION:
            self.heard.append(TelnetVerb(self._verb, byte))
            self._state = _State.DATA
            return
        self._state = _State.DATA
        if byte == IAC:
            self._keep(found, b"\xff")
        elif byte == SB:
            self._content = bytearray()
        elif byte == SE:
            if self._content is not None:
                self.heard.append(bytes(self._content))
            self._content = None
        elif byte in (DO, DONT, WILL, WONT):
            self._verb = byte
            self._state = _State.OPTION
        # Whatever else there is (NOP, "are you there") says nothing of the board.
