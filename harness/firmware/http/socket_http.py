"""HTTP spoken on this computer, through a TLS socket of the board: for firmware that has no HTTP client of its own."""

import http.client
import socket
from collections.abc import Callable
from typing import Final

from harness.at import AtPort
from harness.firmware.bridge import AtSocket, Through
from harness.firmware.bridge.listener import carry
from harness.firmware.http.exchange import BoardHttp, HttpReply, HttpRequest, HttpServer, NoReply
from harness.timeline import Kind

_HTTPS: Final = 443


class SocketHttp(BoardHttp):
    """``make_socket``: a new socket of the board. See BoardHttp."""

    def __init__(self, port: AtPort, make_socket: Callable[[AtPort], AtSocket]) -> None:
        super().__init__(port)
        self._make_socket = make_socket

    def exchange(self, server: HttpServer, request: HttpRequest, *, timeout: float = 60.0) -> HttpReply:
        """Send a request. See BoardHttp."""
        ours, boards = socket.socketpair()
        with ours:
            ours.settimeout(timeout)
            try:
                to = Through(server.host, server.port, server.sec_tag, timeout)
                pump = carry(boards, self._make_socket(self.port), to)
            except BaseException:
                boards.close()
                raise
            try:
                return self._speak(ours, server, request)
            except (OSError, http.client.HTTPException) as error:
                raise NoReply(f"{self.port.name}: no reply from {server.host}: {error}") from (pump.failure or error)
            finally:
                pump.stop()

    def _speak(self, ours: socket.socket, server: HttpServer, request: HttpRequest) -> HttpReply:
        connection = http.client.HTTPConnection(server.host, server.port)
        connection.sock = ours
        self.port.timeline.add(Kind.TX, self.port.name, f"HTTP {request.method} {request.target}")
        host = server.host if server.port == _HTTPS else f"{server.host}:{server.port}"
        headers = {"Host": host, **request.headers}
        connection.request(request.method, request.target, request.body or None, headers)
        answer = connection.getresponse()
        return HttpReply(answer.status, answer.read())
