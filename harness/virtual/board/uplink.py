"""The board's connection to a server: TCP and TLS on the event loop, and an honest report of how it ended.

The modem raises POLLHUP together with POLLIN when the peer has closed, even while data is still waiting; so each
delivery of data also says whether the peer's FIN or close_notify was already there.
"""

import asyncio
import select
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from harness.virtual.board.latency import Latency
from harness.virtual.board.modem import Nvm
from harness.virtual.board.network import Network
from harness.virtual.board.outputs import LinkClosed, LinkData, LinkEvent, LinkFailed, LinkOpened, OpenLink
from harness.virtual.board.tls import CredentialsUnusable, client_context

OPEN_TIMEOUT: Final = 30.0
SHUTDOWN_TIMEOUT: Final = 1.0
_PIECE: Final = 1024
"""Bytes that a client of the firmware takes from the peer at once, where the line to the host has a pace."""
_TRIPS_TO_OPEN: Final = 4
"""Ways that a connection takes to open: two round trips, of TCP and of TLS."""


class RadioDirection:
    """One direction of the radio network: does calls in order, each after its latency, and none while it is held."""

    def __init__(self) -> None:
        self.latency = Latency()
        self._held = False
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, call: Callable[[], None]) -> None:
        """Do ``call`` when what leaves now has arrived: at once, where nothing delays or holds it."""
        now = asyncio.get_running_loop().time()
        at = self.latency.arrival(now)
        if at <= now and not self._held and not self._waiting:
            call()
            return
        self._waiting.append((at, call))
        self._arm()

    def hold(self, held: bool) -> None:
        """Hold everything back, or let it go on."""
        self._held = held
        self._arm()

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self._held:
            self._timer = asyncio.get_running_loop().call_at(self._waiting[0][0], self._run)

    def _run(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._waiting and not self._held and self._waiting[0][0] <= now:
            self._waiting.popleft()[1]()
        self._arm()


class Uplink:
    """At most one connection at a time. ``event``: called with what happens to it. ``number``: of the link.

    ``network``: says where a host is. ``nvm``: has the credentials for TLS.
    ``paced``: what comes by it goes to the host unasked, over a line with a pace: see :meth:`crowd`.
    """

    def __init__(
        self,
        network: Network,
        nvm: Nvm,
        event: Callable[[LinkEvent], None],
        number: int = 0,
        *,
        paced: bool = False,
    ) -> None:
        self._number = number
        self._piece = _PIECE if paced else None
        self._crowded = False
        self._network = network
        self._nvm = nvm
        self._event = event
        self._connection: _Connection | None = None
        self._opening: asyncio.Task[None] | None = None
        self._out, self._in = RadioDirection(), RadioDirection()
        self._clear = asyncio.Event()
        self._clear.set()

    def set_latency(self, seconds: float, spread: float, seed: int) -> None:
        """Make bytes take ``seconds`` each way from now on. ``spread``, ``seed``: see Latency."""
        self._out.latency, self._in.latency = Latency(seconds, spread, seed), Latency(seconds, spread, seed + 1)

    def crowd(self, crowded: bool) -> None:
        """Leave what comes in the network as long as the line to the host is full, as a board does."""
        self._crowded = crowded and self._piece is not None
        if self._connection is not None:
            self._connection.crowd(self._crowded)

    def hold(self, held: bool) -> None:
        """Let nothing pass, either way, until it is held no more."""
        if self._connection is not None:
            self._connection.pause(held)
        for way in (self._out, self._in):
            way.hold(held)
        if held:
            self._clear.clear()
        else:
            self._clear.set()

    def cut(self) -> None:
        """Take the power away: nothing waits any more, the connection is gone without a word."""
        self._out.clear()
        self.hold(False)
        self.close(abrupt=True)

    def open(self, request: OpenLink) -> None:
        """Start connecting; ends in one :class:`LinkOpened` or :class:`LinkFailed`."""
        self.close(abrupt=True)
        self._opening = asyncio.get_running_loop().create_task(self._open(request))

    def send(self, data: bytes) -> None:
        """Send bytes to the peer; lost without a connection."""
        if self._connection is not None:
            connection = self._connection
            self._out.put(lambda: connection.send(data))

    def pause(self, paused: bool) -> None:
        """Take nothing more from the peer for now, or go on."""
        if self._connection is not None:
            self._connection.pause(paused)

    def close(self, *, abrupt: bool) -> None:
        """Close or give up. No event follows."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._in.clear()
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.end()
            self._out.put(lambda: connection.close(abrupt=abrupt))

    async def stop(self) -> None:
        """Close, and wait until a connection that was being opened has been given up."""
        opening = self._opening
        self.close(abrupt=True)
        if opening is not None:
            await asyncio.wait((opening,))

    async def _open(self, request: OpenLink) -> None:
        try:
            trips = _TRIPS_TO_OPEN * self._out.latency.seconds
            connection = await asyncio.wait_for(self._connect(request, trips), OPEN_TIMEOUT + trips)
        except (OSError, TimeoutError, CredentialsUnusable) as error:  # ssl.SSLError is an OSError
            self._opening = None
            self._event(LinkFailed(str(error) or type(error).__name__, self._number))
            return
        self._opening = None
        self._connection = connection
        connection.crowd(self._crowded)
        self._event(LinkOpened(self._number))
        connection.start()

    async def _connect(self, request: OpenLink, seconds: float) -> "_Connection":
        await self._clear.wait()
        if seconds:
            await asyncio.sleep(seconds)  # here the time is what is simulated
        target = self._network.resolve(request.host, request.port)
        if target is None:
            raise OSError(f"{request.host}:{request.port} does not resolve")
        peer = request.host if request.tls.peer_name is None else request.tls.peer_name
        context = None
        if request.sec_tag is not None:
            context = client_context(self._nvm, request.sec_tag, verify=request.tls.verify, named=bool(peer))
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(loop, self._arrived, self._number, self._piece),
            target[0],
            target[1],
            ssl=context,
            server_hostname=None if context is None else peer,
            ssl_shutdown_timeout=None if context is None else SHUTDOWN_TIMEOUT,
        )
        return connection

    def _arrived(self, event: LinkEvent) -> None:
        self._in.put(lambda: self._event(event))


class _Connection(asyncio.Protocol):
    """Collects what arrives within one turn of the event loop and reports it with the state of the socket.

    ``piece``: bytes that are reported at once, None: all.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, event: Callable[[LinkEvent], None], number: int, piece: int | None
    ) -> None:
        self._loop = loop
        self._number = number
        self._piece = piece
        self._crowded = False
        self._event = event
        self._transport: asyncio.Transport | None = None
        self._waiting = bytearray()
        self._started = False
        self._scheduled = False
        self._peer_closed = False
        self._reset = False
        self._ended = False

    def start(self) -> None:
        """Report from now on, what has already happened included."""
        self._started = True
        self._schedule()

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def pause(self, paused: bool) -> None:
        """Read nothing, not even the peer's end, or go on reading."""
        if self._transport is not None and not self._transport.is_closing():
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def crowd(self, crowded: bool) -> None:
        """Report nothing for now, or go on. What the transport reads meanwhile waits here: little, as it stops too."""
        if crowded != self._crowded:
            self._crowded = crowded
            self.pause(crowded)
            self._schedule()

    def end(self) -> None:
        """Report nothing any more."""
        self._ended = True

    def close(self, *, abrupt: bool) -> None:
        self._ended = True
        if self._transport is not None:
            if abrupt:
                self._transport.abort()
            else:
                self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        self._schedule()

    def eof_received(self) -> None:
        self._peer_closed = True
        self._schedule()

    def connection_lost(self, error: Exception | None) -> None:
        self._peer_closed = True
        self._reset = isinstance(error, ConnectionResetError)
        self._schedule()

    def _schedule(self) -> None:
        if self._started and not self._scheduled and not self._ended:
            self._scheduled = True
            self._loop.call_soon(self._report)

    def _report(self) -> None:
        self._scheduled = False
        if self._crowded:
            return
        if self._waiting and not self._ended:
            data = bytes(self._waiting[: self._piece])
            del self._waiting[: len(data)]
            self._event(LinkData(data, self._peer_closed or self._hung_up(), self._number))
        if self._waiting:
            self._schedule()
        elif self._peer_closed and not self._ended:
            self._ended = True
            self._event(LinkClosed(self._reset, self._number))

    def _hung_up(self) -> bool:
        """Whether the peer's FIN has come in, be there data before it or not."""
        if self._transport is None or self._transport.is_closing():
            return True
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLRDHUP)
        return any(flags & (select.POLLRDHUP | select.POLLHUP) for _, flags in poll.poll(0))
