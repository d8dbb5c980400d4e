"""Local addresses that lead through a board: what one connection's trouble costs the others."""

import socket
from queue import SimpleQueue

import pytest

from harness.at import AtFormatError
from harness.errors import LabError, Misuse, NoAnswer
from harness.firmware.bridge import BridgeListener, Through
from tests.unit.firmware.bridge.far_socket import FarSocket, Port

DEADLINE = 10.0
TO = Through("h", 1, None)


class Garbled(FarSocket):
    def connect(self, host, port, sec_tag, *, timeout):
        raise AtFormatError("AT#XSOCKET: no handle")


def listener(*sockets):
    """Return a listener whose connections get these sockets in order, and what it tells."""
    told: SimpleQueue[str] = SimpleQueue()
    made = iter(sockets)
    return BridgeListener(lambda: next(made), TO, told=told.put), told


def test_a_connection_that_fails_is_told_and_the_next_one_is_served():
    port = Port()
    made, told = listener(Garbled(port), FarSocket(port, echo=True))
    with made:
        with socket.create_connection(made.address, timeout=DEADLINE) as first:
            assert first.recv(1) == b""
        assert told.get(timeout=DEADLINE) == "dk1: AT#XSOCKET: no handle"
        with socket.create_connection(made.address, timeout=DEADLINE) as second:
            second.sendall(b"x")
            assert second.recv(1) == b"x"


def test_what_is_told_names_the_board_once():
    port = Port()
    failing = FarSocket(port)
    failing.failure = NoAnswer("dk1: no answer to AT#XSEND")
    hung_up = FarSocket(port)
    made, told = listener(failing, hung_up, FarSocket(port))
    begun = "dk1: a connection goes to h:1 without TLS by socket 0"
    with made:
        with socket.create_connection(made.address, timeout=DEADLINE) as program:
            assert told.get(timeout=DEADLINE) == begun
            program.sendall(b"x")
            assert told.get(timeout=DEADLINE) == "dk1: a connection has ended: no answer to AT#XSEND"
        with socket.create_connection(made.address, timeout=DEADLINE):
            assert told.get(timeout=DEADLINE) == begun
            hung_up.hang_up()
            assert told.get(timeout=DEADLINE) == "dk1: a connection has ended: the peer has closed"
        with socket.create_connection(made.address, timeout=DEADLINE) as program:
            assert told.get(timeout=DEADLINE) == begun
            made.pumps[-1].stop()
            assert told.get(timeout=DEADLINE) == "dk1: a connection has ended: the local program has closed it"


def test_a_connection_that_does_not_end_keeps_no_other_from_being_ended(monkeypatch):
    port = Port()
    sockets = [FarSocket(port), FarSocket(port)]
    made, told = listener(*sockets)
    programs = [socket.create_connection(made.address, timeout=DEADLINE) for _ in sockets]
    for _ in sockets:
        told.get(timeout=DEADLINE)
    stubborn, _ = made.pumps
    stop = stubborn.stop

    def hang():
        raise LabError("dk1: the bridge did not end")

    monkeypatch.setattr(stubborn, "stop", hang)
    with pytest.raises(LabError, match="did not end"):
        made.close()
    assert sockets[1].closed.is_set()
    stop()
    for program in programs:
        program.close()


def test_a_socket_that_cannot_be_made_is_told_as_it_is():
    told: SimpleQueue[str] = SimpleQueue()

    def make():
        raise LabError("the board has no sockets")

    with (
        BridgeListener(make, TO, told=told.put) as made,
        socket.create_connection(made.address, timeout=DEADLINE) as program,
    ):
        assert program.recv(1) == b""
        assert told.get(timeout=DEADLINE) == "the board has no sockets"


def test_what_fails_later_names_the_board_once():
    class Nowhere(FarSocket):
        def connect(self, host, port, sec_tag, *, timeout):
            raise LabError("dk1: no way")

    made, told = listener(Nowhere(Port()))
    with made, socket.create_connection(made.address, timeout=DEADLINE) as program:
        assert program.recv(1) == b""
        assert told.get(timeout=DEADLINE) == "dk1: no way"


def test_a_port_that_is_taken_is_the_callers_mistake():
    made, _ = listener()
    with made:
        number = made.address[1]
        with pytest.raises(Misuse) as caught:
            BridgeListener(lambda: FarSocket(), TO, port=number)
        assert str(caught.value) == (
            f"cannot listen on 127.0.0.1:{number}: Address already in use; choose another port"
        )


def test_each_listener_has_a_port_of_its_own_unless_one_is_named():
    first, _ = listener()
    with first:
        second, _ = listener()
        with second:
            assert second.address[0] == first.address[0] == "127.0.0.1"
            assert second.address[1] != first.address[1]


def test_its_thread_keeps_no_program_alive():
    made, _ = listener()
    with made:
        assert made._thread.daemon
        assert made._thread.name == "bridge-listener"
    assert not made._thread.is_alive()
    made.close()  # once more does no harm


def test_small_pieces_are_not_held_back():
    port = Port()
    made, told = listener(FarSocket(port))
    with made, socket.create_connection(made.address, timeout=DEADLINE):
        told.get(timeout=DEADLINE)
        (pump,) = made.pumps
        assert pump._local.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
