"""Who waits for a line reads the port, and nothing that another thread does meanwhile is missed."""

import math
import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from harness.at.dialogue import Dialogue
from harness.at.receiver import Receiver
from harness.at.stream import FdStream
from harness.at.syntax import parse_command
from harness.timeline import Event, Kind, Timeline

DEADLINE = 10.0
LONG = DEADLINE * 100


class Watched(FdStream):
    """Notes which thread takes bytes. ``polling``: somebody waits as the holder. ``strike``: raised once, there."""

    strike = ""

    def __init__(self, device, name):
        super().__init__(device, name)
        self.takers: list[int] = []
        self.nudgers: list[int] = []
        self.timeouts: list[float] = []
        self.polling = threading.Event()

    def take(self, mark):
        data = super().take(mark)
        if data:
            self.takers.append(threading.get_ident())
        self._strike("take")
        return data

    def wait_holding(self, timeout):
        self._strike("poll")
        self.timeouts.append(timeout)
        self.polling.set()
        return super().wait_holding(timeout)

    def nudge(self):
        self.nudgers.append(threading.get_ident())
        super().nudge()

    def _strike(self, place):
        if self.strike == place:
            self.strike = ""
            raise KeyboardInterrupt


class Line:
    """A port and its board's end."""

    def __init__(self):
        self.board, self._host = socket.socketpair()
        device: Any = SimpleNamespace(fileno=self._host.fileno, close=self._host.close, flush=lambda: None)
        self.stream = Watched(device, "dk1")
        self.timeline = Timeline()
        self.receiver = Receiver(self.stream, Dialogue(), name="dk1", timeline=self.timeline)

    def wait(self, text: str, timeout: float = LONG, since: int = 0) -> Event | None:
        return self.receiver.wait(lambda event: event.text == text, since=since, timeout=timeout)

    def say(self, text: str) -> None:
        self.board.sendall(f"{text}\r\n".encode())

    def hears(self, text: str) -> bool:
        """Say it, and wait until it is on the timeline: whoever has the port now reads it."""
        self.say(text)
        return self.timeline.wait(lambda event: event.text == text, since=0, timeout=DEADLINE) is not None


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.board.close()
    if not made.stream._readable.closed:
        made.receiver.close()


class Waiter:
    """Calls in a thread of its own; it is waiting as the holder when this is made."""

    def __init__(self, line: Line, call: Callable[[], Any]) -> None:
        self.got: list[Any] = []
        self.thread = threading.Thread(target=lambda: self.got.append(call()), daemon=True)
        self.thread.start()
        assert line.stream.polling.wait(DEADLINE)

    def result(self) -> Any:
        self.thread.join(DEADLINE)
        assert self.got, "it still waits"
        return self.got[0]


def test_who_waits_takes_the_bytes(line):
    waiter = Waiter(line, lambda: line.wait("a line"))
    assert line.hears("another")
    line.say("a line")
    found = waiter.result()
    assert (found.kind, found.text) == (Kind.RX, "a line")
    assert set(line.stream.takers) == {waiter.thread.ident}
    assert waiter.thread.ident not in line.stream.nudgers  # it need not wake itself
    assert line.hears("later")
    assert line.stream.takers[-1] == line.receiver._thread.ident


@pytest.mark.parametrize("kind", ["urc", "line"])
def test_who_waits_for_a_urc_or_a_pattern_takes_the_bytes_too(line, kind):
    listener = line.receiver.listen(("+CEREG",))
    calls = {"urc": lambda: listener.next(LONG).text, "line": lambda: line.receiver.wait_line("CER", LONG).text}
    waiter = Waiter(line, calls[kind])
    line.say("+CEREG: 1")
    assert waiter.result() == "+CEREG: 1"
    assert line.stream.takers == [waiter.thread.ident]


def test_what_is_there_already_is_found_without_reading_and_each_event_is_looked_at_once(line):
    mark = line.timeline.add(Kind.RX, "dk1", "old").seq
    line.timeline.add(Kind.RX, "dk1", "a line")
    assert line.wait("a line", since=mark, timeout=0.0).text == "a line"
    assert line.wait("old", since=mark + 1, timeout=0.0) is None
    seen = []

    def match(event):
        seen.append(event.text)
        return event.text == "last"

    waiter = Waiter(line, lambda: line.receiver.wait(match, since=mark, timeout=LONG))
    line.say("next")
    line.say("last")
    assert waiter.result().text == "last"
    assert seen == ["old", "a line", "next", "last"]


def test_lines_are_in_the_sinks_before_they_are_found(line):
    written = []

    def match(event):
        return event.text == "a line" and any(event in batch for batch in written)

    with line.timeline.sink(written.append):
        waiter = Waiter(line, lambda: line.receiver.wait(match, since=0, timeout=LONG))
        line.say("a line")
        assert waiter.result().text == "a line"


def test_an_event_of_another_thread_ends_the_waiting(line):
    waiter = Waiter(line, lambda: line.wait("from the cloud"))
    line.timeline.add(Kind.CLOUD, "observer", "from the cloud")
    assert waiter.result().source == "observer"


def test_time_that_is_over(line, monkeypatch):
    left, wait = [], line.timeline.wait

    def noted(match, *, since, timeout):
        left.append(timeout)
        return wait(match, since=since, timeout=timeout)

    with monkeypatch.context() as noting:
        noting.setattr(line.timeline, "wait", noted)
        assert line.wait("a line", timeout=0.01) is None
    assert [seconds <= 0.0 for seconds in left] == [True]
    assert max(line.stream.timeouts) <= 0.01
    assert line.hears("later")


class Awaited(queue.SimpleQueue):
    """Notes how long it is waited for."""

    timeout = math.inf

    def get(self, block=True, timeout=None):
        self.timeout = timeout
        return super().get(block, timeout)


def test_an_outcome_that_does_not_come_in_time(line):
    line.receiver.outcomes = awaited = Awaited()
    line.receiver.begin(parse_command("AT"), None, needs_line=False)
    line.say("+CEREG: 1")
    with pytest.raises(queue.Empty):
        line.receiver.outcome(0.05)
    assert [event.text for event in line.timeline.since()] == ["AT", "+CEREG: 1"]
    assert awaited.timeout == 0.0  # its time was over when the port was let go


def test_a_command_of_another_thread_gets_its_answer_and_the_waiting_goes_on(line):
    waiter = Waiter(line, lambda: line.wait("a line"))
    for _ in range(3):
        line.receiver.begin(parse_command("AT"), None, needs_line=False)
        commander = Waiter(line, lambda: line.receiver.outcome(LONG))
        line.say("OK")
        assert commander.result().final.kind == "OK"
    line.say("a line")
    assert waiter.result().text == "a line"


def test_who_waits_beside_a_command_leaves_the_port_to_it(line, monkeypatch):
    line.receiver.begin(parse_command("AT"), None, needs_line=False)
    monkeypatch.setattr(line.stream, "hold", lambda: pytest.fail("the command's thread holds it"))
    line.say("a line")
    assert line.wait("a line").text == "a line"


def test_a_second_one_who_waits_is_served_by_the_first(line):
    first = Waiter(line, lambda: line.wait("one"))
    second = threading.Thread(target=lambda: first.got.append(line.wait("two")), daemon=True)
    second.start()
    line.say("two")
    second.join(DEADLINE)
    line.say("one")
    first.thread.join(DEADLINE)
    assert [event.text for event in first.got] == ["two", "one"]


def test_a_board_that_goes_away_ends_the_waiting(line):
    waiter = Waiter(line, lambda: line.receiver.wait(lambda event: event.kind is Kind.FAULT, since=0, timeout=LONG))
    line.board.close()
    assert "the port went away" in waiter.result().text
    assert line.receiver.failed
    assert line.wait("a line", timeout=0.0) is None


def test_a_port_that_failed_is_not_read_any_more_by_who_goes_on_waiting(line, monkeypatch):
    left, wait = threading.Event(), line.timeline.wait
    monkeypatch.setattr(line.timeline, "wait", lambda match, **rest: left.set() or wait(match, **rest))
    waiter = Waiter(line, lambda: line.wait("a line"))
    line.board.close()
    assert left.wait(DEADLINE)  # it waits for other threads alone
    line.timeline.add(Kind.STEP, "harness", "another")
    line.timeline.add(Kind.RX, "dk1", "a line")
    assert waiter.result().text == "a line"
    polls = len(line.stream.timeouts)
    assert polls < 5
    assert line.wait("something else", timeout=0.01) is None
    assert len(line.stream.timeouts) == polls


def test_a_port_that_is_closed_ends_the_waiting(line):
    waiter = Waiter(line, lambda: line.receiver.wait(lambda event: event.kind is Kind.STEP, since=0, timeout=LONG))
    line.receiver.close()
    assert waiter.result().text == "dk1: the port was closed"


def test_what_fails_while_the_port_is_read_is_the_port_s_failure(line):
    def broken(drafts):
        raise TypeError("odd")

    line.receiver.watch = broken
    waiter = Waiter(line, lambda: line.receiver.wait(lambda event: event.kind is Kind.FAULT, since=0, timeout=LONG))
    line.say("a line")
    assert waiter.result().text == "dk1: the reader died of TypeError: odd"


def test_what_fails_in_the_caller_s_own_code_is_the_caller_s(line):
    line.timeline.add(Kind.RX, "dk1", "odd")

    def match(event):
        raise TypeError(event.text)

    with pytest.raises(TypeError, match="odd"):
        line.receiver.wait(match, since=0, timeout=LONG)
    assert not line.receiver.failed
    assert line.hears("later")


@pytest.mark.parametrize(("place", "strayed"), [("poll", False), ("take", True)])
def test_who_is_interrupted_while_bytes_are_in_no_line_yet_gets_in_step_first(line, place, strayed):
    line.stream.strike = place
    saying = threading.Thread(target=lambda: (line.stream.polling.wait(DEADLINE), line.say("a line")))
    saying.start()  # once it is held: the port's own thread must not take it
    with pytest.raises(KeyboardInterrupt):
        line.wait("another")
    line.stream.polling.set()
    saying.join(DEADLINE)
    assert line.receiver.strayed is strayed
    assert line.hears("later")


def test_a_port_has_one_holder(line):
    stream = line.stream
    assert stream.hold()
    assert stream.hold()  # an interrupted one that could not let go: the same thread
    others = []
    thread = threading.Thread(target=lambda: others.append(stream.hold()))
    thread.start()
    thread.join(DEADLINE)
    stream.let_go()
    thread = threading.Thread(target=lambda: others.append(stream.hold()))
    thread.start()
    thread.join(DEADLINE)
    assert others == [False, True]
    stream.let_go()


def test_a_closed_port_wakes_nobody(monkeypatch):
    board, host = socket.socketpair()
    device: Any = SimpleNamespace(fileno=host.fileno, close=host.close)
    stream = FdStream(device, "dk1")
    assert stream.hold()
    stream.close()
    written = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda fd, data: written.append(data))
        stream.nudge()
    assert written == []  # the number of its pipe may be another file's by now
    assert not stream.hold()
    with suppress(OSError):
        board.close()


def test_wakers_are_called_for_each_batch_of_their_block():
    timeline, calls = Timeline(), []
    with timeline.waking(lambda: calls.append("one")):
        timeline.add(Kind.STEP, "b", "x")
        with timeline.waking(lambda: calls.append("two")):
            timeline.append([(1.0, Kind.RX, "b", text, {}) for text in "ab"])
        timeline.append([])
        timeline.add(Kind.STEP, "b", "y")
    timeline.add(Kind.STEP, "b", "z")
    assert calls == ["one", "one", "two", "one"]
