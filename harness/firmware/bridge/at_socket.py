"""One TCP or TLS socket of a board's modem, told by AT commands: what every firmware's sockets have in common.

Sources: Serial Modem documentation, "Socket AT commands"; nrf_modem's nrf_poll (POLLIN is raised together with POLLHUP
on stream sockets, so a peer's end reads 17, 0x0011; 16 where POLLIN was not asked for or told before).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import IntFlag, StrEnum
from typing import ClassVar, Final

from harness.at import LOST_BYTES, Answer, AtError, AtFormatError, AtPort, FramedUrc
from harness.errors import LabError, NoAnswer
from harness.firmware.interface import NoSession
from harness.timeline import Event

MOST_SOCKETS: Final = 8
"""Sockets that the modem has; the firmware's own MQTT and HTTP clients take some of them."""
IPV4, STREAM, CLIENT, SET_OPTION, HOSTNAME = 1, 1, 0, 1, 2
"""Numbers of #XSOCKET, #XSSOCKET and #XSSOCKETOPT."""
DONT_WAIT: Final = 64
"""#XRECV: return what is there, nothing included."""
LONGEST: Final = 60.0
"""Seconds to send: the modem holds bytes back as long as its network does."""
_TOLD: Final = re.compile(r"#XAPOLL: (\d+),(\d+)\Z")


class Poll(IntFlag):
    """Bits of nrf_poll; the numbers are Linux's."""

    IN = 1
    OUT = 4
    ERR = 8
    HUP = 16
    NVAL = 32


OVER: Final = Poll.ERR | Poll.HUP | Poll.NVAL


def received_length(args: str) -> tuple[int, ...]:
    """Return the number of bytes behind ``#XRECV: <handle>,<mode>,<n>``, or behind ``#XRECV: <n>``."""
    *before, count = map(int, args.split(","))
    in_hex = len(before) > 1 and before[1] == 1
    return (2 * count if in_hex else count,)


FRAMED: Final[dict[str, FramedUrc]] = {"#XRECV": received_length, "#XTCPDATA": received_length}
"""The lines that announce a socket's bytes."""


class SocketEnd(StrEnum):
    """How a connection ended, as the board shows it."""

    PEER = "the peer has closed"  # FIN or close_notify: the stream was read to its end
    HUNG_UP = "the peer has closed or reset the connection"  # the firmware does not tell which
    RESET = "the connection was reset"  # reading failed although the peer was there to hang up
    NETWORK = "the network below is gone"
    INVALID = "the board has no such socket any more"


def poll_bits(line: str) -> tuple[int, Poll] | None:
    """Return handle and bits of a ``#XAPOLL`` URC; None: it is another line."""
    found = _TOLD.match(line)
    return (int(found[1]), Poll(int(found[2]))) if found else None


def poll_text(handle: int, bits: Poll) -> str:
    """Return the bits for people, in every form in which firmwares write them.

    >>> poll_text(0, Poll(17))
    'socket 0: POLLIN POLLHUP (17, 0x0011)'
    """
    names = " ".join(f"POLL{bit.name}" for bit in Poll if bit in bits)
    return f"socket {handle}: {names} ({int(bits)}, 0x{int(bits):04x})"


def handle_of(answer: Answer, name: str) -> int:
    """Return the handle of the socket that ``name`` (``#XSOCKET``, ``#XSSOCKET``) opened. Raises AtFormatError."""
    handle = answer.value(name).partition(",")[0]
    if not (handle.isascii() and handle.isdecimal()):
        raise AtFormatError(f"{answer.command} answered '{name}: {handle}', which is not a handle: {LOST_BYTES}")
    return int(handle)


class SocketsTaken(LabError):
    """The modem has no socket left. The message says which are open, and what closes them."""


class AtSocket(ABC):
    """A socket from :meth:`connect` to :meth:`close`. Calls raise LabError when the board is gone or silent.

    ``most``: bytes that one :meth:`send` takes. ``certain``: an end that is told is this socket's, and needs no second
    question; else :meth:`poll` is one.
    """

    most: int
    certain: ClassVar[bool] = False

    def __init__(self, port: AtPort) -> None:
        self.port: Final = port
        self.handle = -1
        self.trouble: LabError | None = None
        """Why the connection is of no use any more, whether or not anybody reads."""
        self._changed: Callable[[], None] = lambda: None

    @abstractmethod
    def connect(self, host: str, port: int, sec_tag: int | None, *, timeout: float) -> None:
        """Open the socket, connect it, and have its changes told from now on.

        ``host``: also the name that the peer's certificate must have. ``port``: the peer's. ``sec_tag`` None: TCP, no
        TLS. ``timeout``: seconds to connect. Raises NoSession, SocketsTaken; nothing is left open then.
        """

    def attach(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called whenever :meth:`receive` may have something that no line of the board tells."""
        self._changed = changed

    def told(self, event: Event) -> tuple[Poll, str] | None:
        """Return what a line of the board, or the end of a command, tells of this socket, also in words for people.

        None: nothing. Called once for each, in order, from the connection's begin on.
        """
        found = poll_bits(event.text)
        if found is None or found[0] != self.handle:
            return None
        return found[1], poll_text(self.handle, found[1])

    def end_of(self, bits: Poll) -> SocketEnd:
        """Return how a connection ended whose stream came to no end of its own; ``bits``: what was told."""
        if bits & Poll.NVAL:
            return SocketEnd.INVALID
        return SocketEnd.NETWORK if bits & Poll.ERR else SocketEnd.RESET

    @abstractmethod
    def send(self, data: bytes) -> bool:
        """Send bytes, any and in order. False: the board did not take them all; the connection is of no use then."""

    @abstractmethod
    def receive(self) -> bytes | None:
        """Return what has arrived, without waiting; empty: the stream has ended; None: nothing now, or it failed."""

    @abstractmethod
    def poll(self) -> None:
        """Have everything that is true of the socket told, also what was told before. Raises AtError: it is gone."""

    @abstractmethod
    def exists(self) -> bool:
        """Ask the board whether it has this socket: one that has restarted in silence has none."""

    @abstractmethod
    def close(self) -> None:
        """Close the socket, if the board still has it."""

    @contextmanager
    def connecting(self, host: str, port: int, sec_tag: int | None) -> Iterator[None]:
        """Close what is left open when the block cannot connect. Raises NoSession if the board refused.

        ``host``, ``port``, ``sec_tag``: as for :meth:`connect`.
        """
        try:
            yield
        except AtError as refused:
            self.close()
            raise self._no_session(host, port, sec_tag, refused.final) from refused
        except NoAnswer:
            with suppress(LabError):  # the board may still be connecting; the first error says what is wrong
                self.close()
            raise

    def open_stream(self, sec_tag: int | None, *lists: str) -> None:
        """Open a socket for TCP (``sec_tag`` None) or TLS. ``lists``: the commands that list the board's sockets.

        Raises SocketsTaken; AtError if the board refuses for another reason.
        """
        kind = f"{IPV4},{STREAM},{CLIENT}"
        name = "#XSOCKET" if sec_tag is None else "#XSSOCKET"
        command = f"AT{name}={kind}" if sec_tag is None else f"AT{name}={kind},{sec_tag}"
        try:
            opened = self.port.command(command)
        except AtError as refused:
            if taken := self.taken(self.listed(*lists)):
                raise taken from refused
            raise
        self.handle = handle_of(opened, name)

    def listed(self, *names: str) -> list[str]:
        """Return what the board lists for each of these commands (``#XSOCKET``): a line for each socket."""
        return [line for name in names for line in self.port.command(f"AT{name}?").values(name)]

    def _no_session(self, host: str, port: int, sec_tag: int | None, said: str) -> NoSession:
        """Return the error of a connection that did not come about."""
        tls = "no TCP connection" if sec_tag is None else "no TLS session"
        key = "" if sec_tag is None else f" using sec_tag {sec_tag}"
        alike = "name, network, trust and key all look alike to it"
        return NoSession(f"{self.port.name}: {tls} with {host}:{port}{key} (the board says {said}; {alike})")

    def taken(self, listed: Iterable[str]) -> SocketsTaken | None:
        """Return the error of a socket that the board did not open; None: it is not because of others.

        ``listed``: the board's list of its sockets, a line each that begins with the handle.
        """
        handles = sorted({line.partition(",")[0] for line in listed if "," in line}, key=int)
        if not handles:
            return None
        many = f"all {MOST_SOCKETS} sockets of the modem are taken"
        if len(handles) < MOST_SOCKETS:
            many = f"the board opened no other socket: it has {MOST_SOCKETS}, some for the firmware's own clients"
        return SocketsTaken(
            f"{self.port.name}: {many}; open are the handles {', '.join(handles)}; end a program that is connected"
            " through the board, or start again: opening the board closes what an earlier run left open"
        )
