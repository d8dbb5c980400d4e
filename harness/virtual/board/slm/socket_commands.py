"""Socket commands of the Serial LTE Modem: they are about the socket that is selected.

Source: nRF Connect SDK 3.1, Serial LTE Modem documentation, "Socket AT commands"; slm_at_socket.c. Not simulated:
datagrams, servers (#XBIND, #XLISTEN, #XACCEPT), #XGETADDRINFO.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from harness.virtual.board.commands import Args, Commands, Forms, Later, Refused, Reply
from harness.virtual.board.outputs import Outbox
from harness.virtual.board.sockets.host import SocketHost
from harness.virtual.board.sockets.modem_socket import ALWAYS, ModemSocket, Poll, Receive
from harness.virtual.board.sockets.options import plain_option, tls_option
from harness.virtual.board.sockets.poller import Poller
from harness.virtual.board.sockets.table import SocketTable

CLOSE, OPEN_IPV4, OPEN_IPV6 = 0, 1, 2
PROTOCOLS: Final = {1: 6, 2: 17, 3: 0}
TLS_1_2, DTLS_1_2 = 258, 273
CLIENT = 0
NO_TAG: Final = -1
MOST_RECEIVED: Final = 2048
LONGEST_HOST: Final = 128
PEEK, DONT_WAIT, WAIT_ALL = 2, 64, 256
FOR_EVER: Final = -1


class SocketOwner(Protocol):
    """A client of the firmware with a socket of its own."""

    def owns(self, socket: ModemSocket) -> bool: ...
    def changed(self) -> None: ...
    def left_data_mode(self) -> None: ...


class SelectedSocketCommands:
    """The commands over one :class:`SocketTable`.

    ``host``: the AT server. ``outbox``: takes what goes to the network. ``traffic``: called for every use of the radio.
    """

    def __init__(self, host: SocketHost, outbox: Outbox, traffic: Callable[[], None]) -> None:
        self.table = SocketTable(outbox, changed=self._changed, traffic=traffic)
        self.owners: list[SocketOwner] = []
        """Who else has a socket of the table; no command here is about it."""
        self._host = host
        self._outbox = outbox
        self._poller = Poller()
        self._polling: tuple[Poll, tuple[int, ...]] | None = None  # handles; empty: all
        self._selected: ModemSocket | None = None
        self._data_socket: ModemSocket | None = None
        self._waiting_poll: _WaitingPoll | None = None

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {
            "#XSOCKET": Forms(set=self._socket, read=self._read, test="#XSOCKET: (0,1,2),(1,2,3),(0,1),<cid>"),
            "#XSSOCKET": Forms(
                set=self._tls_socket,
                read=self._read_tls,
                test="#XSSOCKET: (0,1,2),(1,2),(0,1),<sec_tag>,<peer_verify>,<cid>",
            ),
            "#XSOCKETSELECT": Forms(set=self._select, read=self._list),
            "#XSOCKETOPT": Forms(set=partial(self._option, "#XSOCKETOPT")),
            "#XSSOCKETOPT": Forms(set=partial(self._option, "#XSSOCKETOPT")),
            "#XCONNECT": Forms(set=self._connect),
            "#XSEND": Forms(run=self._send_data, set=self._send),
            "#XRECV": Forms(set=self._receive),
            "#XPOLL": Forms(set=self._poll_once),
            "#XAPOLL": Forms(
                set=self._poll, read=self._polled, test="#XAPOLL: (0,1),<0,1,4,5>,<handle1>,<handle2>,..."
            ),
        }

    # -- opening, selecting, closing ----------------------------------------------------------------------------------

    def _socket(self, args: Args) -> Reply:
        operation = args.choice(0, (CLOSE, OPEN_IPV4, OPEN_IPV6))
        if operation == CLOSE:
            return self._close()
        kind, role = args.choice(1, (1, 2, 3)), args.choice(2, (0, 1))
        made = self._made(self.table.open(operation, kind, role, cid=args.number(3, 0)))
        return f"#XSOCKET: {made.handle},{kind},{PROTOCOLS[kind]}"

    def _tls_socket(self, args: Args) -> Reply:
        operation = args.choice(0, (CLOSE, OPEN_IPV4, OPEN_IPV6))
        if operation == CLOSE:
            return self._close()
        kind, role, sec_tag = args.choice(1, (1, 2)), args.choice(2, (0, 1)), args.number(3)
        verify, cid = args.choice(4, (0, 1, 2), 2), args.number(5, 0)
        if role != CLIENT:
            raise Refused
        made = self._made(self.table.open(operation, kind, role, cid=cid, sec_tag=sec_tag, peer_verify=verify))
        return f"#XSSOCKET: {made.handle},{kind},{TLS_1_2 if kind == 1 else DTLS_1_2}"

    def _made(self, made: ModemSocket) -> ModemSocket:
        self._selected = made
        if self._polling is not None and not self._polling[1]:
            self._poller.start(made.handle, self._polling[0])
        return made

    def _close(self) -> Reply:
        socket = self._selected
        if socket is None:
            return None
        polled = self._poller.events(socket.handle) is not None
        told = self._poller.told(socket.handle) & ALWAYS
        self._poller.stop(socket.handle)
        self.table.close(socket)
        self._selected = max(self._mine(), key=lambda other: other.ranking, default=None)
        if polled and not told:
            self._host.urc(b"\r\n#XAPOLL: %d,%d\r\n" % (socket.handle, Poll.NVAL))
        return '#XSOCKET: 0,"closed"'

    def _mine(self) -> list[ModemSocket]:
        """Return the sockets that these commands may select."""
        return [socket for socket in self.table if not self._others(socket)]

    def _others(self, socket: ModemSocket) -> list["SocketOwner"]:
        return [owner for owner in self.owners if owner.owns(socket)]

    def _select(self, args: Args) -> Reply:
        wanted = args.exactly(1).number(0)
        found = next((socket for socket in self._mine() if socket.handle == wanted), None)
        if found is None:
            raise Refused
        self._selected = found
        return f"#XSOCKETSELECT: {found.handle}"

    def _list(self) -> Reply:
        lines = [
            f"#XSOCKETSELECT: {s.handle},{s.family},{s.role},{s.kind},"
            f"{NO_TAG if s.sec_tag is None else s.sec_tag},{s.ranking},{s.cid}"
            for s in self._mine()
        ]
        return lines if self._selected is None else [*lines, f"#XSOCKETSELECT: {self._selected.handle}"]

    def _read(self) -> Reply:
        s = self._selected
        return None if s is None else f"#XSOCKET: {s.handle},{s.family},{s.role},{s.kind},{s.cid}"

    def _read_tls(self) -> Reply:
        s = self._selected
        if s is None or s.sec_tag is None:
            return None
        return f"#XSSOCKET: {s.handle},{s.family},{s.role},{s.kind},{s.sec_tag},{s.cid}"

    def _current(self) -> ModemSocket:
        if self._selected is None:
            raise Refused
        return self._selected

    def _option(self, name: str, args: Args) -> Reply:
        value = (tls_option if name == "#XSSOCKETOPT" else plain_option)(self._current(), args, 0)
        return None if value is None else f"{name}: {value}"

    # -- traffic ------------------------------------------------------------------------------------------------------

    def _connect(self, args: Args) -> Reply:
        socket = self._current()
        host, port = args.exactly(2).string(0, longest=LONGEST_HOST), args.number(1)
        if not self._host.attached or not 0 < port <= 0xFFFF or socket.family != OPEN_IPV4:
            raise Refused

        def opened(ok: bool) -> None:
            if ok:
                self._host.write(b"\r\n#XCONNECT: 1\r\n")
            self._host.finish(ok)

        self.table.connect(socket, host, port, opened)
        return Later.LATER

    def _send(self, args: Args) -> Reply:
        socket, data = self._current(), args.string(0).encode("latin-1")
        args.number(1, 0)
        sent = len(data) if self.table.send(socket, data) else 0
        self._host.write(b"\r\n#XSEND: %d\r\n" % sent)
        if not sent:
            raise Refused
        self._again(socket, Poll.OUT)
        return None

    def _send_data(self) -> Reply:
        socket = self._current()
        if not socket.writable:
            raise Refused
        self._data_socket = socket
        self._host.enter_data_mode(partial(self.table.send, socket), stream=True)
        return None

    def left_data_mode(self) -> None:
        """Data mode has ended."""
        socket, self._data_socket = self._data_socket, None
        if socket is not None:
            self._again(socket, Poll.OUT)
        for owner in self.owners:
            owner.left_data_mode()

    def _receive(self, args: Args) -> Reply:
        socket, seconds, flags = self._current(), args.number(0), args.number(1, 0)
        if seconds < 0 or flags & ~(PEEK | DONT_WAIT | WAIT_ALL):
            raise Refused

        def give(data: bytes | None) -> None:
            if data:
                self._host.write(b"\r\n#XRECV: %d\r\n%s" % (len(data), data))
                self._again(socket, Poll.IN)
            self._host.finish(data is not None)

        wait = 0.0 if flags & DONT_WAIT else float(seconds) or None
        receive = Receive(give, MOST_RECEIVED, peek=bool(flags & PEEK), all=bool(flags & WAIT_ALL))
        self.table.receive(socket, receive, wait)
        return Later.LATER

    # -- polling ------------------------------------------------------------------------------------------------------

    def _poll_once(self, args: Args) -> Reply:
        timeout = args.number(0)
        handles = tuple(args.number(index) for index in range(1, len(args)))
        if self._polling is not None or timeout < FOR_EVER:
            raise Refused
        sockets = [self.table.get(handle) for handle in handles] or self._mine()
        if not sockets:
            self._host.write(b"\r\n#XPOLL: -1\r\n")
            raise Refused
        lines = _poll_lines(sockets)
        if lines or not timeout:
            return lines
        self._waiting_poll = _WaitingPoll(sockets)
        if timeout != FOR_EVER:
            ended = partial(self._end_poll, [])
            self._waiting_poll.timer = self._outbox.after(timeout / 1000, ended, real=True)
        return Later.LATER

    def _end_poll(self, lines: list[str]) -> None:
        waiting, self._waiting_poll = self._waiting_poll, None
        if waiting is not None:
            self._outbox.cancel(waiting.timer)
            self._host.write("".join(f"\r\n{line}\r\n" for line in lines).encode())
            self._host.finish(True)

    def _poll(self, args: Args) -> Reply:
        start = args.choice(0, (0, 1))
        for socket in self.table:
            self._poller.stop(socket.handle)
        self._polling = None
        if not start:
            return None
        events = Poll(args.choice(1, (0, 1, 4, 5), 0))
        handles = tuple(args.number(index) for index in range(2, len(args)))
        sockets = [self.table.get(handle) for handle in handles] or self._mine()
        self._polling = events, handles
        for socket in sockets:
            self._poller.start(socket.handle, events)
            self._tell(socket)
        return None

    def _polled(self) -> Reply:
        if self._polling is None:
            return "#XAPOLL: 0,0"
        events, handles = self._polling
        return ",".join(["#XAPOLL: 1", str(int(events)), *map(str, handles)])

    def _again(self, socket: ModemSocket, event: Poll) -> None:
        self._poller.again(socket.handle, event)
        self._tell(socket)

    def _changed(self, socket: ModemSocket) -> None:
        for owner in self._others(socket):
            owner.changed()
            return
        if self._waiting_poll is not None and (lines := _poll_lines(self._waiting_poll.sockets)):
            self._end_poll(lines)
        self._tell(socket)

    def _tell(self, socket: ModemSocket) -> None:
        if news := self._poller.look(socket):
            self._host.urc(b"\r\n#XAPOLL: %d,%d\r\n" % (socket.handle, news))


class OlderSocketCommands(SelectedSocketCommands):
    """Those before #XAPOLL."""

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {name: forms for name, forms in super().commands().items() if name != "#XAPOLL"}


class _WaitingPoll:
    """An #XPOLL that waits."""

    def __init__(self, sockets: list[ModemSocket]) -> None:
        self.sockets = sockets
        self.timer: int | None = None


def _poll_lines(sockets: list[ModemSocket]) -> list[str]:
    states = [(socket.handle, socket.state() & (Poll.IN | ALWAYS)) for socket in sockets]
    return [f'#XPOLL: {handle},"0x{int(bits):04x}"' for handle, bits in states if bits]
