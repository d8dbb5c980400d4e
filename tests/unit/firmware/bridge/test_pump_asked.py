"""A pump that is asked: whether the connection stands, and to have everything handed over first."""

import threading
import time

import pytest

from harness.errors import LabError
from harness.firmware.bridge import SocketEnd
from tests.unit.firmware.bridge.far_socket import FarSocket

DEADLINE = 10.0


def test_the_board_is_asked_because_a_line_may_be_lost(ends):
    far = FarSocket()
    ours, pump = ends(far)
    assert pump.ask(DEADLINE)
    far.arrived += b"unheard"
    assert pump.ask(DEADLINE)
    assert ours.recv(100) == b"unheard"
    far._over = True
    assert not pump.ask(DEADLINE)


def test_a_board_that_has_restarted_in_silence_has_no_such_socket(ends):
    far = FarSocket()
    _, pump = ends(far)
    far.handle = -1
    assert not pump.ask(DEADLINE)
    pump.join(DEADLINE)
    assert pump.end is SocketEnd.INVALID


def test_settling_hands_over_everything_that_has_come(ends):
    far = FarSocket(gives=100)
    ours, pump = ends(far)
    far.arrived += b"unheard" * 100
    heard = bytearray()

    def read():
        while len(heard) < 700:
            heard.extend(ours.recv(7))

    reader = threading.Thread(target=read)
    reader.start()
    pump.settle(DEADLINE)
    assert not far.arrived
    reader.join(DEADLINE)
    assert bytes(heard) == b"unheard" * 100
    pump.stop()
    pump.settle(DEADLINE)  # nothing is left to do


def test_settling_gives_up_on_a_program_that_does_not_read(ends):
    far = FarSocket()
    _, pump = ends(far)
    far.arrived += b"x"
    pump.settle(0.2)
    assert pump.running


class Asked:
    """Plays a pump that is settled: ``answers`` bring so many bytes each; the program reads
    for ``unread`` looks.
    """

    def __init__(self, monkeypatch, pump, answers, unread):
        self.asks, self.left, self.looks = [], list(answers), 0
        self.unread = unread
        self.pump = pump
        monkeypatch.setattr(pump, "ask", self.ask)
        monkeypatch.setattr(pump, "_unread", self.look)

    def ask(self, timeout):
        self.asks.append(timeout)
        self.pump.received += self.left.pop(0)
        return bool(self.left)

    def look(self):
        self.looks += 1
        return self.unread > 0 and self.looks <= self.unread


@pytest.mark.parametrize(
    ("received", "answers", "asks"),
    [(0, [3, 2, 0, 9], 3), (0, [0, 9], 1), (1, [0, 9], 1), (0, [1], 1), (5, [2, 0, 9], 2)],
)
def test_the_board_is_asked_until_an_answer_brings_nothing_or_it_has_ended(ends, monkeypatch, received, answers, asks):
    _, pump = ends(FarSocket())
    pump.received = received
    played = Asked(monkeypatch, pump, answers, unread=2)
    pump.settle(DEADLINE)
    assert played.asks == [DEADLINE] * asks
    assert played.looks == 3, "the program has not read everything before"


def test_a_program_that_does_not_read_has_its_time(ends, monkeypatch):
    _, pump = ends(FarSocket())
    played = Asked(monkeypatch, pump, [0, 0], unread=100)
    monkeypatch.setattr(time, "monotonic", lambda: 50.0)
    pump.settle(0.0)
    assert played.looks == 1


def test_what_the_program_has_not_read_yet_is_waited_for(ends):
    far = FarSocket()
    ours, pump = ends(far)
    assert not pump._unread()
    far.arrived += b"x"
    assert pump.ask(DEADLINE)
    assert pump._unread()
    assert ours.recv(100) == b"x"
    assert not pump._unread()


def test_a_closed_socket_holds_nothing_back(ends):
    _, pump = ends(FarSocket())
    pump.stop()
    assert not pump._unread()


class Waits:
    """Plays the sign that the board was asked: it comes at the ``n``-th look. Notes how long each look took."""

    def __init__(self, comes_at):
        self.comes_at, self.waits = comes_at, []

    def clear(self):
        self.waits.clear()

    def wait(self, seconds):
        self.waits.append(seconds)
        return len(self.waits) >= self.comes_at

    def set(self):
        pass


@pytest.mark.parametrize(
    ("timeout", "waits"), [(0.25, [0.1, 0.1, 0.05]), (0.3, [0.1, 0.1, 0.1]), (0.05, [0.05]), (0.1, [0.1])]
)
def test_a_bridge_that_does_not_come_to_ask_is_the_labs_error(ends, monkeypatch, timeout, waits):
    _, pump = ends(FarSocket())
    monkeypatch.setattr(pump, "_looked", looked := Waits(99))
    with pytest.raises(LabError, match=r"^dk1: the bridge did not come to ask the board about its socket$"):
        pump.ask(timeout)
    assert looked.waits == pytest.approx(waits)


def test_whoever_asks_is_answered_as_soon_as_the_board_was_asked(ends, monkeypatch):
    _, pump = ends(FarSocket())
    monkeypatch.setattr(pump, "_looked", looked := Waits(3))
    assert pump.ask(1.0) is True
    assert looked.waits == [0.1, 0.1, 0.1]
