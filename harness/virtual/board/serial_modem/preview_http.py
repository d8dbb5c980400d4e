"""#XHTTPCREQ, #XHTTPCDATA and #XHTTPCCANCEL of the preview of Serial Modem 2.0: HTTP on a socket that is connected.

Source: ncs-serial-modem, v2.0.0-preview1 (sm_at_httpc.c; documentation, "HTTP client AT commands"). Not simulated:
chunked replies. UNCONFIRMED: that replies come by themselves unless the request says otherwise; the last field of
#XHTTPCSTAT (1: the server closes the connection), which the migration note does not have.
"""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.outputs import Outbox
from harness.virtual.board.serial_modem.socket_commands import SocketCommands
from harness.virtual.board.sockets import ModemSocket, SocketHost

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD")
INACTIVITY: Final = 30.0
MANUAL, AUTOMATIC = 0, 1
_URL: Final = re.compile(r"(?:https?://)?([^/]+)(/.*)?")
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)


@dataclass
class _Exchange:
    automatic: bool
    headless: bool
    head: bytearray = field(default_factory=bytearray)
    status: int = 0
    length: int = 0
    given: int = 0
    body: bytearray = field(default_factory=bytearray)
    closes: bool = False
    timer: int | None = None


class PreviewHttp:
    """At most one request at a time on each socket."""

    def __init__(self, host: SocketHost, outbox: Outbox, sockets: SocketCommands) -> None:
        self._host = host
        self._outbox = outbox
        self._sockets = sockets
        self._exchanges: dict[int, _Exchange] = {}
        sockets.taken_by = self._changed

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {
            "#XHTTPCREQ": Forms(set=self._request),
            "#XHTTPCDATA": Forms(set=self._pull),
            "#XHTTPCCANCEL": Forms(set=self._cancel),
        }

    def _request(self, args: Args) -> Reply:
        socket = self._sockets.table.get(args.number(0))
        url, method = _URL.fullmatch(args.string(1)), METHODS[args.choice(2, range(len(METHODS)))]
        automatic, length = args.choice(3, (MANUAL, AUTOMATIC), AUTOMATIC), args.number(4, 0)
        headers = "".join(f"{args.string(index)}\r\n" for index in range(5, len(args)))
        if url is None or not socket.writable or socket.handle in self._exchanges or length < 0:
            raise Refused
        body = f"Content-Length: {length}\r\n" if length else ""
        head = f"{method} {url[2] or '/'} HTTP/1.1\r\nHost: {url[1]}\r\n{headers}{body}\r\n"
        self._sockets.table.send(socket, head.encode("latin-1"))
        self._exchanges[socket.handle] = _Exchange(automatic == AUTOMATIC, method == "HEAD")
        self._watch(socket.handle)
        if length:
            self._host.enter_data_mode(partial(self._sockets.table.send, socket), stream=True, count=length)
        return f"#XHTTPCREQ: {socket.handle}"

    def _pull(self, args: Args) -> Reply:
        handle = args.number(0)
        exchange = self._exchanges.get(handle)
        if exchange is None or not exchange.body:
            raise Refused
        self._give(handle, exchange, args.number(1, len(exchange.body)))
        return None

    def _cancel(self, args: Args) -> Reply:
        handle = args.number(0)
        if handle not in self._exchanges:
            raise Refused
        self._end(handle, -1)
        return None

    def _changed(self, socket: ModemSocket) -> bool:
        """Take what arrived on a socket; False: no request is open there."""
        exchange = self._exchanges.get(socket.handle)
        if exchange is None:
            return False
        data = bytes(socket.arrived)
        socket.arrived.clear()
        self._watch(socket.handle)
        self._read(socket.handle, exchange, data)
        if socket.handle in self._exchanges and not socket.writable:
            self._end(socket.handle, -1)
        return True

    def _read(self, handle: int, exchange: _Exchange, data: bytes) -> None:
        if not exchange.status:
            exchange.head += data
            end = exchange.head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data = bytes(exchange.head[: end + 4]), bytes(exchange.head[end + 4 :])
            found, length = _STATUS.match(head), _LENGTH.search(head)
            exchange.status = int(found[1]) if found else -1
            exchange.length = 0 if exchange.headless or length is None else int(length[1])
            exchange.closes = _CLOSES.search(head) is not None
            self._host.urc(b"\r\n#XHTTPCHEAD: %d,%d,%d\r\n" % (handle, exchange.status, exchange.length))
        exchange.body += data
        if exchange.automatic and exchange.body:
            self._give(handle, exchange, len(exchange.body))
        elif exchange.given >= exchange.length:
            self._end(handle, exchange.status)

    def _give(self, handle: int, exchange: _Exchange, most: int) -> None:
        data = bytes(exchange.body[:most])
        del exchange.body[: len(data)]
        self._host.urc(b"\r\n#XHTTPCDATA: %d,%d,%d\r\n%s\r\n" % (handle, exchange.given, len(data), data))
        exchange.given += len(data)
        if exchange.given >= exchange.length:
            self._end(handle, exchange.status)

    def _watch(self, handle: int) -> None:
        exchange = self._exchanges[handle]
        self._outbox.cancel(exchange.timer)
        exchange.timer = self._outbox.after(INACTIVITY, partial(self._end, handle, -1), real=True)

    def _end(self, handle: int, status: int) -> None:
        exchange = self._exchanges.pop(handle)
        self._outbox.cancel(exchange.timer)
        self._host.urc(b"\r\n#XHTTPCSTAT: %d,%d,%d,%d\r\n" % (handle, status, exchange.given, exchange.closes))
