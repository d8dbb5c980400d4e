"""#XHTTPCCON and #XHTTPCREQ: one HTTP connection; the answer is written to the host as it comes.

Source: nRF Connect SDK 3.1, Serial LTE Modem documentation, "HTTP client AT commands": status line and headers raw,
``#XHTTPCRSP:<bytes>,<state>`` behind them, then the body and the same again, state 1 when all is there, no space behind
its colon. Not simulated: chunked requests. UNCONFIRMED: how a body is cut into pieces; here as it arrives.
"""

import re
from typing import Final

from harness.device_errno import ECONNRESET
from harness.virtual.board.commands import Args, Commands, Forms, Later, Refused, Reply
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
    Tls,
)
from harness.virtual.board.sockets.host import SocketHost

HTTP_LINK: Final = 100
CLOSE, IPV4, IPV6 = 0, 1, 2
LONGEST_HOST: Final = 128
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)
_NO_BODY = re.compile(rb"HTTP/1\.[01] (1\d\d|204|304)[ \r]")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_LAST_CHUNK: Final = b"0\r\n\r\n"


class HttpClient:
    """One connection, one request at a time."""

    def __init__(self, host: SocketHost, outbox: Outbox) -> None:
        self._host = host
        self._outbox = outbox
        self._target: tuple[str, int, int | None] | None = None
        self._opening = False
        self._answer: _Answer | None = None

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        test = "#XHTTPCCON: (0,1,2),<host>,<port>,<sec_tag>,<peer_verify>,<hostname_verify>"
        return {
            "#XHTTPCCON": Forms(set=self._connect, read=self._read, test=test),
            "#XHTTPCREQ": Forms(set=self._request),
        }

    def link(self, event: LinkEvent) -> None:
        """Take what happened on the link."""
        match event:
            case LinkOpened():
                self._opened(True)
            case LinkFailed():
                self._opened(False)
            case LinkData(data) if self._answer is not None:
                self._received(self._answer, data)
            case LinkClosed():
                self._closed()

    def network_lost(self) -> None:
        """The data connection has ended."""
        if self._opening:
            self._outbox.emit(CloseLink(True, HTTP_LINK))
            self._opened(False)
        elif self._target is not None:
            self._outbox.emit(CloseLink(True, HTTP_LINK))
            self._closed()

    def _connect(self, args: Args) -> Reply:
        operation = args.choice(0, (CLOSE, IPV4, IPV6))
        if operation == CLOSE:
            if self._target is None:
                raise Refused
            self._target = self._answer = None
            self._outbox.emit(CloseLink(link=HTTP_LINK))
            return "#XHTTPCCON: 0"
        host, port = args.string(1, longest=LONGEST_HOST), args.number(2)
        sec_tag = args.number(3) if args.given(3) else None
        verify, named = args.choice(4, (0, 1, 2), 2), args.choice(5, (0, 1), 1)
        if self._target is not None or not self._host.attached or operation == IPV6 or not 0 < port <= 0xFFFF:
            raise Refused
        self._target, self._opening = (host, port, sec_tag), True
        self._outbox.emit(OpenLink(host, port, sec_tag, HTTP_LINK, Tls(host if named else "", verify != 0)))
        return Later.LATER

    def _opened(self, ok: bool) -> None:
        self._opening = False
        if not ok:
            self._target = None
        self._host.write(b"\r\n#XHTTPCCON: %d\r\n" % ok)
        self._host.finish(ok)

    def _read(self) -> Reply:
        if self._target is None:
            return "#XHTTPCCON: 0"
        host, port, sec_tag = self._target
        return f'#XHTTPCCON: 1,"{host}",{port}' + ("" if sec_tag is None else f",{sec_tag}")

    def _request(self, args: Args) -> Reply:
        if self._target is None or self._answer is not None:
            raise Refused
        method, resource = args.string(0), args.string(1)
        headers = args.string(2, "").replace("\\r\\n", "\r\n")
        kind, length = args.string(3, ""), args.number(4, 0)
        if args.number(5, 0):
            raise Refused
        if headers and not headers.endswith("\r\n"):
            headers += "\r\n"
        head = f"{method} {resource} HTTP/1.1\r\nHost: {self._target[0]}\r\n{headers}"
        if kind:
            head += f"Content-Type: {kind}\r\nContent-Length: {length}\r\n"
        self._outbox.emit(LinkSend(f"{head}\r\n".encode("latin-1"), HTTP_LINK))
        self._answer = _Answer(method)
        if kind and length:
            self._host.enter_data_mode(self._send_body, stream=True)
        has_body = bool(kind and length)
        self._outbox.after(0.0, lambda: self._host.urc(b"\r\n#XHTTPCREQ: %d\r\n" % has_body), real=True)
        return None

    def _send_body(self, data: bytes) -> bool:
        if self._target is None:
            return False
        self._outbox.emit(LinkSend(data, HTTP_LINK))
        return True

    def _received(self, answer: "_Answer", data: bytes) -> None:
        for piece, state in answer.feed(data):
            self._host.urc(piece + b"\r\n#XHTTPCRSP:%d,%d\r\n" % (len(piece), state))
            if state:
                self._answer = None

    def _closed(self) -> None:
        if self._target is None:
            return
        self._target = None
        if self._answer is not None:
            self._answer = None
            self._host.urc(b"\r\n#XHTTPCRSP: 0,%d\r\n" % -ECONNRESET)
        self._host.urc(b"\r\n#XHTTPCCON: 0\r\n")


class _Answer:
    """What comes of one answer: the head first, then the body as it arrives."""

    def __init__(self, method: str) -> None:
        self._headless = method == "HEAD"
        self._head = bytearray()
        self._in_body = False
        self._left: int | None = None
        self._tail = b""

    def feed(self, data: bytes) -> list[tuple[bytes, int]]:
        """Return the pieces to write, each with its state: 1 for the last."""
        pieces: list[tuple[bytes, int]] = []
        if not self._in_body:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return []
            head, data = bytes(self._head[: end + 4]), bytes(self._head[end + 4 :])
            self._in_body = True
            found = _LENGTH.search(head)
            self._left = None if _CHUNKED.search(head) else int(found[1]) if found else 0
            done = self._headless or bool(_NO_BODY.match(head)) or self._left == 0
            pieces.append((head, int(done)))
            if done:
                return pieces
        if data:
            pieces.append((data, int(self._ends(data))))
        return pieces

    def _ends(self, data: bytes) -> bool:
        if self._left is None:
            self._tail = (self._tail + data)[-len(_LAST_CHUNK) :]
            return self._tail == _LAST_CHUNK
        self._left -= len(data)
        return self._left <= 0
