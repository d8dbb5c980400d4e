"""Host bytes to command lines, as the AT host library collects them.

Source: sdk-nrf, AT host library (terminators, buffer, quotes, deletion). The library is hard on the host, and so is
this: only the configured terminator ends a line, everything before ``AT`` is part of it, deleting a quote does not undo
its effect, and a full buffer loses even the closing quote, so that the line cannot end until a character is deleted.
"""

from typing import Final

from harness.settings import TerminatorName

BUFFER_SIZE: Final = 4095
"""Bytes of a command; the buffer has one more, which ends the text."""
_NUL, _LF, _CR, _QUOTE = 0x00, 0x0A, 0x0D, 0x22
_DELETE: Final = (0x08, 0x7F)


class HostInput:
    """Collects one command line at a time."""

    def __init__(self, terminator: TerminatorName = TerminatorName.CR) -> None:
        self._terminator = terminator
        self._line = bytearray()
        self._quoted = False

    def feed(self, data: bytes) -> tuple[int, bytes | None]:
        """Take bytes up to the end of one line. Return their number, and the line if it ended.

        A line without any visible character is dropped and gets no answer.
        """
        for count, byte in enumerate(data, 1):
            if byte in _DELETE:
                del self._line[-1:]
            elif not self._quoted and self._ends(byte):
                line = bytes(self._line)
                self._line.clear()
                if max(line, default=0) > 0x20:
                    return count, line
            elif byte != _NUL and len(self._line) < BUFFER_SIZE:
                self._line.append(byte)
                self._quoted ^= byte == _QUOTE
        return len(data), None

    def _ends(self, byte: int) -> bool:
        match self._terminator:
            case TerminatorName.CR:
                return byte == _CR
            case TerminatorName.LF:
                return byte == _LF
            case TerminatorName.CRLF:
                return byte == _LF and self._line[-1:] == b"\r"
            case TerminatorName.NUL:
                return byte == _NUL
