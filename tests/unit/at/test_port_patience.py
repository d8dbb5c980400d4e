"""Getting in step with a board that is busy, or that an earlier user left somewhere: how it is asked, and how long."""

import pytest

from harness.at.receiver import Receiver
from harness.errors import NoAnswer
from harness.timeline import Kind
from tests.unit.at.test_port import Deaf, modem, texts, written
from tests.unit.at.test_port import opened as opened
from tests.unit.at.test_port import timeline as timeline


@pytest.fixture
def waits(monkeypatch):
    """No time passes: what is not answered at once is not answered. The seconds that were allowed each time."""
    allowed = []

    def outcome(receiver, timeout):
        allowed.append(timeout)
        receiver.sent()
        receiver._stream.incoming.join()
        return receiver.outcomes.get_nowait()

    monkeypatch.setattr(Receiver, "outcome", outcome)
    return allowed


def steps(timeline):
    return [(event.text, event.data) for event in timeline.since() if event.kind is Kind.STEP]


def test_a_silent_board_is_waited_for_once_more_as_long_as_it_may_take(opened, waits, timeline):
    port = opened(Deaf(8, modem(**{"AT+CNEC?": b"+CNEC: 16\r\n"})).feed)
    port.sync(patience=30.0)
    assert waits == [1.0] * 4 + [30.0]
    busy = "no answer in 4 tries: the board may be busy; waiting for it for up to 30 s"
    assert steps(timeline) == [(busy, {"patience": 30.0}), ("the board answers, try 5", {"tries": 5})]
    assert {event.source for event in timeline.since() if event.kind is Kind.STEP} == {"board-1"}
    assert written(port)[-1] == b"AT+CNEC?\r"
    assert port.in_step


def test_without_patience_it_is_not(opened, waits, timeline):
    port = opened(Deaf(8, modem()).feed)
    with pytest.raises(NoAnswer, match="in 4 tries"):
        port.sync()
    assert (waits, steps(timeline)) == ([1.0] * 4, [])
    assert not port.in_step


def test_a_board_that_speaks_without_answering_is_not_busy(opened, waits):
    port = opened(lambda data: b"*** Booting ***\r\n")
    with pytest.raises(NoAnswer, match="in 4 tries"):
        port.sync(patience=30.0)
    assert waits == [1.0] * 4


def test_the_answers_of_a_board_that_is_flooded_with_messages_are_waited_for(opened, waits, timeline):
    board = Deaf(8, modem(**{"AT+CNEC?": b"+CNEC: 16\r\n"}))
    port = opened(lambda data: b"#XMQTTEVT: 2,0\r\n#XMQTTMSG: 3,1\r\na/b\r\nx\r\n" + board.feed(data))
    port.sync(patience=30.0)
    assert waits == [1.0] * 4 + [30.0]
    behind = "no answer in 4 tries: its answers may come behind its messages; waiting for it for up to 30 s"
    assert steps(timeline)[0] == (behind, {"patience": 30.0})


def test_another_board_on_the_timeline_does_not_speak_for_it(opened, waits, timeline):
    port = opened(lambda data: timeline.add(Kind.RX, "board-2", "hello") and b"")
    with pytest.raises(NoAnswer, match="in 4 tries"):
        port.sync(patience=30.0)
    assert waits == [1.0] * 4 + [30.0]


def test_a_final_result_alone_is_some_earlier_commands_in_a_try_and_in_the_last_wait(opened, waits, timeline):
    board = modem()
    answers = iter([b"", b"OK\r\n"])
    port = opened(lambda data: next(answers, None) or board.feed(data))
    port.sync()
    # The quote of the second try opens one in a board that was in none, and that of the third closes it.
    assert texts(timeline, Kind.STEP) == ["the board answers, try 3"]
    silent = iter([b""] * 8)
    late = opened(lambda data: next(silent, b"OK\r\n"))
    with pytest.raises(NoAnswer):
        late.sync(patience=30.0)


def test_data_mode_that_nobody_knows_of_is_left_after_two_tries_in_vain(opened, waits):
    port = opened(modem().feed)
    port.sync()
    port._stream.answer = lambda data: b""
    sent = len(written(port))
    with pytest.raises(NoAnswer):
        port.sync()
    prefixes = written(port)[sent::2]
    assert [prefix.removeprefix(b" ").lstrip() for prefix in prefixes[2:]] == [b'+++"\r', b'+++"\r'], prefixes
    assert not any(b"+++" in prefix for prefix in prefixes[:2])
