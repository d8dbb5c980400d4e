"""Data mode: every byte is payload until ``+++``.

Source: Serial Modem documentation, data mode. The terminator needs no pause around it, may be glued to the payload
and may come in pieces. An MQTT message must fit into the buffer: one byte more breaks data mode, and everything up to
the terminator is dropped.
"""

from collections.abc import Callable
from typing import Final

from harness.device_errno import ENOTCONN, EOVERFLOW

TERMINATOR: Final = b"+++"
BUFFER_SIZE: Final = 4096
RX_BUFFER = 256  # bytes of UART receive buffer on the DKs; larger on Thingys
RX_MARGIN_MS = 10


def shortest_idle_ms(baud: int) -> int:
    """Return the shortest idle time, in ms, after which buffered data may be sent without a terminator."""
    return RX_BUFFER * 10 * 1000 // baud + RX_MARGIN_MS


class DataMode:
    """One stay in data mode. ``send``: called with the collected bytes when they are to be sent; False: they could not
    be, and what else comes is dropped.

    ``stream``: a socket, which takes what is more than the buffer in pieces; a message has to fit. ``count``: bytes
    after which data mode ends by itself, whatever they are; None: it ends with the terminator.
    """

    def __init__(self, send: Callable[[bytes], bool | None], *, stream: bool = False, count: int | None = None) -> None:
        self._send = send
        self._stream = stream
        self._left = count
        self._buffer = bytearray()
        self._matched = 0  # bytes of a possible terminator that are held back
        self.error = 0
        """The device's errno, negative, for which what comes is dropped; 0: nothing is."""

    def feed(self, data: bytes) -> tuple[int, int | None]:
        """Take bytes. Returns how many belong to data mode, and its error when it ended."""
        if self._left is not None:
            return self._feed_counted(data)
        held = self._matched
        text = TERMINATOR[:held] + data
        end = text.find(TERMINATOR)
        if end >= 0:
            self._matched = 0
            self._collect(text[:end])
            self.flush()
            return end + len(TERMINATOR) - held, self.error
        self._matched = len(text) - len(text.rstrip(b"+"))
        self._collect(text[: len(text) - self._matched])
        return len(data), None

    def idle(self) -> None:
        """Send what was collected, with an unfinished terminator, because the host paused."""
        if self._buffer:
            self._collect(TERMINATOR[: self._matched])
            self._matched = 0
            self.flush()

    def flush(self) -> None:
        """Send what was collected."""
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            if self._send(data) is False:
                self.break_off(-ENOTCONN)

    def break_off(self, error: int) -> None:
        """Drop what is collected, and what else comes. ``error``: the device's errno, negative."""
        self.error = self.error or error
        self._buffer.clear()

    def _feed_counted(self, data: bytes) -> tuple[int, int | None]:
        # Every byte counts, also those that are dropped (sm_at_host.c, raw_rx_handler).
        taken = min(len(data), self._left or 0)
        self._left = (self._left or 0) - taken
        self._collect(data[:taken])
        if self._left:
            return taken, None
        self.flush()
        return taken, self.error

    def _collect(self, data: bytes) -> None:
        while self._stream and not self.error and len(self._buffer) + len(data) > BUFFER_SIZE:
            room = BUFFER_SIZE - len(self._buffer)
            self._buffer += data[:room]
            data = data[room:]
            self.flush()
        if self.error:
            return
        if len(self._buffer) + len(data) > BUFFER_SIZE:
            self.break_off(-EOVERFLOW)
        else:
            self._buffer += data
