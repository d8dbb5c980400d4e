"""Raw bytes whose number a line announced: ``#XMQTTMSG: <topic bytes>,<payload bytes>`` and then the two.

They may hold anything, line ends and final results included. Each is followed by CR LF. Source: Serial Modem
documentation, "MQTT client AT commands".

Before its pull request 324 Serial Modem wrote header, topic and pieces of 128 bytes of the payload one by one, and
whole lines of others could fall between any two; some versions write the header last. So the bytes are read as they
should be first. Where the line ends do not stand where they belong, lines of a URC's form are set aside at the places
where they can fall. What fits neither way lost bytes on its way, and is given back as lines.

    \\r\\n#XMQTTMSG: 3,5\\r\\n  \\r\\n+CSCON: 1\\r\\n  a/b\\r\\n  hello\\r\\n     is a/b, hello, and the URC +CSCON: 1

Bytes of a socket (``#XRECV``) are written in one piece, and what looks like a URC in them is theirs: a line can only
stand before the first, where the Serial LTE Modem lets one fall.

Bytes of a TCP client (``#XTCPDATA``) have nothing behind them, so they are exactly as many as announced. UNCONFIRMED:
whether a line can fall between (the firmware writes line and bytes one after the other); here none does.
"""

import re
from typing import Final, NamedTuple

_PIECE: Final = 128  # bytes that older firmware writes at once
_BETWEEN: Final = re.compile(rb"\r\n([+%#][A-Z][A-Z0-9]*: [ -~]*)\r\n")
_BEGUN: Final = re.compile(rb"\r(?:\n(?:[+%#][A-Z0-9]{0,32}(?::(?: [ -~]{0,256})?)?\r?)?)?\Z")
_OVER: Final = re.compile(rb"\r\n#XMQTTEVT: 2,-?\d+\r\n")  # stands behind the message, always
_END: Final = b"\r\n"
_MESSAGE: Final = b"#XMQTTMSG"
_BARE: Final = b"#XTCPDATA"


class _Short(Exception):
    """More bytes are needed to tell."""


class _Wrong(Exception):
    """This is not how the bytes are to be read."""


class _Reading(NamedTuple):
    blobs: tuple[bytes, ...]
    aside: tuple[bytes, ...]
    end: int


class FramedBytes:
    """The blobs behind one line. ``lengths``: in bytes; ``line``: the line as it came, with its line end.

    ``aside``: lines that had fallen between. ``broken``: the bytes do not fit what was announced.
    """

    def __init__(self, lengths: tuple[int, ...], line: bytes) -> None:
        self.blobs: tuple[bytes, ...] = ()
        self.aside: tuple[bytes, ...] = ()
        self.broken = False
        self._lengths = lengths
        self._line = line
        self._message = _MESSAGE in line
        self._bare = line.startswith(_BARE)
        self._data = bytearray()
        self._skip_lf = line.endswith(b"\r")  # the chunk ended inside the line end

    def feed(self, data: bytes) -> bytes | None:
        """Take bytes; return what is left over once the last blob is complete, else None.

        Also when they turn out broken: then nothing is left over, :meth:`so_far` has it all.
        """
        self._data += data
        if self._skip_lf and self._data:
            if self._data[:1] == b"\n":
                del self._data[:1]
            self._skip_lf = False
        try:
            found = self._read()
        except _Short:
            # The header was wrong about the lengths, or came last.
            self.broken = self._message and _OVER.search(self._data) is not None
            return b"" if self.broken else None
        except _Wrong:
            self.broken = True
            return b""
        self.blobs, self.aside = found.blobs, found.aside
        return bytes(self._data[found.end :])

    def so_far(self) -> bytes:
        """Return every byte from the line on, for reading them as lines after all."""
        return self._line.rstrip(_END) + _END + bytes(self._data)

    def _read(self) -> _Reading:
        if self._bare:
            return self._all()
        try:
            return self._as_announced()
        except _Wrong:
            return self._with_lines_between()

    def _all(self) -> _Reading:
        (length,) = self._lengths
        if len(self._data) < length:
            raise _Short
        return _Reading((bytes(self._data[:length]),), (), length)

    def _as_announced(self) -> _Reading:
        blobs, at = [], 0
        for length in self._lengths:
            blobs.append(bytes(self._data[at : at + length]))
            at = self._behind_end(at + length)
        return _Reading(tuple(blobs), (), at)

    def _with_lines_between(self) -> _Reading:
        blobs: list[bytes] = []
        aside: list[bytes] = []
        at = 0
        for length in self._lengths:
            blob = bytearray()
            while True:
                if self._message or not blob:
                    at = self._set_aside(at, aside)
                if len(blob) == length:
                    break
                piece = min(_PIECE, length - len(blob))
                if len(self._data) < at + piece:
                    raise _Short
                blob += self._data[at : at + piece]
                at += piece
            at = self._behind_end(at)
            blobs.append(bytes(blob))
        return _Reading(tuple(blobs), tuple(aside), at)

    def _set_aside(self, at: int, aside: list[bytes]) -> int:
        while found := _BETWEEN.match(self._data, at):
            aside.append(bytes(found[1]))
            at = found.end()
        if _BEGUN.match(self._data, at):
            raise _Short
        return at

    def _behind_end(self, at: int) -> int:
        end = bytes(self._data[at : at + len(_END)])
        if not _END.startswith(end):
            raise _Wrong
        if len(end) < len(_END):
            raise _Short
        return at + len(_END)
