"""The HTTP client of Serial Modem 2.0, as its previews have it: a request on a TLS socket of the board.

Sources: ncs-serial-modem, "HTTP client AT commands" and sm_at_httpc.c, v2.0.0-preview1 and main. Three things differ:

* main has a ``<format>`` before the body's length. The command's test form says which of the two it is.
* ``#XHTTPCSTAT`` has a fourth field in main.
* Where the reply comes by itself, preview1 writes the body's bytes before the line that announces them, with nothing
  that ends them. So the reply is pulled (``AT#XHTTPCDATA``), which writes line and bytes together in both.

Nothing tells that more bytes have come to be pulled. The documentation says: pull again after a moment.

A request has room for 511 bytes of headers. A modem's token of the usual 516 characters is longer than that by itself,
so such a call goes through a socket; one without an end (no iat and exp) fits.
"""

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from harness.at import AtError, AtPort
from harness.errors import LabError, NoAnswer
from harness.firmware.bridge import HandleSocket
from harness.firmware.http.exchange import BoardHttp, HttpReply, HttpRequest, HttpServer, NoReply
from harness.firmware.http.socket_http import SocketHttp
from harness.timeline import Kind

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD")
_WITH_BODY: Final = ("POST", "PUT")
_MANUAL, _BINARY = 0, 0
_LONGEST_BODY: Final = 4096  # preview1's buffer in data mode
_LONGEST_URL, _LONGEST_TARGET, _LONGEST_HEADERS = 511, 255, 511
_CLOSE: Final = "Connection:close"
_MOMENT: Final = 0.2  # seconds; longer than a URC is held back
_STATUS: Final = 5.0  # seconds in which the line comes that ends a request; it waits for an idle UART
_OWN_HEADERS: Final = frozenset({"host", "user-agent", "accept", "content-length", "connection"})
_HTTPS: Final = 443
_NO_BODY: Final = (204, 304)


def make_http(port: AtPort) -> BoardHttp:
    """Return the firmware's own client where it has one; else HTTP is spoken on this computer."""
    through_socket = SocketHttp(port, HandleSocket)
    try:
        syntax = port.command("AT#XHTTPCREQ=?").value("#XHTTPCREQ")
    except AtError:
        return through_socket
    return PreviewHttp(port, through_socket, formatted="<format>" in syntax)


class PreviewHttp(BoardHttp):
    """See BoardHttp. ``otherwise``: for what the client of the board at ``port`` cannot send, PATCH above all.

    ``formatted``: see above.
    """

    def __init__(self, port: AtPort, otherwise: BoardHttp, *, formatted: bool) -> None:
        super().__init__(port)
        self._otherwise = otherwise
        self._formatted = formatted

    def exchange(self, server: HttpServer, request: HttpRequest, *, timeout: float = 60.0) -> HttpReply:
        """Send a request. See BoardHttp."""
        command = _Command(server, request, formatted=self._formatted)
        if too_much := command.too_much():
            said = f"the firmware's HTTP client cannot send this ({too_much}); it goes through a socket"
            self.port.timeline.add(Kind.STEP, self.port.name, said)
            return self._otherwise.exchange(server, request, timeout=timeout)
        socket = _Unpolled(self.port)
        socket.connect(server.host, server.port, server.sec_tag, timeout=timeout)
        try:
            return _Exchange(self.port, socket.handle, server, request).reply(command.text(socket.handle), timeout)
        finally:
            socket.close()


class _Unpolled(HandleSocket):
    """The client polls the socket by itself."""

    def poll(self) -> None:
        """Leave it alone."""


class _Command:
    """AT#XHTTPCREQ for one request."""

    def __init__(self, server: HttpServer, request: HttpRequest, *, formatted: bool) -> None:
        port = "" if server.port == _HTTPS else f":{server.port}"
        self._url = f"https://{server.host}{port}{request.target}"
        kept = [(name, value) for name, value in request.headers.items() if name.lower() not in _OWN_HEADERS]
        self._headers = [f"{name}:{value}" for name, value in kept]  # no blank: room is scarce
        if _size(self._headers) + len(_CLOSE) + 2 <= _LONGEST_HEADERS:
            self._headers.append(_CLOSE)  # the server ends the connection then, which ends a reply of unknown length
        self._request = request
        self._formatted = formatted

    def too_much(self) -> str:
        """Return what the client cannot send of it, in words; empty: it can send all."""
        request, size = self._request, _size(self._headers)
        if request.method not in METHODS or (request.body and request.method not in _WITH_BODY):
            return f"{request.method}{' with a body' if request.method in METHODS else ''}"
        if len(request.body) > _LONGEST_BODY:
            return f"a body of {len(request.body)} bytes, of {_LONGEST_BODY} at most"
        if len(self._url) > _LONGEST_URL or len(request.target) > _LONGEST_TARGET:
            return f"a URL of {len(self._url)} bytes"
        if size > _LONGEST_HEADERS:
            return f"{size} bytes of headers, of {_LONGEST_HEADERS} at most"
        texts = [self._url, *self._headers]
        fits = all(text.isascii() and text.isprintable() and '"' not in text for text in texts)
        return "" if fits else "a character that no quoted argument may have"

    def text(self, handle: int) -> str:
        """Return the command."""
        form = [_BINARY] if self._formatted else []
        numbers = [METHODS.index(self._request.method), _MANUAL, *form, len(self._request.body)]
        headers = ",".join(f'"{header}"' for header in self._headers)
        return f'AT#XHTTPCREQ={handle},"{self._url}",{",".join(map(str, numbers))},{headers}'


def _size(headers: Sequence[str]) -> int:
    """Return the bytes of headers with their line ends."""
    return sum(len(header) + 2 for header in headers)


class _Exchange:
    """One request on a connected socket, and its reply."""

    def __init__(self, port: AtPort, handle: int, server: HttpServer, request: HttpRequest) -> None:
        self._port = port
        self._handle = handle
        self._host = server.host
        self._request = request
        self._mark = port.timeline.mark()

    def reply(self, command: str, timeout: float) -> HttpReply:
        until, body = time.monotonic() + timeout, b""
        try:
            if self._request.body:
                sent = self._port.send_payload(command, self._request.body, timeout, socket_bytes=True, counted=True)
                if sent != 0:
                    raise NoAnswer(f"the body was not sent (#XDATAMODE: {sent})")
            else:
                self._port.command(command, timeout=timeout)
            status, length = self._head(until)
            if not self._has_no_body(status):
                body = self._pulled(length, until)
            # Where it knows no length, or nothing came, the client may not know that the reply is over.
            self._finish(cancel=length <= 0 and not self._ended(_MOMENT))
        except (AtError, NoAnswer) as error:
            with suppress(LabError):
                self._finish(cancel=True)
            raise self._none(str(error)) from error
        return HttpReply(status, body if length >= 0 else without_chunks(body))

    def _head(self, until: float) -> tuple[int, int]:
        """Return status and length of the reply; -1: the server does not say how long it is."""
        timeout = max(until - time.monotonic(), 0.0)
        line = self._port.wait_line(rf"#XHTTPC(?:HEAD|STAT): {self._handle},", timeout, since=self._mark).text
        name, _, values = line.partition(": ")
        numbers = [int(value) for value in re.findall(r"-?\d+", values)]
        if name != "#XHTTPCHEAD" or len(numbers) != 3:
            raise NoAnswer(line)
        return numbers[1], numbers[2]

    def _has_no_body(self, status: int) -> bool:
        return self._request.method == "HEAD" or status in _NO_BODY or status // 100 == 1

    def _pulled(self, length: int, until: float) -> bytes:
        body = b""
        while len(body) < length or (length < 0 and without_chunks(body) == body):
            if time.monotonic() >= until:
                raise NoAnswer(f"{len(body)} of {max(length, 0)} bytes came in time")
            try:
                piece = b"".join(self._port.command(f"AT#XHTTPCDATA={self._handle}", timeout=15.0).blobs)
            except AtError:
                piece = b""  # the client has ended the request, and says so in #XHTTPCSTAT
            body += piece
            if piece:
                continue
            if end := self._ended(_MOMENT):
                if length >= 0 or end.split(",")[1] == "-1":
                    raise NoAnswer(f"{len(body)} of {max(length, 0)} bytes came, then {end}")
                break
        return body

    def _finish(self, *, cancel: bool) -> None:
        """Hear the line that ends the request: the next one may have the same handle, and would take it for its own.

        ``cancel``: the client does not know that nothing more comes.
        """
        if cancel:
            with suppress(AtError):  # it has found out meanwhile
                self._port.command(f"AT#XHTTPCCANCEL={self._handle}")
        self._ended(_STATUS)

    def _ended(self, seconds: float) -> str:
        """Return the line by which the client says that the request is over, empty: it does not in that time."""
        with suppress(NoAnswer):
            return self._port.wait_line(rf"#XHTTPCSTAT: {self._handle},", seconds, since=self._mark).text
        return ""

    def _none(self, why: str) -> NoReply:
        return NoReply(f"{self._port.name}: no reply from {self._host} to {self._request.method}: {why}")


def without_chunks(body: bytes) -> bytes:
    r"""Return the content of a body that came in chunks (RFC 9112, 7.1), and any other body as it is.

    The client passes the chunks' framing on, and the headers that would tell it not.

    >>> without_chunks(b"3\r\nabc\r\n0\r\n\r\n")
    b'abc'
    """
    content, rest = b"", body
    while found := re.match(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?\r\n", rest):
        size = int(found[1], 16)
        piece, rest = rest[found.end() : found.end() + size], rest[found.end() + size :]
        if size == 0:
            return content
        if not rest.startswith(b"\r\n"):  # nor where the piece is cut short
            break
        content, rest = content + piece, rest[2:]
    return body
