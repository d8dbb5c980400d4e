"""Ports of other computers, against a server on loopback: pyserial's own, and ones that do not do what they should."""

import select
import socket
import threading
import time

import pytest
import serial

from harness.at import stream as stream_module
from harness.at.network_stream import open_rfc2217, open_socket
from harness.at.tcp_port import TcpPort
from harness.at.telnet import DO, DONT, SB, SE
from harness.errors import BoardLost, NoAnswer
from tests.unit.at.port_server import Server

ALL = bytes(range(256))
REJECTED, LATE = "remote rejected value for option '{}'", "timeout while waiting for option '{}'"


@pytest.fixture
def server():
    server = Server()
    yield server
    server.end()


def opened(server, url="", *, rate=115200, rtscts=False):
    return open_rfc2217(url or server.url, "board-1", rate=rate, rtscts=rtscts)


@pytest.fixture
def stream(server):
    server.start()
    stream = opened(server)
    yield stream
    stream.close()


def read(stream, size):
    """Read ``size`` bytes as the port's reader does."""
    data = b""
    while len(data) < size:
        mark = stream.wait()
        assert mark is not None
        data += stream.take(mark)
    return data


@pytest.fixture
def reader(stream):
    """Read the port in a thread of its own, as its reader does; return what came, and why it ended."""
    found = []

    def run():
        try:
            while (mark := stream.wait()) is not None:
                found.append(stream.take(mark))
        except BoardLost as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield found
    stream.stop()
    thread.join(10)


# -- opening


@pytest.mark.parametrize(
    ("rtscts", "flow"),
    [
        (False, [("rtscts", False), ("dtr", True), ("rts", True)]),
        (True, [("rtscts", True), ("dtr", True)]),
    ],
)
@pytest.mark.parametrize("options", ["", "?ign_set_control"])
def test_speed_and_lines_are_set_and_old_bytes_dropped(server, rtscts, flow, options):
    server.start()
    opened(server, server.url + options, rate=460800, rtscts=rtscts).close()
    lines = server.lines.calls
    assert ("baudrate", 460800) in lines
    assert [call for call in lines if call[0] in ("rtscts", "dtr", "rts")] == flow
    assert lines[-2:] == ["purge to send", "purge received"]


def test_what_the_server_greets_with_is_not_the_boards(server):
    server.first = b"ser2net port 1\r\n"
    server.start()
    stream = opened(server)
    server.say(b"Ready\r\n")
    assert read(stream, 7) == b"Ready\r\n"
    stream.close()


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        (b"", ""),
        (
            b"\xff\xfb\x03\xff\xfd\x2cDevice open failure: Value or file not found\r\n",
            ": Device open failure: .* found",
        ),
        (b"ser2net\r\n\r\nlast \xe9words\r\n  \r\n", ": last words"),
        (b"x" * 2000, f": {'x' * 1000}"),
    ],
)
def test_a_server_that_hangs_up_is_quoted(server, monkeypatch, said, quoted):
    server.first = said
    server.take = lambda _data: None
    server.start()
    closed = []
    close = TcpPort.close
    monkeypatch.setattr(TcpPort, "close", lambda port: closed.append(close(port)))
    with pytest.raises(serial.SerialException, match=f"^the server hung up{quoted}$"):
        opened(server)
    assert len(closed) == 1


def test_a_server_that_hangs_up_in_the_middle_is_quoted(server):
    """Where the next request meets a connection that is gone."""
    asked = []

    def take(data):
        asked.append(data)
        if len(asked) == 1:
            server.client.sendall(bytes((0xFF, DO, 0x2C)))
            return b""
        server.client.sendall(b"going down\r\n")
        return None

    server.take = take
    server.start()
    with pytest.raises(serial.SerialException, match=r"^the server hung up: going down$"):
        opened(server)


def test_a_server_that_does_not_speak_it(server):
    server.take = lambda _data: b""
    server.start()
    with pytest.raises(serial.SerialException, match=r"^Remote does not seem to support RFC2217$"):
        opened(server, f"{server.url}?timeout=0.1")


def test_a_server_that_says_that_it_does_not_speak_it(server):
    server.first = bytes((0xFF, DONT, 0x2C))
    server.take = lambda _data: b""
    server.start()
    began = time.monotonic()
    with pytest.raises(serial.SerialException, match=r"^Remote does not seem to support RFC2217$"):
        opened(server, f"{server.url}?timeout=60")
    assert time.monotonic() - began < 30


def test_a_server_that_answers_no_request(server):
    server.first = bytes((0xFF, DO, 0x2C))
    server.take = lambda _data: b""
    server.start()
    with pytest.raises(serial.SerialException, match=f"^{LATE.format('set baudrate')}$"):
        opened(server, f"{server.url}?timeout=0.1")


def test_a_speed_that_the_server_refuses(server):
    server.start()
    with pytest.raises(serial.SerialException, match=f"^{REJECTED.format('set baudrate')}$"):
        opened(server, rate=2_000_000)


@pytest.mark.parametrize("ignored", [False, True])
def test_modem_lines_that_are_not_there(server, ignored):
    """A pty behind ser2net has none, and ser2net does not answer; so labgrid's URLs say that answers do not matter."""

    def take(data):
        for kind in (1, 2, 3, 4, 12):
            for value in data.split(bytes((0xFF, SB, 0x2C, kind)))[1:]:
                content = value.partition(bytes((0xFF, SE)))[0]
                server.client.sendall(bytes((0xFF, SB, 0x2C, kind + 100)) + content + bytes((0xFF, SE)))
        return b""

    server.first = bytes((0xFF, DO, 0x2C))
    server.take = take
    server.start()
    if ignored:
        opened(server, f"{server.url}?ign_set_control").close()
    else:
        with pytest.raises(serial.SerialException, match=f"^{LATE.format('set control')}$"):
            opened(server, f"{server.url}?timeout=0.1")


@pytest.mark.parametrize("url", ["rfc2217://", "rfc2217://rack", "socket://rack", "socket://:1"])
def test_a_url_without_host_or_port(url):
    with pytest.raises(ValueError, match=r"^it must name host and port$"):
        TcpPort(url)


def test_a_url_that_asks_for_something_unknown():
    with pytest.raises(ValueError, match=r"^no such setting: a, b$"):
        open_rfc2217("rfc2217://127.0.0.1:1?b&a=1&logging=debug", "board-1", rate=9600, rtscts=False)


def test_small_pieces_leave_at_once_and_a_dead_computer_is_noticed(server):
    server.start()
    port = TcpPort(server.url)
    options = [socket.TCP_NODELAY, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT]
    assert [port.socket.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [1, 10, 5, 3]
    assert port.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 25_000
    assert port.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert port.socket.gettimeout() == 5.0
    port.close()


# -- use


def test_every_byte_passes_both_ways(server, stream):
    stream.write(ALL)
    server.await_heard(lambda: server.heard == ALL)
    server.say(ALL)
    assert read(stream, 256) == ALL


def test_whoever_waits_reads_for_itself(server, stream):
    assert stream.hold()
    server.say(b"\xffOK\r\n")
    mark = stream.wait_holding(10)
    assert mark is not None
    assert stream.take(mark) == b"\xffOK\r\n"
    assert stream.wait_holding(0) is None
    stream.let_go()


def test_what_the_server_wants_in_between_is_answered(server, stream):
    server.client.sendall(b"A" + bytes((0xFF, DO, 0x18)) + b"B")
    assert read(stream, 2) == b"AB"
    server.await_heard(lambda: server.raw.endswith(b"\xff\xfc\x18"))
    with stream._writing:  # somebody writes: what is to be replied meanwhile goes out before what is written next
        for option in (0x18, 0x19):
            server.client.sendall(bytes((0xFF, DO, option)) + b"A")
            assert read(stream, 1) == b"A"
    stream.write(b"B")
    server.await_heard(lambda: server.heard == b"B")
    assert server.raw.endswith(b"\xff\xfc\x18\xff\xfc\x19B")


class Stopped:
    """A port whose server stops to read until ``goes_on``. Small buffers: some thousand bytes pass until then."""

    def __init__(self, server):
        self.goes_on = threading.Event()
        self.goes_on.set()
        filters = []

        def take(data):
            assert self.goes_on.wait(60)
            filters[:] = filters or [server.by_pyserial()]
            return filters[0](data)

        server.take = take
        server.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.start()
        self.stream = opened(server)
        self.client = self.stream._tcp.socket
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.goes_on.clear()

    def await_full(self):
        deadline = time.monotonic() + 30
        while select.select([], [self.client], [], 0)[1]:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)


@pytest.fixture
def stopped(server):
    stopped = Stopped(server)
    yield stopped
    stopped.goes_on.set()
    stopped.stream.close()


def test_a_writer_whose_server_stopped_to_read_does_not_keep_the_reader_waiting(server, stopped, monkeypatch):
    """The server may go on only when what it says was read."""
    monkeypatch.setattr(stream_module, "WRITE_TIMEOUT", 60.0)
    data = b"\xff" * 100_000
    writer = threading.Thread(target=stopped.stream.write, args=(data,))
    writer.start()
    stopped.await_full()
    server.client.sendall(b"A" + bytes((0xFF, DO, 0x18)) + b"B")
    began = time.monotonic()
    assert read(stopped.stream, 2) == b"AB"
    assert time.monotonic() - began < 30
    assert writer.is_alive()
    stopped.goes_on.set()
    writer.join(30)
    server.await_heard(lambda: server.heard == data)
    server.say(b"C")  # the last of the data may have left no room for the reply: then it goes with this
    assert read(stopped.stream, 1) == b"C"
    server.await_heard(lambda: server.raw.endswith(b"\xff\xfc\x18"))


@pytest.mark.parametrize("next_is", ["written", "taken"])
def test_a_reply_that_cannot_leave_waits_for_what_is_next(server, stopped, monkeypatch, next_is):
    monkeypatch.setattr(stream_module, "WRITE_TIMEOUT", 0.2)
    with pytest.raises(NoAnswer, match="the board takes no bytes"):
        stopped.stream.write(b"x" * 100_000)
    for option in (0x18, 0x19):
        server.client.sendall(bytes((0xFF, DO, option)) + b"A")
        assert read(stopped.stream, 1) == b"A"
    monkeypatch.setattr(stream_module, "WRITE_TIMEOUT", 60.0)
    stopped.goes_on.set()
    if next_is == "written":
        stopped.stream.write(b"B")
        server.await_heard(lambda: server.raw.endswith(b"x\xff\xfc\x18\xff\xfc\x19B"))
    else:
        assert select.select([], [stopped.client], [], 30)[1]
        server.say(b"C")
        assert read(stopped.stream, 1) == b"C"
        server.await_heard(lambda: server.raw.endswith(b"x\xff\xfc\x18\xff\xfc\x19"))


def test_what_only_the_server_says_is_nothing_of_the_board(server, stream):
    server.client.sendall(b"\xff\xfa\x2c\x6b\x10\xff\xf0")
    mark = stream.wait()
    assert stream.take(mark) == b""


@pytest.mark.parametrize("scheme", ["rfc2217", "socket"])
def test_an_answer_in_pieces_is_not_held_up(server, scheme):
    """A server with Nagle's algorithm keeps the second piece back until the first was acknowledged.

    That takes 40 ms if the client does not see to it. Other work may hold up some answers, but not each of thirty.
    """
    if scheme == "socket":
        server.take = lambda data: data
    server.start()
    stream = opened(server) if scheme == "rfc2217" else open_socket(f"socket://{server.where}", "board-1")
    took = []
    for number in range(1, 31):
        stream.write(b"AT\r")
        server.await_heard(lambda number=number: server.heard == b"AT\r" * number)
        began = time.monotonic()
        server.client.sendall(b"x" * 64)
        server.client.sendall(b"OK\r\n")
        assert read(stream, 68) == b"x" * 64 + b"OK\r\n"
        took.append(time.monotonic() - began)
    assert min(took[5:]) < 0.03
    stream.close()


def waits_of(stream, monkeypatch):
    """Each wait for an answer: whether it came, and the seconds that were allowed."""
    waits, wait_for = [], stream._heard.wait_for
    monkeypatch.setattr(stream._heard, "wait_for", lambda known, left: waits.append((wait_for(known, left), left)))
    return waits


@pytest.mark.usefixtures("reader")
def test_the_speed_is_changed(server, stream, monkeypatch):
    waits = waits_of(stream, monkeypatch)
    stream.change_baud(460800)
    assert server.lines.baudrate == 460800
    stream.change_baud(9600)
    assert server.lines.baudrate == 9600
    assert waits == [(True, 3.0)] * 2


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(("rate", "why"), [(2_000_000, REJECTED.format("set baudrate")), (0, "invalid baudrate: 0")])
def test_a_speed_that_cannot_be_had_loses_the_board(stream, rate, why):
    with pytest.raises(BoardLost) as caught:
        stream.change_baud(rate)
    assert str(caught.value).startswith(f"board-1: the port went away (cannot change to {rate} baud: {why}): ")


def test_a_speed_that_is_never_confirmed_loses_the_board(server, monkeypatch):
    server.start()
    stream = opened(server, f"{server.url}?timeout=0.2")
    waits = waits_of(stream, monkeypatch)
    with pytest.raises(BoardLost, match=LATE.format("set baudrate")):  # nobody reads
        stream.change_baud(9600)
    assert waits == [(False, 0.2)]
    stream.close()


def test_plain_bytes_pass_a_socket_as_they_are(server):
    server.take = lambda data: data
    server.start()
    stream = open_socket(f"socket://{server.where}", "board-1")
    stream.write(ALL)
    server.await_heard(lambda: server.heard == ALL)
    server.client.sendall(ALL)
    assert read(stream, 256) == ALL
    stream.change_baud(9600)  # changes nothing there
    stream.flush()
    stream.close()
