"""A pseudo-terminal that looks like a board's UART: a stable path, raw bytes, queued output, the pace of a baud rate.

What a pty cannot show: modem control lines (CTS, DTR ...) and the loss of bytes while nobody has the port open.
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path

from harness.virtual.board.pacing import PacedPipe

READ_SIZE = 4096
OUTPUT_LIMIT = 1 << 20
CROWDED, ROOMY = 4096, 2048
"""Bytes under way to the host at which a paced port takes nothing more, and takes something again. Source: the buffer
in which Serial Modem 1.0 keeps what is unsolicited."""
INPUT_LIMIT = 16384


class Pty:
    """One port under the path ``link`` (a symbolic link to the real device).

    ``received``: called with the host's bytes. ``baud``: 0 for no pacing. The host may open and close the port as often
    as it likes: the board does not notice. ``crowded``: called with True when much is under way to the host at the pace
    of the line, with False when that has gone.
    """

    def __init__(
        self,
        link: Path,
        received: Callable[[bytes], None],
        *,
        baud: int = 0,
        crowded: Callable[[bool], None] = lambda _crowded: None,
    ) -> None:
        self.link = link
        self.dropped = 0
        """Bytes to the host that found the queue full: nobody reads."""
        self._received = received
        self._baud = baud
        self._tell_crowded = crowded
        self._crowded = False
        self._master = -1
        self._slave = -1
        self._device = ""
        self._queue = bytearray()
        self._writing = False
        self._reading = False

    def open(self) -> None:
        """Make the device and the link. Call it inside the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._out = PacedPipe(self._loop, self._baud, self._write)
        self._in = PacedPipe(self._loop, self._baud, self._arrived)
        self._master, self._slave = os.openpty()
        # Raw before the first byte: a fresh terminal echoes. The slave stays open: without any, reading gives EIO.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._device = os.ttyname(self._slave)
        self._read(True)
        fresh = self.link.with_name(self.link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._device)
        fresh.replace(self.link)

    @property
    def is_open(self) -> bool:
        """Whether the device is there."""
        return self._master >= 0

    def send(self, data: bytes) -> None:
        """Send bytes to the host, in time and without waiting."""
        if self._master < 0:
            return
        room = max(0, OUTPUT_LIMIT - len(self._out) - len(self._queue))
        self.dropped += max(0, len(data) - room)
        self._out.feed(data[:room])
        if not self._crowded and len(self._out) > CROWDED:
            self._crowd(True)

    def set_baud(self, baud: int) -> None:
        """Change the pace; a port without pacing stays without."""
        if self._baud:
            self._baud = self._out.baud = self._in.baud = baud

    def close(self) -> None:
        """Take the port away: an open host sees it vanish, as when a cable is pulled."""
        if self._master < 0:
            return
        with contextlib.suppress(OSError):  # gone, or not a link any more
            if os.readlink(self.link) == self._device:  # another board may have taken the name
                self.link.unlink()
        self._out.close()
        self._in.close()
        if self._crowded:
            self._crowd(False)
        self._queue.clear()
        self._loop.remove_writer(self._master)
        self._writing = False
        self._read(False)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def _readable(self) -> None:
        try:
            data = os.read(self._master, READ_SIZE)
        except BlockingIOError:
            return
        self._in.feed(data)
        self._read(len(self._in) < INPUT_LIMIT)

    def _arrived(self, data: bytes) -> None:
        self._read(len(self._in) < INPUT_LIMIT)
        self._received(data)

    def _read(self, on: bool) -> None:
        if on == self._reading or self._master < 0:
            return
        self._reading = on
        if on:
            self._loop.add_reader(self._master, self._readable)
        else:
            self._loop.remove_reader(self._master)

    def _crowd(self, crowded: bool) -> None:
        self._crowded = crowded
        self._tell_crowded(crowded)

    def _write(self, data: bytes) -> None:
        if self._crowded and len(self._out) <= ROOMY:
            self._crowd(False)
        self._queue += data
        if not self._writing:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._queue:
                del self._queue[: os.write(self._master, self._queue)]
        except BlockingIOError:
            if not self._writing:
                self._writing = True
                self._loop.add_writer(self._master, self._flush)
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._master)
