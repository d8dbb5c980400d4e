"""Host bytes to command lines, as Serial Modem collects them.

Source: Serial Modem documentation (AT command terminator, buffer size); behaviour of its AT host: nothing is kept
until ``A`` and then ``T`` have been seen, a terminator between quotes is data, backspace and DEL delete.
"""

import re
from dataclasses import dataclass
from typing import Final

BUFFER_SIZE: Final = 4096
_CR, _LF, _QUOTE = 0x0D, 0x0A, 0x22
_SPECIAL = re.compile(rb'[\r"\x08\x7f]')
_SPECIAL_CRLF = re.compile(rb'[\n"\x08\x7f]')
_WHOLE = re.compile(rb'([Aa][Tt][^\r"\x08\x7f]*(?:"[^"\x08\x7f]*"[^\r"\x08\x7f]*)*)\r')
"""A line that came at once and was not corrected while it was typed: nearly every one."""


@dataclass(frozen=True)
class Overflow:
    """The line did not fit into the buffer; it is answered with ERROR at its terminator."""


class LineInput:
    """Collects one command line at a time. Terminator: CR; a stray LF is dropped with everything before AT.

    ``crlf``: a CR ends the line only with the LF behind it, as the Serial LTE Modem is built.
    """

    def __init__(self, *, crlf: bool = False) -> None:
        self._crlf = crlf
        self._line = bytearray()
        self._lost = 0  # bytes that came after the buffer was full
        self._quoted = False
        self._last = 0  # byte of what was fed before

    @property
    def partial(self) -> bool:
        """True while a line has begun and not ended."""
        return bool(self._line)

    def feed(self, data: bytes) -> tuple[int, bytes | Overflow | None]:
        """Take bytes up to the end of one line. Returns how many, and the line without its terminator, if it ended."""
        taken, line = self._feed(data)
        self._last = data[taken - 1] if taken else self._last
        return taken, line

    def _feed(self, data: bytes) -> tuple[int, bytes | Overflow | None]:
        position = 0
        if not self._line and not self._crlf:
            whole = _WHOLE.match(data)
            if whole is not None and len(whole[1]) <= BUFFER_SIZE:
                return whole.end(), whole[1]
        while position < len(data):
            if len(self._line) < 2:
                self._begin(data[position])
                position += 1
                continue
            found = (_SPECIAL_CRLF if self._crlf else _SPECIAL).search(data, position)
            if found is None:
                self._keep(data[position:])
                return len(data), None
            self._keep(data[position : found.start()])
            position = found.end()
            byte = data[found.start()]
            before = data[found.start() - 1] if found.start() else self._last
            if not self._quoted and (byte == _CR or (byte == _LF and before == _CR)):
                return position, self._end()
            if byte in (_CR, _LF, _QUOTE):
                self._keep(bytes((byte,)))
                self._quoted ^= byte == _QUOTE
            else:
                self._delete()
        return position, None

    def _begin(self, byte: int) -> None:
        wanted = b"Tt" if self._line else b"Aa"
        if byte in wanted:
            self._line.append(byte)
        else:
            self._line.clear()

    def _keep(self, data: bytes) -> None:
        room = BUFFER_SIZE - len(self._line)
        self._line += data[:room]
        self._lost += max(0, len(data) - room)

    def _delete(self) -> None:
        if self._lost:
            self._lost -= 1
        elif self._line.pop() == _QUOTE:
            self._quoted = not self._quoted

    def _end(self) -> bytes | Overflow:
        line = Overflow() if self._lost else bytes(self._line).removesuffix(b"\r")
        self._line.clear()
        self._lost = 0
        self._quoted = False
        return line
