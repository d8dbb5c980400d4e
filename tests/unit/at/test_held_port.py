"""Who waits for an answer reads the port, and the port's own reader may have been on its way with it."""

import os
import termios
import threading
import tty
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from harness.at.dialogue import Dialogue
from harness.at.receiver import Receiver
from harness.at.stream import FdStream
from harness.at.syntax import parse_command
from harness.timeline import Timeline

DEADLINE = 10.0


@pytest.fixture(params=[0, 1], ids=["as-pyserial-sets-it", "as-tty-sets-it"])
def pty(request) -> Iterator[tuple[int, SimpleNamespace]]:
    """The board's end, and a device: with VMIN 0 it gives b"" where it has nothing, with VMIN 1 it fails to."""
    board, host = os.openpty()
    tty.setraw(host)
    attributes = termios.tcgetattr(host)
    attributes[6][termios.VMIN] = request.param
    termios.tcsetattr(host, termios.TCSANOW, attributes)
    yield board, SimpleNamespace(fileno=lambda: host, close=lambda: os.close(host), flush=lambda: None)
    os.close(board)


def test_a_holder_is_woken_by_what_the_reader_has_handed_out(pty):
    stream = FdStream(pty[1], "dk1")
    stream.nudge()  # nobody holds it: nothing is left behind
    assert stream.hold()
    assert stream.wait_holding(0.0) is None
    woken = threading.Event()

    def hold():
        assert stream.wait_holding(DEADLINE) is not None
        woken.set()

    thread = threading.Thread(target=hold)
    thread.start()
    stream.nudge()
    assert woken.wait(DEADLINE)
    thread.join(DEADLINE)
    assert stream.wait_holding(0.0) is None  # told once
    stream.let_go()
    stream.nudge()  # nobody holds it any more
    assert stream.hold()
    assert stream.wait_holding(0.0) is None
    stream.let_go()
    stream.close()


def test_a_holder_that_is_told_sees_what_is_there_too(pty):
    """Bytes that are there and then are not, without our reader, are the loss of the board: so it must know."""
    board, device = pty
    stream = FdStream(device, "dk1")
    assert stream.hold()
    stream.nudge()
    told = stream.wait_holding(DEADLINE)
    os.write(board, b"OK\r\n")
    arrived = stream.wait_holding(DEADLINE)
    stream.nudge()
    both = stream.wait_holding(DEADLINE)
    assert (arrived, both) == (0, 0)
    assert told is not None
    assert told < 0
    stream.let_go()
    stream.close()


def test_a_holder_that_cannot_read_what_it_was_told_goes_on(pty, monkeypatch):
    """The port may be closed in that moment."""
    stream = FdStream(pty[1], "dk1")
    assert stream.hold()
    stream.nudge()
    with monkeypatch.context() as closing:
        closing.setattr("harness.at.stream.os.read", lambda fd, size: (_ for _ in ()).throw(OSError("closed")))
        assert stream.wait_holding(DEADLINE) is not None
    stream.let_go()
    stream.close()


def test_the_reader_sleeps_while_the_port_is_held(pty):
    board, device = pty
    stream = FdStream(device, "dk1")
    assert stream.hold()
    woken = threading.Event()
    reader = threading.Thread(target=lambda: (stream.wait(), woken.set()))
    reader.start()
    os.write(board, b"OK\r\n")
    assert stream.wait_holding(DEADLINE) is not None
    woke_too_early = woken.wait(0.05)
    stream.let_go()
    assert woken.wait(DEADLINE)  # nobody has taken the bytes yet
    reader.join(DEADLINE)
    stream.close()
    assert not woke_too_early


def test_a_holder_that_was_told_often_enough_is_told_no_more(pty):
    stream = FdStream(pty[1], "dk1")
    assert stream.hold()
    for _ in range(65_537):  # a pipe holds 65536 bytes
        stream.nudge()
    assert stream.wait_holding(DEADLINE) is not None
    stream.let_go()
    stream.close()


def test_an_answer_that_the_reader_took_before_the_port_was_held_is_not_waited_for(pty):
    """It used to be found when the command's time was over."""
    board, device = pty

    class Slow(FdStream):
        """Its reader has seen that something is there, and takes it when somebody holds the port."""

        on_its_way, may_go, taken = threading.Event(), threading.Event(), threading.Event()

        def wait(self):
            mark = super().wait()
            self.on_its_way.set()
            assert self.may_go.wait(DEADLINE)
            return mark

        def take(self, mark):
            data = super().take(mark)
            self.taken.set()
            return data

        def wait_holding(self, timeout):
            self.may_go.set()
            assert self.taken.wait(DEADLINE)
            return super().wait_holding(timeout)

    stream = Slow(device, "dk1")
    receiver = Receiver(stream, Dialogue(), name="dk1", timeline=Timeline())
    receiver.begin(parse_command("AT"), None, needs_line=False)
    os.write(board, b"OK\r\n")
    assert stream.on_its_way.wait(DEADLINE)
    found = []
    waiter = threading.Thread(target=lambda: found.append(receiver.outcome(DEADLINE * 100)))
    waiter.start()
    waiter.join(DEADLINE)
    assert [outcome.final.kind for outcome in found] == ["OK"]
    assert not receiver.failed  # nothing is there for the holder, because our own reader took it
    receiver.close()
