"""HTTP that this computer speaks through a socket of the board."""

import http.client
import socket

import pytest

from harness.errors import NoAnswer
from harness.firmware import NoSession
from harness.firmware.http import HttpReply, HttpRequest, HttpServer, NoReply, SocketHttp
from harness.timeline import Kind
from tests.unit.firmware.bridge.far_socket import FarSocket, Port

SERVER = HttpServer("api.nrfcloud.com", 443, 42)


class Server(FarSocket):
    """A board's socket with a server behind it, which says ``reply`` once it has got ``last``."""

    def __init__(self, port, reply, last=b"\r\n\r\n"):
        super().__init__(port, gives=10)
        self.reply = reply
        self.last = last

    def send(self, data):
        done = super().send(data)
        if self.sent.endswith(self.last):
            self.arrive(self.reply)
            self.hang_up()
        return done


def exchange(server, request):
    return SocketHttp(server.port, lambda _port: server).exchange(SERVER, request, timeout=5.0)


def test_a_request_and_its_reply():
    server = Server(Port(), b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n\0+++\r\nOK\r\n\r\n")
    reply = exchange(server, HttpRequest("GET", "/v1/x", {"Authorization": "Bearer t"}))
    assert reply == HttpReply(200, b"\0+++\r\nOK\r\n\r\n")
    assert server.calls[0] == ("connect", "api.nrfcloud.com", 443, 42, 5.0)
    head, *headers = bytes(server.sent).decode().splitlines()
    assert head == "GET /v1/x HTTP/1.1"
    assert {"Host: api.nrfcloud.com", "Authorization: Bearer t"} <= set(headers)
    assert server.closed.is_set()
    said = [event.text for event in server.port.timeline.since(0) if event.kind is Kind.TX]
    assert said == ["HTTP GET /v1/x"]  # the token is nobody's business


def test_a_request_with_a_body():
    server = Server(Port(), b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", last=b'{"a": 1}')
    request = HttpRequest("PATCH", "/x", {"Content-Type": "application/json"}, b'{"a": 1}')
    assert exchange(server, request) == HttpReply(202)
    assert b"Content-Length: 8\r\n" in bytes(server.sent)


@pytest.mark.parametrize("reply", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
def test_replies_that_are_none(reply):
    server = Server(Port(), reply)
    with pytest.raises(NoReply, match=r"dk1: no reply from api\.nrfcloud\.com"):
        exchange(server, HttpRequest("GET", "/"))
    assert server.closed.is_set()


def test_a_board_that_cannot_connect():
    server = Server(Port(), b"")

    def refuse(*_arguments, **_options):
        raise NoSession("dk1: no TLS session")

    server.connect = refuse
    with pytest.raises(NoSession, match="no TLS session"):
        exchange(server, HttpRequest("GET", "/"))


def test_the_time_that_is_given_is_the_connections_and_the_replys(monkeypatch):
    times = []
    monkeypatch.setattr(socket.socket, "settimeout", lambda self, seconds: times.append(seconds))
    for given in ({}, {"timeout": 33.0}):
        server = Server(Port(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        ports: list[object] = []

        def make_socket(port, made=server, seen=ports):
            seen.append(port)
            return made

        made_http = SocketHttp(server.port, make_socket)
        assert made_http.exchange(SERVER, HttpRequest("GET", "/"), **given) == HttpReply(200)
        assert ports == [server.port]
        assert server.calls[0][-1] == given.get("timeout", 60.0)
    assert [seconds for seconds in times if seconds] == [60.0, 33.0]


@pytest.mark.parametrize(("number", "host"), [(443, "h"), (8443, "h:8443")])
def test_another_port_is_named(number, host):
    server = Server(Port(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    SocketHttp(server.port, lambda _port: server).exchange(
        HttpServer("h", number, 42), HttpRequest("GET", "/"), timeout=5.0
    )
    assert f"Host: {host}\r\n".encode() in bytes(server.sent)
    (event,) = [event for event in server.port.timeline.since(0) if event.kind is Kind.TX]
    assert event.source == "dk1"


def test_why_there_was_no_reply_is_the_bridges_failure_where_it_has_one():
    class Failing(Server):
        def send(self, data):
            raise NoAnswer("dk1: no answer to AT#XSEND")

    server = Failing(Port(), b"")
    with pytest.raises(NoReply) as caught:
        exchange(server, HttpRequest("GET", "/"))
    assert str(caught.value.__cause__) == "dk1: no answer to AT#XSEND"
    with pytest.raises(NoReply) as caught:
        exchange(Server(Port(), b"nonsense\r\n\r\n"), HttpRequest("GET", "/"))
    assert isinstance(caught.value.__cause__, http.client.HTTPException)
