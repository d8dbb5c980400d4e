"""The HTTP client of the Serial LTE Modem.

Source: nRF Connect SDK 3.1, Serial LTE Modem documentation, "HTTP client AT commands": status line, headers and body
come as they are, each followed by ``#XHTTPCRSP:<bytes>,<state>``; state 1 ends the reply. So the reply is read as
lines: good for what REST services send (JSON on one line), not for any bytes.
"""

import re
from contextlib import suppress
from typing import Final

from harness.at import AtError
from harness.errors import NoAnswer, about
from harness.firmware.http.exchange import BoardHttp, HttpReply, HttpRequest, HttpServer, NoReply
from harness.firmware.interface import NoSession
from harness.timeline import Event, Kind

_SENT: Final = r"#XHTTPCREQ: ?(-?\d+)"
_PIECE: Final = re.compile(r"#XHTTPCRSP: ?(-?\d+),(-?\d+)\Z")
_ENDED: Final = r"#XHTTPCRSP: ?(?:\d+,1|-?\d+,-\d+)\Z"
_STATUS: Final = re.compile(r"HTTP/1\.[01] (\d{3})(?: |\Z)")
_TYPE: Final = "content-type"


class SlmHttp(BoardHttp):
    """See BoardHttp."""

    def exchange(self, server: HttpServer, request: HttpRequest, *, timeout: float = 60.0) -> HttpReply:
        """Send a request. See BoardHttp."""
        port, where = self.port, f'"{server.host}",{server.port},{server.sec_tag}'
        try:
            port.command(f"AT#XHTTPCCON=1,{where}", timeout=timeout)
        except AtError as refused:
            raise NoSession(
                f"{port.name}: no TLS session with {server.host}:{server.port} using sec_tag {server.sec_tag} "
                f"(the board says {refused.final}; name, network, trust and key all look alike to it)"
            ) from refused
        try:
            return self._ask(server, request, timeout)
        finally:
            with suppress(AtError):  # the server may have hung up
                port.command("AT#XHTTPCCON=0", timeout=15.0)

    def _ask(self, server: HttpServer, request: HttpRequest, timeout: float) -> HttpReply:
        port, mark = self.port, self.port.timeline.mark()
        try:
            if request.body:
                left = port.send_payload(_command(request), request.body, timeout)
                if left != 0:
                    raise NoAnswer(f"the body was not sent (#XDATAMODE: {left})")
            else:
                port.command(_command(request), timeout=timeout)
            sent = port.wait_line(_SENT, timeout, since=mark)
            port.wait_line(_ENDED, timeout, since=sent.seq)
        except (AtError, NoAnswer) as error:
            why = about(port.name, error)
            raise NoReply(f"{port.name}: no reply from {server.host} to {request.method}: {why}") from error
        return _reply(self._heard(mark), server, port.name)

    def _heard(self, mark: int) -> list[str]:
        events = self.port.timeline.since(mark)
        return [event.text for event in events if event.source == self.port.name and _of_a_reply(event)]


def _of_a_reply(event: Event) -> bool:
    return event.kind is Kind.URC or (event.kind is Kind.RX and "role" not in event.data)


def _command(request: HttpRequest) -> str:
    """Return the command. The four characters \\r\\n stand for a line end in its headers."""
    kept = {name: value for name, value in request.headers.items() if name.lower() != _TYPE}
    headers = "".join(f"{name}: {value}\\r\\n" for name, value in kept.items())
    command = f'AT#XHTTPCREQ="{request.method}","{request.target}","{headers}"'
    if not request.body:
        return command
    kind = next((value for name, value in request.headers.items() if name.lower() == _TYPE), "application/json")
    return f'{command},"{kind}",{len(request.body)}'


def _reply(lines: list[str], server: HttpServer, board: str) -> HttpReply:
    status, body, in_body = 0, "", False
    for line in lines:
        if found := _PIECE.match(line):
            if int(found[2]) < 0:
                raise NoReply(f"{board}: {server.host} hung up before its reply was complete ({line})")
            in_body = True
        elif not in_body and (found := _STATUS.match(line)):
            status = int(found[1])
        elif in_body and not line.startswith(("#", "+", "%")):
            body += line
    if not status:
        raise NoReply(f"{board}: expected the status line of {server.host}, got {' | '.join(lines) or 'nothing'}")
    return HttpReply(status, body.encode())
