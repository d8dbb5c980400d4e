"""The bytes of one port: opened once, read by one thread at a time, closed after the reader has ended.

Each port has a file descriptor, a tty's or a socket's, which is polled together with a pipe that stops the reader.
Modem control lines stay as the port has them after opening: a pty has none.

A port can be *held*: whoever waits for an answer then reads for itself. To wake the reader, and by it
the one who waits, would cost an AT round trip a quarter of its time.
"""

import errno
import os
import select
import threading
import time
from contextlib import suppress
from typing import Any, Final, Protocol

import serial

from harness.errors import BoardLost, NoAnswer

READ_SIZE: Final = 64 * 1024  # a tty gives 4095 bytes at most, a socket more
_NOTHING: Final = -1  # a mark of no taking: that nothing is there says nothing of the board
WRITE_TIMEOUT: Final = 10.0  # 4096 bytes take 4.3 s at 9600 baud


class ByteStream(Protocol):
    """What a port needs of its bytes."""

    def wait(self) -> int | None:
        """Wait for bytes, as the port's reader; return what :meth:`take` wants, None after :meth:`stop`.

        Raises BoardLost.
        """

    def take(self, mark: int) -> bytes:
        """Return the bytes that have come; b"" if another thread of ours has taken them. Raises BoardLost.

        ``mark``: what the waiting returned. To be called by one thread at a time.
        """

    def hold(self) -> bool:
        """Keep :meth:`wait` from waking up until :meth:`let_go`.

        False: another thread holds it, and reads for all; or the port is closed.
        """

    def wait_holding(self, timeout: float) -> int | None:
        """Do what :meth:`wait` does, as the holder; return None after ``timeout`` seconds, too."""

    def nudge(self) -> None:
        """Wake the holder: another thread has handed out something, such as the reader that was on its way."""

    def let_go(self) -> None:
        """Let :meth:`wait` wake up again."""

    def write(self, data: bytes) -> None:
        """Write all of ``data``. Raises BoardLost, or NoAnswer when the board takes no bytes."""

    def flush(self) -> None:
        """Wait until everything written has left."""

    def change_baud(self, rate: int) -> None:
        """Go on at another speed, in bit/s. Raises BoardLost."""

    def stop(self) -> None:
        """Make the waiting return None from now on."""

    def close(self) -> None:
        """Give the port back. To be called once nobody reads any more."""


class FdStream:
    """A port with a file descriptor."""

    def __init__(self, device: Any, name: str) -> None:
        self._device = device
        self._name = name
        self._fd: int = device.fileno()
        os.set_blocking(self._fd, False)
        self._stopped, self._stop = os.pipe()
        self._readable = select.epoll()  # unlike poll, it can be changed while a thread waits on it
        self._readable.register(self._fd, select.EPOLLIN)
        self._readable.register(self._stopped, select.EPOLLIN)
        self._taken = 0
        self._data_alone = [self._fd]
        self._held = select.poll()
        self._held.register(self._fd, select.POLLIN)
        self._held.register(self._stopped, select.POLLIN)
        self._nudged, self._nudge = os.pipe()
        self._held.register(self._nudged, select.POLLIN)
        os.set_blocking(self._nudged, False)
        os.set_blocking(self._nudge, False)
        self._holder: int | None = None  # a thread
        # Whoever handles a signal may close the port of the thread that was interrupted, even within the lock.
        self._holders = threading.RLock()
        self._writable = select.poll()
        self._writable.register(self._fd, select.POLLOUT)

    def wait(self) -> int | None:
        """See :class:`ByteStream`."""
        mark = self._taken
        return None if self._stopped in dict(self._readable.poll()) else mark

    def take(self, mark: int) -> bytes:
        """See :class:`ByteStream`."""
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            if self._gone():
                raise lost(self._name, "hung up") from None
            return b""
        except OSError as error:
            raise lost(self._name, error.strerror or str(error)) from error
        if data:
            self._taken += 1
        elif self._taken == mark:
            # Ready but empty: the other end is gone, or another process took the bytes.
            raise lost(self._name, "end of data")
        return data

    def _gone(self) -> bool:
        looking = select.poll()  # one of its own: two threads may look at once
        looking.register(self._fd, 0)
        return bool(looking.poll(0))

    def hold(self) -> bool:
        """See :class:`ByteStream`."""
        me = threading.get_ident()
        with self._holders:
            if self._holder not in (None, me):  # mine: of a call that was interrupted before it could let go
                return False
            self._holder = me
            try:
                self._readable.modify(self._fd, 0)  # a hang-up still shows
            except ValueError:  # closed, for good: nobody will hold it
                return False
        return True

    def nudge(self) -> None:
        """See :class:`ByteStream`."""
        if self._holder is not None and not self._readable.closed:
            with suppress(OSError):  # full: the holder wakes anyway; or closed meanwhile
                os.write(self._nudge, b"x")

    def wait_holding(self, timeout: float) -> int | None:
        """See :class:`ByteStream`."""
        if self._readable.closed:
            return None
        mark = self._taken
        ready = [number for number, _ in self._held.poll(timeout * 1000)]
        if ready == self._data_alone:
            return mark
        if self._nudged in ready:
            with suppress(OSError):
                os.read(self._nudged, READ_SIZE)
        if not ready or self._stopped in ready:
            return None
        return mark if self._fd in ready else _NOTHING

    def let_go(self) -> None:
        """See :class:`ByteStream`."""
        with self._holders:  # the port may be closed at the same moment, because it was that which ended the waiting
            self._holder = None
            with suppress(ValueError):  # closed
                self._readable.modify(self._fd, select.EPOLLIN)

    def write(self, data: bytes) -> None:
        """See :class:`ByteStream`."""
        rest = data
        deadline = time.monotonic() + WRITE_TIMEOUT
        while rest:
            try:
                written = os.write(self._fd, rest)
            except BlockingIOError:
                written = 0
            except OSError as error:
                raise lost(self._name, error.strerror or str(error)) from error
            if written:
                rest = rest[written:]
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not self._writable.poll(left * 1000):
                raise _stuck(self._name, len(rest), len(data))

    def flush(self) -> None:
        """See :class:`ByteStream`."""
        self._device.flush()

    def change_baud(self, rate: int) -> None:
        """See :class:`ByteStream`."""
        _change_baud(self._device, rate, self._name)

    def stop(self) -> None:
        """See :class:`ByteStream`."""
        os.write(self._stop, b"x")

    def close(self) -> None:
        """See :class:`ByteStream`."""
        with self._holders:
            self._readable.close()
        _close(self._device)
        for end in (self._stop, self._stopped, self._nudge, self._nudged):
            os.close(end)


def _change_baud(device: Any, rate: int, name: str) -> None:
    try:
        device.baudrate = rate
    except (serial.SerialException, OSError, ValueError) as error:
        raise lost(name, f"cannot change to {rate} baud: {error}") from error


def _close(device: Any) -> None:
    try:
        device.close()
    except OSError as error:
        # An unplugged USB port fails to restore its settings; its descriptor is gone all the same.
        if error.errno not in (errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF, None):
            raise


def lost(name: str, why: str) -> BoardLost:
    """Return the error that a board's port went away. ``name``: the board's; ``why``: in a few words."""
    return BoardLost(
        f"{name}: the port went away ({why}): unplugged, its process died, or another program reads the same port; "
        "look at the cable, then at ModemManager"
    )


def _stuck(name: str, left: int, whole: int) -> NoAnswer:
    return NoAnswer(
        f"{name}: the board takes no bytes ({left} of {whole} left after {WRITE_TIMEOUT:g} s): "
        "flow control is on and the board holds it, or nobody reads at the other end; check rtscts in the boards file"
    )
