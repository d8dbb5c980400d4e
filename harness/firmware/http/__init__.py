"""HTTPS from the board: by a firmware's HTTP client, or by one on this computer through a socket of the board."""

from harness.firmware.http.exchange import BoardHttp, HttpReply, HttpRequest, HttpServer, NoReply
from harness.firmware.http.preview_http import PreviewHttp, make_http
from harness.firmware.http.slm_http import SlmHttp
from harness.firmware.http.socket_http import SocketHttp

__all__ = [
    "BoardHttp",
    "HttpReply",
    "HttpRequest",
    "HttpServer",
    "NoReply",
    "PreviewHttp",
    "SlmHttp",
    "SocketHttp",
    "make_http",
]
