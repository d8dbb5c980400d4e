"""One socket of the modem: what arrived on it, how it ended, and what poll() says of it.

Sources: nrf_modem_lib's socket documentation (nrf_poll: POLLIN is raised together with POLLHUP on stream sockets since
nrf_modem 1.2.0; PDN loss: POLLERR, reads fail with ENETDOWN); Serial Modem documentation, "Socket AT commands".

UNCONFIRMED, taken as documented for other ends: an RST shows like a FIN, and reading after it fails once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntFlag


class Poll(IntFlag):
    """Bits of nrf_poll; the numbers are Linux's."""

    IN = 1
    OUT = 4
    ERR = 8
    HUP = 16
    NVAL = 32


ALWAYS = Poll.ERR | Poll.HUP | Poll.NVAL
"""What poll reports without being asked."""
BUFFER = 32 * 1024
"""Bytes that wait in a socket before the peer is held back. The modem's real buffer is not documented."""


@dataclass
class Receive:
    """A receive command. ``give``: called with the bytes; empty: the end of the stream; None: it failed."""

    give: Callable[[bytes | None], None]
    most: int
    peek: bool = False
    all: bool = False
    timer: int | None = None


@dataclass
class ModemSocket:
    """``link``: number of its link. ``sec_tag`` None: not TLS. ``sending``: data mode is open on it."""

    handle: int
    link: int
    family: int
    kind: int
    role: int
    cid: int = 0
    sec_tag: int | None = None
    peer_verify: int = 2
    hostname: str | None = None
    ranking: int = 0
    options: dict[int, int] = field(default_factory=dict)
    tls_options: dict[int, int] = field(default_factory=dict)
    connecting: bool = False
    connected: bool = False
    peer_closed: bool = False
    broken: bool = False
    """The network below is gone."""
    reset: bool = False
    arrived: bytearray = field(default_factory=bytearray)
    paused: bool = False
    waiting: Receive | None = None

    @property
    def readable(self) -> bool:
        """Whether recv() would return at once."""
        return bool(self.arrived) or self.peer_closed or self.broken

    @property
    def writable(self) -> bool:
        """Whether send() would take bytes."""
        return self.connected and not self.peer_closed and not self.broken

    def state(self) -> Poll:
        """Return every bit that poll() could report now."""
        bits = Poll(0)
        if self.readable:
            bits |= Poll.IN
        if self.writable:
            bits |= Poll.OUT
        if self.broken:
            bits |= Poll.ERR
        elif self.peer_closed:
            bits |= Poll.HUP
        return bits
