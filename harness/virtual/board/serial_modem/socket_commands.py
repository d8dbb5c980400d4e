"""Socket commands of Serial Modem 1.x: every command names its socket by handle.

Source: Serial Modem 1.0 documentation, "Socket AT commands". TLS is the modem's: why a connection fails is not told.
Not simulated: datagrams, servers, reception in data mode by #XRECVCFG (2).
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from harness.device_errno import ECONNRESET
from harness.virtual.board.commands import Args, Commands, Forms, Later, Refused, Reply
from harness.virtual.board.outputs import Outbox
from harness.virtual.board.sockets.host import SocketHost
from harness.virtual.board.sockets.modem_socket import ModemSocket, Poll, Receive
from harness.virtual.board.sockets.options import plain_option, tls_option
from harness.virtual.board.sockets.poller import Poller
from harness.virtual.board.sockets.table import SocketTable

TLS_1_2, DTLS_1_2 = 258, 273
PROTOCOLS: Final = {1: 6, 2: 17, 3: 0}  # TCP, UDP, raw
IPV4, IPV6 = 1, 2
TEXT, HEX, DATA_MODE = 0, 1, 2
CLIENT = 0
MOST_HEX: Final = 1400  # bytes in one command
MOST_RECEIVED: Final = 2048
LONGEST_HOST: Final = 128
NOTIFY: Final = 8192
DONT_WAIT: Final = 64
PEEK: Final = 2
WAIT_ALL: Final = 256


class SocketCommands:
    """The commands over one :class:`SocketTable`.

    ``host``: the AT server. ``outbox``: takes what goes to the network. ``traffic``: called for every use of the radio.
    """

    def __init__(self, host: SocketHost, outbox: Outbox, traffic: Callable[[], None]) -> None:
        self._host = host
        self.table = SocketTable(outbox, changed=self._changed, traffic=traffic)
        self.taken_by: Callable[[ModemSocket], bool] = lambda _socket: False
        """Called with a socket that changed; True: what has come belongs to somebody else's request."""
        self.closing: Callable[[int], None] = lambda _handle: None
        """Called with the handle of a socket that the host is about to close."""
        self._poller = Poller()
        self._poll_all: Poll | None = None
        self._automatic: dict[int, int] = {}  # mode of #XRECVCFG by handle, -1: of every socket
        self._data_socket: ModemSocket | None = None

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {
            "#XSOCKET": Forms(
                set=self._open_plain, read=self._list_plain, test="#XSOCKET: <handle>,(1,2,3),(1,2,3),(0,1),<cid>"
            ),
            "#XSSOCKET": Forms(
                set=self._open_tls,
                read=self._list_tls,
                test="#XSSOCKET: <handle>,(1,2),(1,2),(0,1),<sec_tag>,<peer_verify>,<cid>",
            ),
            "#XCLOSE": Forms(run=self._close_all, set=self._close),
            "#XSOCKETOPT": Forms(set=partial(self._option, "#XSOCKETOPT")),
            "#XSSOCKETOPT": Forms(set=partial(self._option, "#XSSOCKETOPT")),
            "#XCONNECT": Forms(set=self._connect),
            "#XSEND": Forms(set=self._send),
            "#XRECV": Forms(set=self._receive),
            "#XRECVCFG": Forms(set=self._receive_by_itself),
            "#XAPOLL": Forms(set=self._poll, read=self._polled, test="#XAPOLL: <handle>,(0,1),(0,1,4,5)"),
        }

    # -- opening and closing ------------------------------------------------------------------------------------------

    def _open_plain(self, args: Args) -> Reply:
        family, kind, role = args.choice(0, (1, 2, 3)), args.choice(1, (1, 2, 3)), args.choice(2, (0, 1))
        made = self.table.open(family, kind, role, cid=args.number(3, 0))
        self._begin(made)
        return f"#XSOCKET: {made.handle},{kind},{PROTOCOLS[kind]}"

    def _open_tls(self, args: Args) -> Reply:
        family, kind, role = args.choice(0, (IPV4, IPV6)), args.choice(1, (1, 2)), args.choice(2, (0, 1))
        sec_tag, verify = args.number(3), args.choice(4, (0, 1, 2), 2)
        if role != CLIENT:
            raise Refused
        made = self.table.open(family, kind, role, cid=args.number(5, 0), sec_tag=sec_tag, peer_verify=verify)
        self._begin(made)
        return f"#XSSOCKET: {made.handle},{kind},{TLS_1_2 if kind == 1 else DTLS_1_2}"

    def _begin(self, made: ModemSocket) -> None:
        if self._poll_all is not None:
            self._poller.start(made.handle, self._poll_all)

    def _list_plain(self) -> Reply:
        return [f"#XSOCKET: {s.handle},{s.family},{s.role},{s.kind},{s.cid}" for s in self.table if s.sec_tag is None]

    def _list_tls(self) -> Reply:
        return [
            f"#XSSOCKET: {s.handle},{s.family},{s.role},{s.kind},{s.sec_tag},{s.cid}"
            for s in self.table
            if s.sec_tag is not None
        ]

    def _close_all(self) -> Reply:
        return [self._closed(socket) for socket in self.table]

    def _close(self, args: Args) -> Reply:
        return self._closed(self.table.get(args.exactly(1).number(0)))

    def _closed(self, socket: ModemSocket) -> str:
        self.closing(socket.handle)
        self._poller.stop(socket.handle)  # the end of a socket by its own owner is not told
        self._automatic.pop(socket.handle, None)
        self.table.close(socket)
        return f"#XCLOSE: {socket.handle},0"

    def _option(self, name: str, args: Args) -> Reply:
        socket = self.table.get(args.number(0))
        value = (tls_option if name == "#XSSOCKETOPT" else plain_option)(socket, args, 1)
        return None if value is None else f"{name}: {socket.handle},{value}"

    # -- traffic ------------------------------------------------------------------------------------------------------

    def _connect(self, args: Args) -> Reply:
        socket = self.table.get(args.exactly(3).number(0))
        host, port = args.string(1, longest=LONGEST_HOST), args.number(2)
        # The simulated network gives out IPv4 addresses only.
        if not self._host.attached or not 0 < port <= 0xFFFF or socket.family != IPV4:
            raise Refused

        def opened(ok: bool) -> None:
            if ok:
                self._host.write(b"\r\n#XCONNECT: %d,1\r\n" % socket.handle)
            self._host.finish(ok)

        self.table.connect(socket, host, port, opened)
        return Later.LATER

    def _send(self, args: Args) -> Reply:
        socket, mode = self.table.get(args.number(0)), args.choice(1, (TEXT, HEX, DATA_MODE))
        flags = args.choice(2, (0, 512, NOTIFY), 0)
        if mode == DATA_MODE:
            self._send_data(socket, args)
            return None
        data = _hex(args.string(3)) if mode == HEX else args.string(3).encode("latin-1")
        if not data:
            raise Refused
        sent = len(data) if self.table.send(socket, data) else 0
        self._host.write(b"\r\n#XSEND: %d,%d,%d\r\n" % (socket.handle, flags == NOTIFY and sent > 0, sent))
        if not sent:
            raise Refused
        if flags == NOTIFY:
            self._host.urc(b"\r\n#XSENDNTF: %d,0,%d\r\n" % (socket.handle, sent))
        self._again(socket, Poll.OUT)
        return None

    def _send_data(self, socket: ModemSocket, args: Args) -> None:
        count = args.number(3) if args.given(3) else None
        if not socket.writable or (count is not None and count <= 0):
            raise Refused
        self._data_socket = socket
        self._host.enter_data_mode(partial(self.table.send, socket), stream=True, count=count)

    def left_data_mode(self) -> None:
        """Data mode has ended."""
        socket, self._data_socket = self._data_socket, None
        if socket is not None:
            self._again(socket, Poll.OUT)

    def _receive(self, args: Args) -> Reply:
        socket, mode = self.table.get(args.number(0)), args.choice(1, (TEXT, HEX))
        flags, seconds = args.number(2, 0), args.number(3)
        most = args.number(4, MOST_RECEIVED)
        if not 0 < most <= MOST_RECEIVED or seconds < 0 or flags & ~(PEEK | DONT_WAIT | WAIT_ALL):
            raise Refused

        def give(data: bytes | None) -> None:
            if data:
                self._host.write(b"\r\n" + _received(socket.handle, mode, data))
                self._again(socket, Poll.IN)
            self._host.finish(data is not None)

        wait = 0.0 if flags & DONT_WAIT else float(seconds) or None
        receive = Receive(give, most, peek=bool(flags & PEEK), all=bool(flags & WAIT_ALL))
        self.table.receive(socket, receive, wait)
        return Later.LATER

    def _receive_by_itself(self, args: Args) -> Reply:
        handle = self.table.get(args.number(0)).handle if args.given(0) else -1
        flags, mode = args.choice(1, (0, 1)), args.choice(2, (TEXT, HEX), TEXT)
        if flags:
            self._automatic[handle] = mode
        else:
            self._automatic.pop(handle, None)
        return None

    # -- polling ------------------------------------------------------------------------------------------------------

    def _poll(self, args: Args) -> Reply:
        start = args.choice(1, (0, 1))
        events = Poll(args.choice(2, (0, 1, 4, 5), 0))
        if args.given(0):
            sockets = [self.table.get(args.number(0))]
        else:
            sockets = list(self.table)
            self._poll_all = events if start else None
        for socket in sockets:
            if start:
                self._poller.start(socket.handle, events)
                self._tell(socket)
            else:
                self._poller.stop(socket.handle)
        return None

    def poll_no_more(self, handle: int) -> None:
        """Poll a socket no more."""
        self._poller.stop(handle)

    def _polled(self) -> Reply:
        polled = [(s.handle, self._poller.events(s.handle)) for s in self.table]
        return [f"#XAPOLL: {handle},{int(events)}" for handle, events in polled if events is not None]

    def _again(self, socket: ModemSocket, event: Poll) -> None:
        self._poller.again(socket.handle, event)
        self._tell(socket)

    def _changed(self, socket: ModemSocket) -> None:
        if self.taken_by(socket):
            return
        mode = self._automatic.get(socket.handle, self._automatic.get(-1))
        while mode is not None and socket.arrived and socket.waiting is None:
            data = bytes(socket.arrived[:MOST_RECEIVED])
            del socket.arrived[: len(data)]
            self._host.urc(b"\r\n" + _received(socket.handle, mode, data) + b"\r\n")
        if socket is self._data_socket and not socket.writable:
            self._host.break_data_mode(-ECONNRESET)
        self._tell(socket)

    def _tell(self, socket: ModemSocket) -> None:
        if news := self._poller.look(socket):
            self._host.urc(b"\r\n#XAPOLL: %d,%d\r\n" % (socket.handle, news))


def _received(handle: int, mode: int, data: bytes) -> bytes:
    shown = data.hex().upper().encode() if mode == HEX else data
    return b"#XRECV: %d,%d,%d\r\n%s" % (handle, mode, len(data), shown)


def _hex(text: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise Refused from None
    if len(data) > MOST_HEX:
        raise Refused
    return data
