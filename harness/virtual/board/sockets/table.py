"""Every socket of a board: opening, connecting, sending, receiving, closing, and what happens on their links. No I/O.

Datagram sockets can be opened and closed, and not connected: nothing here needs them.
"""

from collections.abc import Callable, Iterator

from harness.virtual.board.commands import Refused
from harness.virtual.board.outputs import (
    CloseLink,
    LinkClosed,
    LinkData,
    LinkEvent,
    LinkFailed,
    LinkOpened,
    LinkSend,
    OpenLink,
    Outbox,
    PauseLink,
    Tls,
)
from harness.virtual.board.sockets.modem_socket import BUFFER, ModemSocket, Receive

MOST = 8
"""Sockets that the modem has."""
FIRST_LINK = 1
"""Link 0 belongs to the firmware's own clients."""
SOCKET_LINKS = range(FIRST_LINK, FIRST_LINK + MOST)
STREAM = 1
NOT_VERIFIED = 0


class SocketTable:
    """``changed``: called after anything happened that poll() could tell. ``traffic``: for every use of the radio.

    ``outbox``: takes what goes to the network and what is to be timed.
    """

    def __init__(self, outbox: Outbox, *, changed: Callable[[ModemSocket], None], traffic: Callable[[], None]) -> None:
        self._outbox = outbox
        self._changed = changed
        self._traffic = traffic
        self._sockets: dict[int, ModemSocket] = {}
        self._opened: dict[int, Callable[[bool], None]] = {}
        self._ranking = 0

    def __iter__(self) -> Iterator[ModemSocket]:
        return iter(tuple(self._sockets.values()))

    def __len__(self) -> int:
        return len(self._sockets)

    def get(self, handle: int) -> ModemSocket:
        """Return the socket ``handle``. Raises Refused."""
        if handle not in self._sockets:
            raise Refused
        return self._sockets[handle]

    def open(
        self, family: int, kind: int, role: int, *, cid: int = 0, sec_tag: int | None = None, peer_verify: int = 2
    ) -> ModemSocket:
        """Make a socket. Raises Refused when the modem has no more.

        ``family``, ``kind``, ``role``, ``cid``: numbers of the command. ``sec_tag``: of a TLS socket.
        ``peer_verify``: 0 none, 1 optional, 2 required.
        """
        handle = next((free for free in range(MOST) if free not in self._sockets), None)
        if handle is None:
            raise Refused
        self._ranking += 1
        made = ModemSocket(
            handle,
            FIRST_LINK + handle,
            family,
            kind,
            role,
            cid,
            sec_tag,
            peer_verify,
            ranking=self._ranking,
        )
        self._sockets[handle] = made
        return made

    def connect(self, socket: ModemSocket, host: str, port: int, opened: Callable[[bool], None]) -> None:
        """Connect ``socket`` to ``port`` of ``host``; ``opened`` is called with how it went.

        Raises Refused for a socket that cannot be connected.
        """
        if socket.kind != STREAM or socket.connecting or socket.connected or socket.peer_closed or socket.broken:
            raise Refused
        socket.connecting = True
        self._opened[socket.handle] = opened
        # Without the option TLS_HOSTNAME the modem names nobody to the peer, and takes any name in its certificate.
        tls = Tls(socket.hostname or "", socket.peer_verify != NOT_VERIFIED)
        self._outbox.emit(OpenLink(host, port, socket.sec_tag, socket.link, tls))

    def send(self, socket: ModemSocket, data: bytes) -> bool:
        """Send bytes; False: nobody is there to take them."""
        if not socket.writable:
            return False
        self._traffic()
        self._outbox.emit(LinkSend(data, socket.link))
        return True

    def receive(self, socket: ModemSocket, receive: Receive, seconds: float | None) -> None:
        """Give ``receive`` what has arrived at ``socket``, at once or when something does.

        ``seconds``: how long to wait for that; 0: not at all, None: for ever.
        Raises Refused: not connected, or another command waits.
        """
        if socket.waiting is not None or not (socket.connected or socket.readable):
            raise Refused
        if self._give(socket, receive):
            return
        if seconds == 0:
            raise Refused
        socket.waiting = receive
        if seconds is not None:
            receive.timer = self._outbox.after(seconds, lambda: self._give_up(socket), real=True)

    def close(self, socket: ModemSocket) -> None:
        """Close and forget a socket."""
        self._sockets.pop(socket.handle, None)
        self._opened.pop(socket.handle, None)
        if socket.connected or socket.connecting:
            self._outbox.emit(CloseLink(abrupt=socket.broken, link=socket.link))

    def drop_all(self) -> None:
        """Close everything without a word: the board stops."""
        for socket in self:
            self.close(socket)

    def network_lost(self) -> None:
        """The data connection has ended: every socket on it is broken."""
        for socket in self:
            if socket.connecting:
                socket.connecting = False
                self._outbox.emit(CloseLink(abrupt=True, link=socket.link))
                self._opened.pop(socket.handle)(False)
            elif socket.connected and not socket.broken:
                socket.broken = True
                self._outbox.emit(CloseLink(abrupt=True, link=socket.link))
                self._happened(socket)

    def link(self, event: LinkEvent) -> None:
        """Take what happened on a socket's link."""
        socket = self._sockets.get(event.link - FIRST_LINK)
        if socket is None:
            return
        match event:
            case LinkOpened() if socket.connecting:
                socket.connecting, socket.connected = False, True
                self._traffic()
                self._opened.pop(socket.handle)(True)
                self._changed(socket)
            case LinkFailed() if socket.connecting:
                socket.connecting = False
                self._opened.pop(socket.handle)(False)
            case LinkData(data, hangup) if socket.connected:
                self._traffic()
                socket.arrived += data
                # The modem tells of the peer's end together with the last bytes before it.
                socket.peer_closed = socket.peer_closed or hangup
                self._hold(socket)
                self._happened(socket)
            case LinkClosed(reset) if socket.connected:
                told = socket.peer_closed and not reset
                socket.peer_closed, socket.reset = True, reset
                if not told:
                    self._happened(socket)

    def _happened(self, socket: ModemSocket) -> None:
        waiting = socket.waiting
        if waiting is not None and self._give(socket, waiting):
            socket.waiting = None
            self._outbox.cancel(waiting.timer)
        self._changed(socket)

    def _give(self, socket: ModemSocket, receive: Receive) -> bool:
        if socket.broken and not socket.arrived:
            receive.give(None)
            return True
        if socket.arrived and not (receive.all and len(socket.arrived) < receive.most and not socket.peer_closed):
            data = bytes(socket.arrived[: receive.most])
            if not receive.peek:
                del socket.arrived[: len(data)]
                self._hold(socket)
            receive.give(data)
            return True
        if socket.peer_closed:
            failed, socket.reset = socket.reset, False
            receive.give(None if failed else b"")
            return True
        return False

    def _give_up(self, socket: ModemSocket) -> None:
        waiting, socket.waiting = socket.waiting, None
        if waiting is not None:
            waiting.give(None)

    def _hold(self, socket: ModemSocket) -> None:
        full = len(socket.arrived) >= BUFFER
        if full != socket.paused:
            socket.paused = full
            self._outbox.emit(PauseLink(full, socket.link))
