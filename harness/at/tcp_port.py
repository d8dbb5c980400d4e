"""A connection to a server of ports: small pieces pass at once, and a computer that vanished is noticed.

ser2net leaves Nagle's algorithm on and sends an answer in pieces of 64 bytes. So the second piece waits until the first
was acknowledged, and Linux takes 40 ms over that unless it is told each time that it shall not.
"""

import socket
import time
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

_CONNECT: Final = 5.0  # seconds, as pyserial
_GOODBYE: Final = 0.3  # seconds for the server to hang up too: until then it may refuse the next connection
_READ_SIZE: Final = 4096
# A computer that vanished sends nothing, not even that it did. It is given up after 25 s.
_IDLE, _INTERVAL, _PROBES = 10, 5, 3


class TcpPort:
    """A connection to a server of ports. Raises OSError, ValueError (no such address)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.hostname is None or parts.port is None:
            raise ValueError("it must name host and port")
        self.socket: Final = socket.create_connection((parts.hostname, parts.port), timeout=_CONNECT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
        unheard = 1000 * (_IDLE + _INTERVAL * _PROBES)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unheard)
        self.baudrate = 0  # the server's own: bytes alone cannot change it

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self.socket.fileno()

    def recv(self, size: int) -> bytes:
        """Return what has come; b"": the server hung up. Raises OSError."""
        data = self.socket.recv(size)
        self.acknowledge()
        return data

    def acknowledge(self) -> None:
        """Have what came acknowledged at once."""
        with suppress(OSError):  # the connection is gone, which the next reading tells
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def flush(self) -> None:
        """Nothing waits on this side."""

    def close(self) -> None:
        """Hang up, and give the server a moment to do the same."""
        with self.socket, suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + _GOODBYE
            while (left := deadline - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(_READ_SIZE):
                    return
