"""URCs as a view of the timeline: one kind of mark, nothing kept twice."""

import threading

import pytest

from harness.at import Urc, urcs
from harness.at.listener import Listener, urc_in
from harness.errors import BoardLost, NoAnswer
from harness.timeline import Kind, Timeline


class Port:
    """Where a listener listens. ``failure``: why the port failed."""

    def __init__(self):
        self.timeline = Timeline()
        self.failure = None

    def urc(self, text, source="board-1", kind=Kind.URC, **data):
        return self.timeline.add(kind, source, text, **data)

    def lose(self):
        self.failure = BoardLost("gone")
        self.timeline.add(Kind.FAULT, "board-1", "gone")

    def listen(self, *names):
        return Listener(
            self.timeline,
            names or ("+CEREG",),
            port="board-1",
            heard=lambda: "last heard: +CSCON: 0",
            failure=lambda: self.failure,
        )


@pytest.fixture
def port():
    return Port()


def test_in_order_and_poll(port):
    port.urc("+CEREG: 9")
    made = port.listen()
    assert made.poll() is None
    first = port.urc("+CEREG: 2")
    port.urc("+CEREG: 1", source="board-2")
    port.urc("+CEREG")
    assert made.next(0.0) == Urc("+CEREG", "2", "+CEREG: 2", first.t, (), first.seq)
    assert made.poll().args == ""
    assert made.poll() is None


def test_only_what_the_board_says_by_itself(port):
    made = port.listen("+CEREG", "Ready", "%CESQ")
    port.urc("+CEREG: 5,1", kind=Kind.RX, role="answer")
    port.urc("Ready", kind=Kind.TX)
    port.urc("Ready", kind=Kind.RX, role="echo")
    port.urc("Ready for more", kind=Kind.RX)
    port.urc("Ready", kind=Kind.RX)
    port.urc("%CESQ:54,2")
    assert [made.poll().text, made.poll().text, made.poll()] == ["Ready", "%CESQ:54,2", None]


def test_counted_bytes_come_with_their_line(port):
    event = port.urc("#XMQTTMSG: 3,1", blobs=[{"payload": "a/b"}, {"payload": "/w==", "encoding": "base64"}])
    assert Urc.of(event).blobs == (b"a/b", b"\xff")
    assert [urc.name for urc in urcs([event], "board-1", ["#XMQTTMSG"])] == ["#XMQTTMSG"]
    assert urcs([event], "board-2", ["#XMQTTMSG"]) == []


def test_match_passes_over(port):
    made = port.listen()
    for args in ("2", "4", "1", "5"):
        port.urc(f"+CEREG: {args}")
    assert made.next(0.0, match=lambda found: found.args in ("1", "5")).args == "1"
    assert made.poll().args == "5"


def test_what_a_wait_in_vain_passed_over_is_gone(port):
    made = port.listen()
    port.urc("+CEREG: 2")
    with pytest.raises(NoAnswer):
        made.next(0.0, match=lambda found: False)
    assert made.poll() is None


def test_time_out_says_what_and_what_was_heard(port):
    made = port.listen("+CEREG", "+CSCON")
    with pytest.raises(NoAnswer, match=r"board-1: no \+CEREG or \+CSCON within 0 s; last heard: \+CSCON: 0"):
        made.next(0.0)
    with pytest.raises(NoAnswer, match=r"no registration within 0.01 s"):
        made.next(0.01, what="registration")


def test_wakes_when_one_arrives(port):
    made = port.listen()
    threading.Timer(0.01, port.urc, ["+CEREG: 1"]).start()
    assert made.next(5.0).args == "1"


def test_loss_is_raised_at_once_after_what_came_before_it(port):
    made = port.listen()
    port.urc("+CEREG: 1")
    port.lose()
    assert made.next(10.0).args == "1"
    with pytest.raises(BoardLost, match="gone"):
        made.next(10.0)
    with pytest.raises(BoardLost, match="gone"):
        made.next(10.0)


def test_loss_wakes_a_waiter(port):
    made = port.listen()
    threading.Timer(0.01, port.lose).start()
    with pytest.raises(BoardLost):
        made.next(10.0)


def test_a_fault_that_is_no_loss_does_not_end_the_wait(port):
    made = port.listen()
    port.timeline.add(Kind.FAULT, "board-1", "garbled, skipped: #XMQTTEVT: 3,0#X")
    port.urc("+CEREG: 1")
    assert made.next(0.0).args == "1"


def test_every_field_of_a_urc_and_of_a_line_that_is_none(port):
    line = port.urc("Ready", kind=Kind.RX)
    assert Urc.of(line) == Urc("Ready", "", "Ready", line.t, (), line.seq)
    urc = port.urc('+CEREG: 5,"0901"')
    assert Urc.of(urc) == Urc("+CEREG", '5,"0901"', '+CEREG: 5,"0901"', urc.t, (), urc.seq)
    bare = port.urc("#XMODEM")
    assert Urc.of(bare) == Urc("#XMODEM", "", "#XMODEM", bare.t, (), bare.seq)
    odd = port.urc("no name")
    assert Urc.of(odd) == Urc("no name", "", "no name", odd.t, (), odd.seq)
    by_hand = urc_in(1.5, Kind.URC, "#XMQTTMSG: 1,1", {"blobs": "edited by hand"})
    assert by_hand == Urc("#XMQTTMSG", "1,1", "#XMQTTMSG: 1,1", 1.5, (), -1)
    assert urc_in(1.5, Kind.RX, "Ready", {}) == Urc("Ready", "", "Ready", 1.5, (), -1)
    assert urc_in(1.5, Kind.URC, "+A: 1", {}) == Urc("+A", "1", "+A: 1", 1.5, (), -1)


def test_a_port_that_failed_before_is_not_waited_for(port, monkeypatch):
    waits = []
    made = port.listen()
    port.failure = BoardLost("gone")
    wait = port.timeline.wait

    def noted(match, *, since, timeout):
        waits.append(timeout)
        return wait(match, since=since, timeout=0.0)

    monkeypatch.setattr(port.timeline, "wait", noted)
    with pytest.raises(BoardLost):
        made.next(10.0)
    assert waits == [0.0]


@pytest.mark.parametrize(
    ("kind", "source"), [(Kind.TX, "board-1"), (Kind.RX, "board-1"), (Kind.FAULT, "board-2"), (Kind.STEP, "board-2")]
)
def test_only_a_failure_of_the_port_itself_ends_the_wait(port, kind, source):
    made = port.listen()

    event = port.timeline.add(kind, source, "something", role="answer")
    later = port.urc("+CEREG: 1")
    seen = []
    wait = port.timeline.wait

    def noted(match, *, since, timeout):
        port.failure = BoardLost("gone")
        seen.extend(each.seq for each in port.timeline.since(since) if match(each))
        return wait(match, since=since, timeout=0.0)

    port.timeline.wait = noted
    assert made.next(1.0).args == "1"
    assert seen == [later.seq]
    assert event.seq < later.seq


def test_a_urc_without_counted_bytes_has_none(port):
    assert urc_in(1.0, Kind.URC, "+A: 1", {"other": 1}).blobs == ()
