"""How a connection to a port of another computer ends: by either side, in the middle, and in the same moment."""

import socket
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
import serial

from harness.at import tcp_port
from harness.at.network_stream import open_socket
from harness.at.stream import FdStream
from harness.at.tcp_port import TcpPort
from harness.errors import BoardLost
from tests.unit.at.test_network_stream import opened, read
from tests.unit.at.test_network_stream import server as server
from tests.unit.at.test_network_stream import stream as stream

# -- opening


def test_what_a_server_that_hung_up_has_left_is_read_without_waiting(server, monkeypatch):
    parts = [b"", b"last ", b"words\r\n"]
    allowed = []

    def recv(port, size):
        allowed.append(port.socket.gettimeout())
        if not parts:
            raise ConnectionResetError
        return parts.pop(0)

    server.take = lambda _data: b""
    server.start()
    monkeypatch.setattr(TcpPort, "recv", recv)
    with pytest.raises(serial.SerialException, match=r"^the server hung up: last words$"):
        opened(server)
    assert allowed[1:] == [0.0] * 3


def test_a_server_that_has_answered_nothing_when_its_time_is_over(server, monkeypatch):
    server.take = lambda _data: b""
    server.start()
    clock = iter([100.0, 103.0])
    monkeypatch.setattr("harness.at.network_stream.time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(serial.SerialException, match=r"^Remote does not seem to support RFC2217$"):
        opened(server)


# -- use


@pytest.mark.parametrize("scheme", ["rfc2217", "socket"])
def test_a_server_that_goes_away_loses_the_board(server, scheme):
    server.take, server.echo = (None if scheme == "rfc2217" else lambda data: data), True
    server.start()
    stream = opened(server) if scheme == "rfc2217" else open_socket(f"socket://{server.where}", "board-1")
    stream.write(b"x")
    assert read(stream, 1) == b"x"
    server.client.shutdown(socket.SHUT_RDWR)
    with pytest.raises(BoardLost, match=r"^board-1: the port went away \(end of data\): "):
        read(stream, 1)
    stream.close()


def test_what_is_to_be_replied_while_something_is_written_goes_behind_it(server, stream, monkeypatch):
    sent, reply, write = server.raw, b"\xff\xfc\x18", FdStream.write
    monkeypatch.setattr(FdStream, "write", lambda made, data: write(made, data) or stream._replies.append(reply))
    stream.write(b"AT\r")
    server.await_heard(lambda: server.raw == sent + b"AT\r" + reply)


class JustTaken:
    """A lock: whoever had it until now has taken what ``stream`` had to reply."""

    def __init__(self, stream):
        self.stream = stream

    def acquire(self, blocking):
        self.stream._replies.clear()
        return not blocking

    def release(self):
        pass


def test_a_reply_that_another_thread_has_just_sent_is_not_sent_again(server, stream, monkeypatch):
    sent = server.raw
    with monkeypatch.context() as in_between:
        in_between.setattr(stream, "_writing", JustTaken(stream))
        stream._replies.append(b"\xff\xfc\x18")
        stream._reply()
    stream.write(b"AT\r")
    server.await_heard(lambda: server.heard == b"AT\r")
    assert server.raw == sent + b"AT\r"


# -- closing


def test_a_server_that_hangs_up_too_is_waited_for(server, monkeypatch):
    """Until it has, it may refuse the next connection."""
    monkeypatch.setattr(tcp_port, "_GOODBYE", 30.0)
    server.start()
    stream = opened(server)
    server.say(b"one more line\r\n")
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 15
    assert server.client.fileno() == -1 or server.client.recv(1) == b""


def test_a_server_that_does_not_hang_up_is_not_waited_for_long(server, monkeypatch):
    monkeypatch.setattr(tcp_port, "_GOODBYE", 0.05)
    stays = threading.Event()
    talk = server.talk
    server.talk = lambda: (talk(), stays.wait(30))
    server.start()
    stream = opened(server)
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 15
    stays.set()


class HangingUp:
    """A connection to a server that says these parts before it hangs up. ``allowed``: seconds for each."""

    def __init__(self, *parts):
        self.parts = [*parts, b""]
        self.allowed = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def shutdown(self, how):
        assert how == socket.SHUT_WR

    def settimeout(self, seconds):
        self.allowed.append(seconds)

    def recv(self, _size):
        return self.parts.pop(0)


@pytest.mark.parametrize(
    ("clock", "allowed"),
    [
        ([100.0, 100.125, 100.25], [0.375, 0.25]),  # it hangs up
        ([100.0, 100.25, 100.5], [0.25]),  # its time is over
    ],
)
def test_until_it_hangs_up_a_server_may_go_on_as_long_as_it_has_time(monkeypatch, clock, allowed):
    monkeypatch.setattr(tcp_port, "_GOODBYE", 0.5)
    monkeypatch.setattr(tcp_port, "time", SimpleNamespace(monotonic=iter(clock).__next__))
    port: Any = TcpPort.__new__(TcpPort)
    port.socket = HangingUp(b"one more line\r\n")
    port.close()
    assert port.socket.allowed == allowed


def test_what_comes_is_acknowledged_at_once_from_now_on():
    """Behind an even number Linux goes back to taking its time."""
    options = []
    port: Any = TcpPort.__new__(TcpPort)
    port.socket = SimpleNamespace(setsockopt=lambda *option: options.append(option))
    port.acknowledge()
    assert options == [(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)]


def test_nothing_is_acknowledged_on_a_connection_that_is_gone(server):
    server.start()
    port = TcpPort(server.url)
    port.close()
    port.acknowledge()


def test_a_connection_that_is_gone_is_closed_quietly(server):
    server.start()
    stream = opened(server)
    server.end()
    stream.close()
