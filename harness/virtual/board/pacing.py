"""A UART's speed: bytes pass as fast as 8N1 at the baud rate allows, and no faster.

Deadlines are absolute, so that late timers do not add up; there is no credit for idle time. A byte is passed on when
its last bit would have arrived, in batches of some milliseconds.

The event loop's timers come up to a millisecond late, because epoll counts in milliseconds. At 1 Mbit/s a command of 20
bytes takes a fifth of that, and a dialogue turns often. So a fast UART waits for the last millisecond turn by turn of
the loop. It costs processor time, which slower ones, of which many run side by side, leave to others.
"""

import asyncio
from collections.abc import Callable

TICK = 0.016  # as long as a USB adapter of FTDI collects bytes by default
COARSE = 0.001  # what a timer of the event loop may be late
FAST = 460_800  # bit/s from which on that matters
BITS_PER_BYTE = 10  # start, eight data, stop


class PacedPipe:
    """One direction of a UART. ``sink`` gets the bytes in time, by ``loop``; ``baud`` 0 passes them on at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, baud: int, sink: Callable[[bytes], None]) -> None:
        self._loop = loop
        self.baud = baud
        self._sink = sink
        self._waiting = bytearray()
        self._start = 0.0
        self._passed = 0  # bytes since _start
        self._timer: asyncio.Handle | None = None

    def __len__(self) -> int:
        """Bytes still under way."""
        return len(self._waiting)

    def feed(self, data: bytes) -> None:
        """Send bytes into the pipe."""
        if not self.baud and not self._waiting:
            self._sink(data)
            return
        self._waiting += data
        if self._timer is None:
            self._start, self._passed = self._loop.time(), 0
            self._schedule()

    def close(self) -> None:
        """Drop what is under way."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        now = self._loop.time()
        early = COARSE if self.baud >= FAST else 0.0
        at = min(self._last() - early, now + TICK)
        if early and at <= now:
            self._timer = self._loop.call_soon(self._finish)
        else:
            self._timer = self._loop.call_at(at, self._tick)

    def _last(self) -> float:
        """Return when the last byte that waits has passed."""
        seconds = BITS_PER_BYTE / self.baud if self.baud else 0.0
        return self._start + (self._passed + len(self._waiting)) * seconds

    def _finish(self) -> None:
        self._timer = None
        if self._last() > self._loop.time():
            self._schedule()
        else:
            self._tick()

    def _tick(self) -> None:
        self._timer = None
        # A hair more, so that rounding does not hold the last byte back for another tick.
        due = int((self._loop.time() - self._start) * self.baud / BITS_PER_BYTE + 1e-6) - self._passed
        count = len(self._waiting) if not self.baud else max(0, min(due, len(self._waiting)))
        data = bytes(self._waiting[:count])
        del self._waiting[:count]
        self._passed += count
        if self._waiting:
            self._schedule()
        if data:
            self._sink(data)
