"""Single steps of a pump whose thread does not run, on a local socket that is played."""

import os
import select
import socket
import threading
import time
from typing import Any, ClassVar

import pytest

from harness.at import AtError
from harness.at.syntax import FinalResult
from harness.errors import BoardLost, LabError
from harness.firmware.bridge import Pump, SocketEnd
from harness.firmware.bridge.at_socket import Poll
from harness.timeline import Kind
from tests.unit.firmware.bridge.far_socket import FarSocket


class Local:
    """A local socket that takes ``takes`` bytes at a time, None: no more now; and has ``says`` to say."""

    def __init__(self, takes=99, says=b""):
        self.takes, self.says = takes, says
        self.sent = bytearray()
        self.shut: list[object] = []
        self.blocking = None
        self.asked = []

    def send(self, data):
        if isinstance(self.takes, OSError):
            raise self.takes
        if self.takes is None:
            raise BlockingIOError
        self.sent += data[: self.takes]
        return min(len(data), self.takes)

    def recv(self, most):
        self.asked.append(most)
        if isinstance(self.says, OSError):
            raise self.says
        return self.says

    def setblocking(self, blocking):
        self.blocking = blocking

    def shutdown(self, how):
        self.shut.append(how)
        raise OSError("it has gone")

    def close(self):
        self.shut.append("closed")


class Poller:
    """Plays select.poll(): nothing becomes ready."""

    waits: ClassVar[list[float]] = []
    watched: ClassVar[dict[object, int]] = {}

    def register(self, what, events):
        self.watched[what] = events

    def poll(self, milliseconds):
        self.waits.append(milliseconds)
        return []


@pytest.fixture
def made():
    """Make a pump; its pipe is closed afterwards."""
    pumps = []

    def make(local=None, far=None, **more) -> Any:
        far = far or FarSocket()
        far.handle = 0
        pumps.append(Pump(local or Local(), far, since=0, **more))  # type: ignore[arg-type]
        return pumps[-1]

    yield make
    for pump in pumps:
        if pump._wake >= 0:
            os.close(pump._wake)
            os.close(pump._woken)


def test_it_begins_with_nothing(made):
    pump = made()
    assert (pump.end, pump.failure, pump.sent, pump.received) == (None, None, 0, 0)
    assert bytes(pump._pending) == b""
    assert not os.get_blocking(pump._wake)
    assert (pump._thread.name, pump._thread.daemon) == ("bridge-dk1", True)
    local = Local()
    started = made(local)
    started._thread = threading.Thread(target=lambda: None)
    started.start()
    assert local.blocking is False


def test_what_was_received_is_handed_over_in_the_pieces_that_are_taken(made):
    pump = made(Local(takes=2))
    pump._pending = memoryview(b"abc")
    assert pump._deliver() is False
    assert bytes(pump._pending) == b"c"
    assert pump._deliver() is True
    assert bytes(pump._local.sent) == b"abc"
    pump._pending = memoryview(b"x")
    pump._local.takes = None
    assert pump._deliver() is False
    assert bytes(pump._pending) == b"x"
    assert pump._local_open is True


def test_nobody_wants_it_where_the_program_has_gone(made):
    pump = made(Local(takes=OSError("gone")))
    pump._pending = memoryview(b"abc")
    assert pump._deliver() is True
    assert bytes(pump._pending) == b""
    assert pump._local_open is False


def test_what_the_program_says_is_sent_in_pieces_that_the_board_takes(made):
    far = FarSocket(most=7)
    pump = made(Local(says=b"abc"), far)
    pump._forward()
    assert (bytes(far.sent), pump.sent, pump._local.asked) == (b"abc", 3, [7])
    pump._forward()
    assert pump.sent == 6
    for says in (BlockingIOError(), OSError("gone")):
        pump._local.says = says
        pump._forward()
    assert pump._local_open is False
    assert pump.sent == 6
    assert pump._until is None


def test_a_program_that_says_no_more_still_has_its_rest(made, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    pump = made(Local(says=b""))
    pump._forward()
    assert (pump._until, pump._local_open) == (105.0, True)


def test_a_board_that_takes_no_more_is_about_to_say_why(made):
    far = FarSocket()
    far.refuses = True
    pump = made(Local(says=b"abc"), far)
    pump._bits = Poll.IN
    pump._forward()
    assert (pump.sent, pump._send_failed, pump._bits) == (0, True, Poll.IN | Poll.HUP)


def test_what_arrives_late_is_waited_for_anew(made, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    far = FarSocket()
    pump = made(far=far)
    for until, later in ((None, None), (103.0, 105.0)):
        far.arrived += b"abc"
        pump._until, pump._bits = until, Poll.IN | Poll.ERR
        pump._receive()
        assert (pump._until, bytes(pump._pending), pump._bits) == (later, b"abc", Poll.ERR)
    assert pump.received == 6


def test_nothing_there_ends_nothing(made):
    pump = made()
    pump._bits = Poll.IN
    pump._receive()
    assert (pump._bits, pump.end, pump._asked) == (Poll(0), None, False)
    pump._look = True
    pump._receive()
    assert (pump.end, pump._look, pump._asked) == (None, False, True)
    pump._remote.handle = 5
    pump._look = True
    pump._receive()
    assert pump.end is SocketEnd.INVALID


def test_an_end_that_is_told_is_asked_for_once_more(made):
    far = FarSocket()
    pump = made(far=far)
    pump._bits = Poll.HUP
    pump._receive()
    assert (far.calls[-1], pump.end, pump._bits, pump._doubted) == (("poll",), None, Poll(0), True)
    pump._bits = Poll.ERR
    pump._receive()
    assert (pump.end, pump._remote_open) == (SocketEnd.NETWORK, False)


def test_a_socket_that_cannot_be_asked_any_more_is_no_socket_any_more(made):
    far = FarSocket()

    def poll():
        raise AtError("AT#XAPOLL", FinalResult("ERROR"))

    far.poll = poll
    pump = made(far=far)
    pump._bits = Poll.HUP
    pump._receive()
    assert (pump.end, pump._remote_open) == (SocketEnd.INVALID, False)


def test_the_program_is_waited_for_only_to_say_something(made):
    pump = made()
    waited = []
    pump._wait = lambda **how: waited.append(how)
    pump._step()
    assert waited == [{"read": True, "write": False}]


def test_only_what_concerns_the_socket_wakes_it(made):
    pump = made()
    timeline, woken = pump._port.timeline, []
    pump._poke = lambda: woken.append(timeline.mark())

    def see(kind, source, text):
        pump._see([timeline.add(kind, source, text)])
        return len(woken)

    assert see(Kind.FAULT, "dk2", "dk2: hung up") == 0
    assert see(Kind.STEP, "dk1", "something else") == 0
    assert see(Kind.URC, "dk1", "#XAPOLL: 0,1") == 1
    pump._port.alive = False
    assert see(Kind.FAULT, "dk2", "dk2: hung up") == 1
    assert see(Kind.TX, "dk1", "AT") == 1
    assert see(Kind.FAULT, "dk1", "dk1: hung up") == 2
    assert see(Kind.STEP, "dk1", "closed") == 3


def test_a_line_that_is_seen_twice_counts_once(made):
    pump = made()
    timeline = pump._port.timeline
    lines = [timeline.add(Kind.URC, "dk1", f"#XAPOLL: 0,{bits}") for bits in (1, 16)]
    pump._see(lines[:1])
    pump._take_told()
    pump._see(lines)
    pump._take_told()
    steps = [(event.source, event.text, event.data) for event in timeline.since() if event.kind is Kind.STEP]
    assert steps == [
        ("dk1", "socket 0: POLLIN (1, 0x0001)", {"socket": 0, "revents": 1}),
        ("dk1", "socket 0: POLLHUP (16, 0x0010)", {"socket": 0, "revents": 16}),
    ]
    assert pump._bits == Poll.IN | Poll.HUP


def test_what_no_line_tells_of_adds_to_what_was_told(made):
    pump = made()
    pump._bits = Poll.HUP
    pump._arrived()
    pump._take_told()
    assert pump._bits == Poll.IN | Poll.HUP


def test_whoever_asks_is_told_once_what_came_is_handed_over(made):
    pump = made(Local(takes=1))
    pump._asked, pump._pending = True, memoryview(b"ab")
    pump._looked.clear()
    waited = []
    pump._wait = lambda **how: waited.append(how)
    pump._step()
    assert not pump._looked.is_set()
    assert waited == [{"read": False, "write": True}]
    pump._step()
    pump._until = 0.0
    pump._wait_for_the_rest = lambda until: False
    pump._step()
    assert pump._looked.is_set()
    assert (pump._asked, pump._local_open) == (False, False)
    pump._step()
    assert pump._remote_open is False


def test_a_board_that_is_gone_ends_it(made):
    pump = made()
    pump._remote.port.hang_up()
    with pytest.raises(BoardLost, match=r"^dk1: hung up$"):
        pump._step()

    class Closed:
        name, alive, failure = "dk1", False, None

    pump._port = Closed()
    with pytest.raises(BoardLost, match=r"^dk1: the port is closed$"):
        pump._step()
    trouble = made()
    trouble._remote.trouble = LabError("dk1: too slow")
    with pytest.raises(LabError, match="too slow"):
        trouble._step()


def test_a_thread_that_hangs_is_the_labs_error(made):
    pump = made()
    waits = []

    class Thread:
        def join(self, timeout):
            waits.append(timeout)

        def is_alive(self):
            return True

    pump._thread = Thread()
    with pytest.raises(LabError, match=r"^dk1: the bridge did not end within 2\.5 s; the board may hang$"):
        pump.join(2.5)
    assert waits == [2.5]


@pytest.mark.parametrize("first", [None, LabError("dk1: first")])
def test_the_end_closes_everything_whatever_fails(made, first):
    told = []

    class Stuck(FarSocket):
        def close(self):
            raise LabError("dk1: it does not close")

    pump = made(Local(), Stuck(), ended=told.append)
    woken, wake = pump._woken, pump._wake
    pump.failure = first
    pump._finish()
    assert str(pump.failure) == ("dk1: it does not close" if first is None else "dk1: first")
    assert told == [pump]
    assert pump._looked.is_set()
    assert pump._local.shut == [socket.SHUT_RDWR, "closed"]
    assert pump._wake == -1
    for number in (woken, wake):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)
    pump._poke()  # nobody is there to wake


def test_a_board_that_is_gone_is_told_nothing_more(made):
    pump = made()
    pump._remote.port.hang_up()
    pump._finish()
    assert not pump._remote.closed.is_set()
    assert pump.failure is None


def test_the_board_goes_before_the_program(made):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pump = made(theirs)
        pump._poke()
        pump._poke()
        ours.send(b"x")
        assert pump._wait(read=True, write=False) is False
        assert pump._wait(read=True, write=False) is True
        assert pump._wait(read=False, write=True) is True


def test_the_rest_has_what_is_left_of_its_time(made, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(select, "poll", Poller)
    pump = made()
    Poller.waits, Poller.watched = [], {}
    for until in (102.5, 100.0, 99.0):
        assert pump._wait_for_the_rest(until) is False
    assert Poller.waits == [2500.0, 0.0, 0.0], "milliseconds"
    assert Poller.watched == {pump._woken: select.POLLIN, pump._local: 0}


@pytest.mark.parametrize("wakes", [True, False])
def test_the_rest_is_waited_for_until_its_time(made, wakes):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pump = made(theirs)
        if wakes:
            pump._poke()
        assert pump._wait_for_the_rest(time.monotonic() + (10.0 if wakes else -1.0)) is wakes


def test_nobody_waits_for_the_rest_of_a_program_that_has_gone(made):
    ours, theirs = socket.socketpair()
    with theirs:
        pump = made(theirs)
        ours.close()
        assert pump._wait_for_the_rest(time.monotonic() + 10.0) is False
