"""Bytes between a local socket and a board's: all of them, in order, held back where somebody is slow."""

import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BoardLost, NoAnswer
from harness.firmware.bridge import Pump, SocketEnd
from harness.timeline import Kind
from tests.unit.firmware.bridge.far_socket import FarSocket, Port

DEADLINE = 10.0


def everything(ours):
    heard = b""
    while part := ours.recv(65536):
        heard += part
    return heard


def written_until_full(ours):
    """Write as much as the local socket takes."""
    ours.setblocking(False)
    written = 0
    try:
        while True:
            written += ours.send(b"x" * 65536)
    except BlockingIOError:
        return written


def steps(far):
    return [event.text for event in far.port.timeline.since(0) if event.kind is Kind.STEP]


@settings(max_examples=40, deadline=None)
@given(
    pieces=st.lists(st.binary(min_size=1, max_size=300), max_size=12),
    most=st.integers(1, 64),
    gives=st.integers(1, 64),
)
def test_no_byte_is_lost_at_any_size_of_pieces(pieces, most, gives):
    far = FarSocket(most=most, gives=gives, echo=True)
    ours, boards = socket.socketpair()
    ours.settimeout(DEADLINE)
    mark = far.port.timeline.mark()
    far.connect("h", 1, None, timeout=1.0)
    pump = Pump(boards, far, since=mark)
    pump.start()
    whole = b"".join(pieces)
    for piece in pieces:
        ours.sendall(piece)
    heard = b""
    while len(heard) < len(whole):
        heard += ours.recv(65536)
    ours.close()
    pump.join(DEADLINE)
    assert (heard, bytes(far.sent)) == (whole, whole)
    assert (pump.sent, pump.received) == (len(whole), len(whole))


def test_what_came_before_the_peers_end_is_delivered_before_it(ends):
    far = FarSocket(gives=10)
    ended = threading.Event()
    ours, pump = ends(far, ended=lambda _pump: ended.set())
    far.arrived += b"x" * 95
    far.hang_up()
    assert everything(ours) == b"x" * 95
    assert ended.wait(DEADLINE)
    assert far.closed.is_set()
    assert pump.end is SocketEnd.PEER
    assert steps(far)[0] == "socket 0: POLLIN POLLHUP (17, 0x0011)"
    assert steps(far)[-1] == "socket 0: the peer has closed"


@pytest.mark.parametrize(
    ("bits", "end"),
    [
        (16, SocketEnd.PEER),
        (8, SocketEnd.NETWORK),
        (9, SocketEnd.NETWORK),
        (32, SocketEnd.INVALID),
    ],
)
def test_how_it_ended(ends, bits, end):
    far = FarSocket()
    ours, pump = ends(far)
    far.hang_up(bits)
    assert everything(ours) == b""
    pump.join(DEADLINE)
    assert pump.end is end


def test_a_socket_that_fails_although_the_peer_hung_up_was_reset(ends):
    far = FarSocket()
    ours, pump = ends(far)
    far.receive = lambda: None
    far.hang_up(17)
    assert everything(ours) == b""
    pump.join(DEADLINE)
    assert pump.end is SocketEnd.RESET


def test_an_end_that_is_told_of_a_former_socket_with_the_same_handle_ends_nothing(ends):
    far = FarSocket()
    ours, pump = ends(far)
    far._tell(17)
    far.arrive(b"")
    far.port.timeline.wait(lambda event: event.kind is Kind.STEP, since=0, timeout=DEADLINE)
    far._told = False
    far.arrive(b"still here")
    assert ours.recv(100) == b"still here"
    assert pump.ask(DEADLINE)
    assert ("poll",) in far.calls


def test_a_board_that_takes_no_bytes_any_more_ends_it(ends):
    far = FarSocket()
    far.refuses = True
    ours, pump = ends(far)
    ours.sendall(b"x")
    assert everything(ours) == b""
    pump.join(DEADLINE)
    assert pump.end is SocketEnd.RESET


def test_what_the_board_tells_while_it_refuses_bytes_is_on_record_before_the_end(ends):
    far = FarSocket()
    ours, pump = ends(far)

    def send(_data):
        """Take the bytes too late: the peer has hung up, and the line that tells it comes with the stream's end."""
        far.receive = receive
        return False

    def receive():
        far.hang_up(17)
        return b""

    far.send = send
    ours.sendall(b"x")
    assert everything(ours) == b""
    pump.join(DEADLINE)
    assert steps(far)[-2:] == ["socket 0: POLLIN POLLHUP (17, 0x0011)", f"socket 0: {SocketEnd.PEER}"]


def test_a_local_program_that_goes_closes_the_boards_socket_behind_its_last_bytes(ends):
    far = FarSocket(most=7)
    ours, pump = ends(far)
    ours.sendall(b"y" * 100)
    ours.close()
    assert far.closed.wait(DEADLINE)
    assert bytes(far.sent) == b"y" * 100
    pump.join(DEADLINE)
    assert pump.end is None


def test_a_local_program_that_sends_no_more_still_gets_its_answer(ends):
    far = FarSocket(gives=7)
    asked, send = threading.Event(), far.send

    def telling(data):
        done = send(data)
        asked.set()
        return done

    far.send = telling
    ours, pump = ends(far)
    ours.sendall(b"question")
    ours.shutdown(socket.SHUT_WR)
    assert asked.wait(DEADLINE)
    far.port.timeline.wait(lambda _event: False, since=0, timeout=0.1)  # time to take the end for a farewell
    assert pump.ask(DEADLINE)
    far.arrive(b"the answer")
    far.hang_up()
    assert everything(ours) == b"the answer"
    pump.join(DEADLINE)
    assert pump.end is SocketEnd.PEER


def test_a_local_program_that_sends_no_more_is_not_waited_for_without_end(ends, monkeypatch):
    monkeypatch.setattr("harness.firmware.bridge.pump._REST", 0.05)
    far = FarSocket()
    ours, pump = ends(far)
    ours.shutdown(socket.SHUT_WR)
    assert everything(ours) == b""
    assert far.closed.is_set()
    pump.join(DEADLINE)
    assert pump.end is None


def test_a_local_program_that_does_not_read_holds_the_peer_back(ends):
    far = FarSocket()
    ours, _ = ends(far)
    far.arrived += b"z" * 4_000_000
    far.arrive(b"z")
    assert ours.recv(1, socket.MSG_PEEK) == b"z"
    far.port.timeline.wait(lambda _event: False, since=0, timeout=0.3)
    left = len(far.arrived)
    assert left > 1_000_000  # the modem still has most of it
    heard = 0
    while heard < 4_000_001:
        heard += len(ours.recv(1 << 20))
    assert heard == 4_000_001


def test_a_program_that_is_faster_than_the_uart_is_held_back(ends):
    far = FarSocket()
    gate, entered, send = threading.Event(), threading.Event(), far.send

    def slow(data):
        entered.set()
        assert gate.wait(DEADLINE)
        return send(data)

    far.send = slow
    ours, _ = ends(far)
    written = written_until_full(ours)
    assert entered.wait(DEADLINE)
    assert written < 4_000_000
    gate.set()
    ours.close()
    assert far.closed.wait(DEADLINE)
    assert len(far.sent) == written


def test_nothing_is_polled(ends):
    far = FarSocket()
    ours, _ = ends(far)
    far.arrive(b"a")
    assert ours.recv(10) == b"a"
    far.port.timeline.wait(lambda _event: False, since=0, timeout=0.2)
    assert far.calls[1:] == [("receive",)]  # poll() is called by connect() alone


def test_other_sockets_lines_are_not_this_ones(ends):
    far = FarSocket()
    ours, pump = ends(far)
    far.port.timeline.add(Kind.URC, "dk1", "#XAPOLL: 1,17")
    far.port.timeline.add(Kind.URC, "dk2", "#XAPOLL: 0,17")
    far.arrive(b"still here")
    assert ours.recv(100) == b"still here"
    assert pump.running


def test_a_board_that_fails_ends_the_bridge_with_the_reason(ends):
    far = FarSocket()
    far.failure = NoAnswer("dk1: no answer")
    ours, pump = ends(far)
    ours.sendall(b"x")
    assert everything(ours) == b""
    pump.join(DEADLINE)
    assert pump.failure is far.failure


def test_a_port_that_fails_ends_the_bridge_though_nobody_sends(ends):
    port = Port()
    far = FarSocket(port)
    ours, pump = ends(far)
    far.arrive(b"a")
    assert ours.recv(10) == b"a"
    port.hang_up()
    assert everything(ours) == b""
    pump.join(DEADLINE)
    assert isinstance(pump.failure, BoardLost)
    assert not far.closed.is_set()  # there is no board to tell


def test_stopping_closes_both(ends):
    far = FarSocket()
    ours, pump = ends(far)
    pump.stop()
    assert far.closed.is_set()
    assert everything(ours) == b""


def test_the_end_is_a_step_of_the_board(ends):
    far = FarSocket()
    ours, _ = ends(far)
    far.hang_up()
    assert everything(ours) == b""
    assert far.closed.wait(DEADLINE)
    steps = [(event.source, event.text) for event in far.port.timeline.since() if event.kind is Kind.STEP]
    assert ("dk1", "socket 0: the peer has closed") in steps


def test_stopping_has_half_a_minute(ends, monkeypatch):
    _, pump = ends(FarSocket())
    waits = []
    join = pump.join
    monkeypatch.setattr(pump, "join", lambda timeout: waits.append(timeout) or join(timeout))
    pump.stop()
    assert waits == [30.0]
