"""A man in the middle between a port and the harness: the harness opens ``link`` instead of the board's port.

    with PtyProxy("/dev/serial/by-id/...", tmp_path / "port", [Fault(Deed.GARBLE, Direction.IN, byte=500)]) as line:
        open_port(line.link)
        line.insert(b"\\r\\nReady\\r\\n")     # a foreign speaker
        line.unplug()

The near side is the harness: OUT goes to the board, IN comes from it. ``fin`` unplugs the near side's port.
"""

import contextlib
import math
import os
import selectors
import threading
import time
import tty
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import serial

from harness.errors import LabError, PortMissing
from harness.faults.delay_line import DelayLine
from harness.faults.fault import Direction, Fault
from harness.faults.framing import Framing
from harness.faults.script import Act, Close, FaultPlan, FaultScript, Pass, Struck

_CHUNK = 4096
_JOIN = 5.0


class PtyProxy:
    """Passes bytes between ``port`` and a pty at the path ``link``, with ``faults``.

    ``seed``: the same one makes the same faults again. ``framing``: bytes (default) or lines; a fault's ``packet``
    counts those. ``baudrate`` (bit/s), ``rtscts`` (hardware flow control): of ``port``. Entering raises PortMissing and
    LabError.
    """

    def __init__(
        self,
        port: str | Path,
        link: Path,
        faults: Sequence[Fault] = (),
        *,
        seed: int = 0,
        framing: Framing = Framing.BYTES,
        baudrate: int = 115200,
        rtscts: bool = False,
    ) -> None:
        self.link = link
        self._port = str(port)
        self._plan = FaultPlan(faults, seed)
        self._framing = framing
        self._baudrate = baudrate
        self._rtscts = rtscts
        self._serial: serial.Serial | None = None
        self._lock = threading.RLock()
        self._number = 0
        self._board = self._master = self._slave = -1
        self._outbox = DelayLine()
        self._script: FaultScript | None = None
        self._wake_read, self._wake_write = -1, -1
        self._stop = False
        self._thread = threading.Thread(target=self._run, name=f"fault line {link.name}", daemon=True)

    @property
    def struck(self) -> list[Struck]:
        """What the faults did so far, in order."""
        with self._lock:
            return list(self._plan.struck)

    def phase(self, name: str) -> None:
        """Announce a phase; returns when its faults have struck."""
        with self._lock:
            if self._script is not None:
                self._act(self._script.phase(name, time.monotonic()))
        self._wake()

    def insert(self, data: bytes, direction: Direction = Direction.IN) -> None:
        """Send ``data`` to the harness (IN) or to the board (OUT), as if the other side had sent it."""
        with self._lock:
            self._write(Pass(direction, data, 0.0))

    def unplug(self) -> None:
        """Take the near side's port away, as when the cable is pulled. The board notices nothing."""
        with self._lock:
            self._unplug()
        self._wake()

    def plug(self) -> None:
        """Give the port back under the same path. Does nothing while it is there."""
        with self._lock:
            if self._master < 0:
                self._plug()
        self._wake()

    @property
    def alive(self) -> bool:
        """False once the board's port has gone away: nothing comes through any more."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        return self.open()

    def open(self) -> Self:
        """Open the board's port and make the harness's. Raises PortMissing, LabError."""
        try:
            self._serial = serial.Serial(self._port, self._baudrate, timeout=0, rtscts=self._rtscts)
            self._board = self._serial.fileno()
            os.set_blocking(self._board, False)
        except OSError as error:  # pyserial's own errors are among them
            self._close()
            raise PortMissing(f"the fault line cannot open {self._port}: {os.strerror(error.errno or 0)}") from error
        try:
            self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            self._plug()
        except OSError as error:
            self._close()
            raise LabError(f"the fault line cannot make a port at {self.link}: {error.strerror}") from error
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the harness's port away and let the board's go. Does nothing the second time."""
        self._stop = True
        self._wake()
        self._thread.join(_JOIN)
        with self._lock:
            self._unplug()
            self._close()

    def _plug(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        fresh = self.link.with_name(self.link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(slave))
        fresh.replace(self.link)
        self._master, self._slave = master, slave
        self._number += 1
        self._script = FaultScript(self._plan, self._number, time.monotonic(), self._framing)

    def _unplug(self) -> None:
        if self._master < 0:
            return
        self.link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
        self._script = None
        self._outbox = DelayLine()

    def _close(self) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None
        for descriptor in (self._wake_read, self._wake_write):
            if descriptor >= 0:
                os.close(descriptor)
        self._board = self._wake_read = self._wake_write = -1

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"x")

    def _run(self) -> None:
        while not self._stop:
            with self._lock, selectors.DefaultSelector() as selector:
                selector.register(self._wake_read, selectors.EVENT_READ)
                selector.register(self._board, selectors.EVENT_READ, Direction.IN)
                if self._master >= 0:
                    selector.register(self._master, selectors.EVENT_READ, Direction.OUT)
                wait = self._seconds_to_wait()
                ready = []
                if wait != 0.0:
                    self._lock.release()
                    try:
                        ready = selector.select(wait)
                    finally:
                        self._lock.acquire()
                for key, _ in ready:
                    self._readable(key.fd, key.data)
                self._due()

    def _seconds_to_wait(self) -> float | None:
        times = [self._outbox.next_at()]
        if self._script is not None:
            times.append(self._script.wake_at())
        at = min(times)
        return None if at == math.inf else max(0.0, at - time.monotonic())

    def _readable(self, descriptor: int, direction: Direction | None) -> None:
        # A port that was unplugged while the selector waited is gone, and its number may be another file by now.
        if direction is Direction.OUT and descriptor != self._master:
            return
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._stop = self._stop or direction is Direction.IN  # the board's port is gone: nothing more will come
            return
        if direction is not None and self._script is not None:
            self._act(self._script.data(direction, data, time.monotonic()))

    def _due(self) -> None:
        if self._script is not None:
            self._act(self._script.tick(time.monotonic()))
        self._flush()

    def _act(self, acts: list[Act]) -> None:
        for act in acts:
            if isinstance(act, Close):
                self._flush()
                self._unplug()
            else:
                self._outbox.put(act)
        self._flush()

    def _flush(self) -> None:
        for act in self._outbox.due(time.monotonic()):
            self._write(act)

    def _write(self, act: Pass) -> None:
        target = self._board if act.direction is Direction.OUT else self._master
        left = act.data
        while left and target >= 0:
            try:
                left = left[os.write(target, left) :]
            except BlockingIOError:
                return  # nobody reads: a UART loses it too
            except OSError:
                return
