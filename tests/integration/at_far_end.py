"""The far end of a pty: a thread that plays a board, from bytes that the test scripts."""

import os
import select
import threading
import tty
from collections.abc import Callable
from typing import Self


class FarEnd:
    """A pty in raw mode. ``answer``: from the bytes the host sent to the bytes to send back; None: a silent board."""

    def __init__(self, answer: Callable[[bytes], bytes] | None = None) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._answer = answer
        self._stopped, self._stop = os.pipe()
        self.received = bytearray()
        self._heard = threading.Condition()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Send bytes as the board."""
        while data:
            data = data[os.write(self.master, data) :]

    def wait_received(self, part: bytes, timeout: float = 30.0) -> bool:
        """Wait until the host has sent ``part``."""
        with self._heard:
            return self._heard.wait_for(lambda: part in self.received, timeout)

    def stop_reading(self) -> None:
        """Let the host's bytes pile up."""
        if self._thread.is_alive():
            os.write(self._stop, b"x")
            self._thread.join(30)

    def unplug(self) -> None:
        """Take the board away."""
        self.stop_reading()
        for descriptor in (self._slave, self.master, self._stop, self._stopped):
            os.close(descriptor)
        self.master = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.master >= 0:
            self.unplug()

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self.master, select.POLLIN)
        poll.register(self._stopped, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._stopped in ready:
                return
            data = os.read(self.master, 65536)
            with self._heard:
                self.received += data
                self._heard.notify_all()
            if self._answer and (out := self._answer(data)):
                self.send(out)
