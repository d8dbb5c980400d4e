"""The bytes of one port: opened once, read by one thread, closed after that thread has ended.

A port with a file descriptor (a tty, ``socket://``) is polled together with a pipe that stops the reader; others
(``rfc2217://``) are read with a short time-out that is set once before opening, because changing it makes RFC 2217
negotiate all over again. Modem control lines stay as the port has them after opening: a pty has none.
"""

import errno
import os
import select
import threading
import time
from typing import Any, Final, Protocol

import serial

from harness.errors import BoardLost, NoAnswer

READ_SIZE: Final = 64 * 1024  # a tty gives 4095 bytes at most, a socket more
WRITE_TIMEOUT: Final = 10.0  # 4096 bytes take 4.3 s at 9600 baud
READ_TIMEOUT: Final = 0.1  # of ports that cannot be polled: how long closing may take
_GONE: Final = select.POLLHUP | select.POLLERR | select.POLLNVAL


class ByteStream(Protocol):
    """What a port needs of its bytes."""

    def read(self) -> bytes:
        """Wait for bytes and return them; b"" after :meth:`stop`. Raises BoardLost."""

    def write(self, data: bytes) -> None:
        """Write all of ``data``. Raises BoardLost, or NoAnswer when the board takes no bytes."""

    def flush(self) -> None:
        """Wait until everything written has left."""

    def stop(self) -> None:
        """Make :meth:`read` return b"" from now on."""

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
        self._readable = select.poll()
        self._readable.register(self._fd, select.POLLIN)
        self._readable.register(self._stopped, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(self._fd, select.POLLOUT)

    def read(self) -> bytes:
        """See :class:`ByteStream`."""
        while True:
            ready = dict(self._readable.poll())
            if self._stopped in ready:
                return b""
            try:
                data = os.read(self._fd, READ_SIZE)
            except BlockingIOError:
                if ready.get(self._fd, 0) & _GONE:
                    raise _lost(self._name, "hung up") from None
                continue
            except OSError as error:
                raise _lost(self._name, error.strerror or str(error)) from error
            if data:
                return data
            # Ready but empty: the other end is gone, or another process took the bytes.
            raise _lost(self._name, "end of data")

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
                raise _lost(self._name, error.strerror or str(error)) from error
            if written:
                rest = rest[written:]
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not self._writable.poll(left * 1000):
                raise _stuck(self._name, len(rest), len(data))

    def flush(self) -> None:
        """See :class:`ByteStream`."""
        self._device.flush()

    def stop(self) -> None:
        """See :class:`ByteStream`."""
        os.write(self._stop, b"x")

    def close(self) -> None:
        """See :class:`ByteStream`."""
        _close(self._device)
        os.close(self._stop)
        os.close(self._stopped)


class TimedStream:
    """A port without a file descriptor. ``device`` was opened with READ_TIMEOUT."""

    def __init__(self, device: Any, name: str) -> None:
        self._device = device
        self._name = name
        self._stopping = threading.Event()

    def read(self) -> bytes:
        """See :class:`ByteStream`."""
        while not self._stopping.is_set():
            try:
                data: bytes = self._device.read(max(self._device.in_waiting, 1))
            except (serial.SerialException, OSError) as error:
                raise _lost(self._name, str(error)) from error
            if data:
                return data
        return b""

    def write(self, data: bytes) -> None:
        """See :class:`ByteStream`."""
        try:
            self._device.write(data)
        except serial.SerialTimeoutException:
            raise _stuck(self._name, len(data), len(data)) from None
        except (serial.SerialException, OSError) as error:
            raise _lost(self._name, str(error)) from error

    def flush(self) -> None:
        """See :class:`ByteStream`."""
        self._device.flush()

    def stop(self) -> None:
        """See :class:`ByteStream`."""
        self._stopping.set()

    def close(self) -> None:
        """See :class:`ByteStream`."""
        _close(self._device)


def _close(device: Any) -> None:
    try:
        device.close()
    except OSError as error:
        # An unplugged USB port fails to restore its settings; its descriptor is gone all the same.
        if error.errno not in (errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF, None):
            raise


def _lost(name: str, why: str) -> BoardLost:
    return BoardLost(
        f"{name}: the port went away ({why}): unplugged, its process died, or another program reads the same port; "
        "look at the cable, then at ModemManager"
    )


def _stuck(name: str, left: int, whole: int) -> NoAnswer:
    return NoAnswer(
        f"{name}: the board takes no bytes ({left} of {whole} left after {WRITE_TIMEOUT:g} s): "
        "flow control is on and the board holds it, or nobody reads at the other end; check rtscts in the boards file"
    )
