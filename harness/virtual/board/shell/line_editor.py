"""Typed bytes to command lines with an echo, as far as tools use it. Source: Zephyr documentation, Shell."""

from typing import Final

BUFFER_SIZE: Final = 4096  # a choice when the firmware is built; enough for a certificate
_CR, _LF, _CTRL_C = 0x0D, 0x0A, 0x03
_DELETE: Final = (0x08, 0x7F)


class LineEditor:
    """Keeps one line, echoes what is typed. CR, LF and CRLF end a line; Ctrl-C abandons it."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._after_cr = False

    @property
    def line(self) -> bytes:
        """What has been typed of a line."""
        return bytes(self._line)

    def feed(self, data: bytes) -> tuple[int, bytes, str | None]:
        """Take bytes up to the end of one line. Returns how many, their echo, and the line, if it ended."""
        echo = bytearray()
        for count, byte in enumerate(data, 1):
            second_half, self._after_cr = byte == _LF and self._after_cr, byte == _CR
            if second_half:
                continue
            if byte in (_CR, _LF, _CTRL_C):
                line = "" if byte == _CTRL_C else self._line.decode("ascii")
                self._line.clear()
                return count, bytes(echo) + b"\r\n", line
            if byte in _DELETE:
                echo += b"\b \b" if self._line else b""
                del self._line[-1:]
            elif 0x20 <= byte < 0x7F and len(self._line) < BUFFER_SIZE:
                self._line.append(byte)
                echo.append(byte)
        return len(data), bytes(echo), None
