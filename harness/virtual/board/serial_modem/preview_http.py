"""#XHTTPCREQ, #XHTTPCDATA and #XHTTPCCANCEL of Serial Modem 2.0 to be: HTTP on a socket that is connected.

Sources: ncs-serial-modem, "HTTP client AT commands" and sm_at_httpc.c, v2.0.0-preview1 and main. The two differ
(:class:`Dialect`). The host polls no socket with a request on it: the client does, and polling is off afterwards.
Not simulated: a server that hangs up while a body is being sent.
"""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.outputs import Outbox
from harness.virtual.board.serial_modem.socket_commands import SocketCommands
from harness.virtual.board.sockets import ModemSocket, SocketHost

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD")
WITH_BODY: Final = ("POST", "PUT")
INACTIVITY: Final = 30.0
MANUAL, AUTOMATIC = 0, 1
BINARY, HEX = 0, 1
MOST_PULLED: Final = 2047
_LONGEST_URL, _LONGEST_TARGET, _LONGEST_HEADERS = 511, 255, 511
_LONGEST_BODY: Final = 4096
_URL: Final = re.compile(r"https?://([^/:?]+)(?::[0-9]+)?(/.*)?")
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: *([0-9]{1,9})")
_CLOSES = re.compile(rb"\r\n[Cc]onnection: close")
_LAST_CHUNK: Final = b"0\r\n\r\n"


class Dialect(NamedTuple):
    """``formatted``: the request has a <format>, and #XHTTPCSTAT a fourth field. ``socket``: what the test form calls
    the socket. ``whole``: line, bytes and CR LF of a reply that comes by itself are written at once; else the line
    waits as a URC, and the bytes do not.
    """

    formatted: bool
    socket: str
    whole: bool


PREVIEW_1: Final = Dialect(formatted=False, socket="socket_fd", whole=False)
MAIN: Final = Dialect(formatted=True, socket="handle", whole=True)


@dataclass
class _Exchange:
    automatic: bool
    in_hex: bool
    headless: bool
    head: bytearray = field(default_factory=bytearray)
    status: int = 0  # 0: the reply's head is not complete
    length: int = -1
    received: int = 0  # in preview1 with the head, until a body begins
    given: int = 0
    body: bytearray = field(default_factory=bytearray)
    closes: bool = False
    timer: int | None = None


class PreviewHttp:
    """At most one request at a time on each socket.

    ``host``: the AT server. ``outbox``: takes what is to be timed. ``sockets``: has the socket of each request.
    ``dialect``: in what the commands differ between previews.
    """

    def __init__(self, host: SocketHost, outbox: Outbox, sockets: SocketCommands, dialect: Dialect = PREVIEW_1) -> None:
        self._host = host
        self._outbox = outbox
        self._sockets = sockets
        self._dialect = dialect
        self._exchanges: dict[int, _Exchange] = {}
        sockets.taken_by, sockets.closing = self._changed, self.closing

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        socket = f"<{self._dialect.socket}>"
        form = "[,<format>" if self._dialect.formatted else ""
        tail = "]" if form else ""
        request = f"{socket},<url>,<method>[,<auto_reception>{form}[,<body_len>[,<header>]...]]{tail}"
        return {
            "#XHTTPCREQ": Forms(set=self._request, test=f"#XHTTPCREQ: {request}"),
            "#XHTTPCDATA": Forms(set=self._pull, test=f"#XHTTPCDATA: {socket}[,<length>]"),
            "#XHTTPCCANCEL": Forms(set=self._cancel, test=f"#XHTTPCCANCEL: {socket}"),
        }

    def _request(self, args: Args) -> Reply:
        socket = self._sockets.table.get(args.number(0))
        text, method = args.string(1, longest=_LONGEST_URL), METHODS[args.choice(2, range(len(METHODS)))]
        automatic, at = args.choice(3, (MANUAL, AUTOMATIC), AUTOMATIC), 4
        in_hex = self._dialect.formatted and args.choice(at, (BINARY, HEX), BINARY) == HEX
        at += self._dialect.formatted
        length = args.number(at, 0)
        headers = "".join(
            f"{args.string(index)}\r\n"
            for index in range(at + 1, len(args))
            if args.given(index) and args.string(index)
        )
        url = _URL.fullmatch(text)
        if url is None or len(url[2] or "/") > _LONGEST_TARGET or len(headers) > _LONGEST_HEADERS:
            raise Refused
        if not socket.writable or socket.handle in self._exchanges or not self._takes(method, length):
            raise Refused
        body = f"Content-Length: {length}\r\n" if length else ""
        head = (
            f"{method} {url[2] or '/'} HTTP/1.1\r\nHost: {url[1]}\r\n"
            f"User-Agent: nRF91-Serial-Modem\r\nAccept: */*\r\n{body}{headers}\r\n"
        )
        self._sockets.table.send(socket, head.encode("latin-1"))
        self._exchanges[socket.handle] = _Exchange(automatic == AUTOMATIC, in_hex, method == "HEAD")
        self._watch(socket.handle)
        if length:
            self._host.enter_data_mode(partial(self._sockets.table.send, socket), stream=True, count=length)
        return f"#XHTTPCREQ: {socket.handle}"

    def _takes(self, method: str, length: int) -> bool:
        most = None if self._dialect.formatted else _LONGEST_BODY
        return length == 0 or (method in WITH_BODY and length > 0 and (most is None or length <= most))

    def _pull(self, args: Args) -> Reply:
        handle = args.number(0)
        exchange = self._exchanges.get(handle)
        if exchange is None or exchange.automatic or not exchange.status:
            raise Refused
        self._watch(handle)
        most = min(args.number(1, MOST_PULLED), MOST_PULLED)
        data = bytes(exchange.body[: most if most > 0 else MOST_PULLED])
        if not data and self._over(handle):
            self._end(handle, exchange.status)
            return None
        del exchange.body[: len(data)]
        self._host.write(self._data_line(handle, exchange, data))
        if exchange.length > 0 and exchange.given >= exchange.length:
            self._end(handle, exchange.status)
        return None

    def _cancel(self, args: Args) -> Reply:
        handle = args.number(0)
        if handle not in self._exchanges:
            raise Refused
        self._end(handle, -1, cancelled=True)
        return None

    def _changed(self, socket: ModemSocket) -> bool:
        """Take what arrived on a socket; False: no request is open there."""
        exchange = self._exchanges.get(socket.handle)
        if exchange is None:
            return False
        data = bytes(socket.arrived)
        socket.arrived.clear()
        if data:
            self._watch(socket.handle)
            self._read(socket.handle, exchange, data)
        if socket.handle in self._exchanges and not socket.writable:
            self._closed(socket.handle, exchange)
        return True

    def _closed(self, handle: int, exchange: _Exchange) -> None:
        """The connection has ended. What is there can still be pulled."""
        if not exchange.status:
            self._end(handle, -1)
        elif exchange.automatic:
            self._end(handle, exchange.status)

    def _over(self, handle: int) -> bool:
        return not self._sockets.table.get(handle).writable

    def _read(self, handle: int, exchange: _Exchange, data: bytes) -> None:
        exchange.received += len(data)
        if not exchange.status:
            exchange.head += data
            end = exchange.head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = bytes(exchange.head[: end + 4]), bytes(exchange.head[end + 4 :])
            if self._head(handle, exchange, head):
                return
        exchange.body += data
        if exchange.automatic:
            self._give(handle, exchange)

    def _head(self, handle: int, exchange: _Exchange, head: bytes) -> bool:
        """Read a reply's head. True: nothing follows it."""
        found, length = _STATUS.match(head), _LENGTH.search(head)
        exchange.status = int(found[1]) if found else -1
        exchange.length = -1 if length is None else int(length[1])
        exchange.closes = _CLOSES.search(head) is not None
        self._host.urc(b"\r\n#XHTTPCHEAD: %d,%d,%d\r\n" % (handle, exchange.status, exchange.length))
        bare = exchange.headless or exchange.status in (204, 304) or exchange.status // 100 == 1
        if not bare or self._dialect.formatted:
            exchange.received -= len(head)
        if bare:
            self._end(handle, exchange.status)
        return bare

    def _give(self, handle: int, exchange: _Exchange) -> None:
        """Hand on what has come of a reply that comes by itself."""
        data = bytes(exchange.body)
        exchange.body.clear()
        if data and self._dialect.whole:
            self._host.write(self._data_line(handle, exchange, data) + b"\r\n")
        elif data:
            self._host.urc(self._data_line(handle, exchange, data).removesuffix(data))
            self._host.write(data)
        counted = 0 <= exchange.length <= exchange.given
        chunked = self._dialect.formatted and exchange.length < 0 and data.endswith(_LAST_CHUNK)
        if counted or chunked:
            self._end(handle, exchange.status)

    def _data_line(self, handle: int, exchange: _Exchange, data: bytes) -> bytes:
        shown = data.hex().encode() if exchange.in_hex else data
        line = b"\r\n#XHTTPCDATA: %d,%d,%d\r\n%s" % (handle, exchange.given, len(data), shown)
        exchange.given += len(data)
        return line

    def _watch(self, handle: int) -> None:
        exchange = self._exchanges[handle]
        self._outbox.cancel(exchange.timer)
        exchange.timer = self._outbox.after(INACTIVITY, partial(self._end, handle, -1), real=True)

    def _end(self, handle: int, status: int, *, cancelled: bool = False) -> None:
        exchange = self._exchanges.pop(handle)
        self._outbox.cancel(exchange.timer)
        self._sockets.poll_no_more(handle)
        total = exchange.given if cancelled and self._dialect.formatted else exchange.received
        closes = b",%d" % exchange.closes if self._dialect.formatted else b""
        self._host.urc(b"\r\n#XHTTPCSTAT: %d,%d,%d%s\r\n" % (handle, status, total, closes))

    def closing(self, handle: int) -> None:
        """The socket is about to be closed by the host: main cancels the request on it.

        UNCONFIRMED that preview1 forgets it without a word.
        """
        if handle in self._exchanges and self._dialect.formatted:
            self._end(handle, -1, cancelled=True)
        elif exchange := self._exchanges.pop(handle, None):
            self._outbox.cancel(exchange.timer)
