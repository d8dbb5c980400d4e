"""A question behind a command that is not answered soon: it tells that the command's answer was lost."""

import time
from types import SimpleNamespace

import pytest

from harness.at import AtError
from harness.at.dialogue import Dialogue, Role
from harness.at.receiver import Receiver
from harness.at.syntax import parse_command
from harness.errors import NoAnswer
from harness.timeline import Kind
from tests.unit.at.test_port import opened as opened
from tests.unit.at.test_port import timeline as timeline
from tests.unit.at.test_port import written

PUBLISH = 'AT#XMQTTPUB="a","b",1,0'
CMEE = b"+CMEE: 1\r\nOK\r\n"


@pytest.fixture
def meanwhile():
    """What the board says while an answer is waited for, one after the other."""
    return []


@pytest.fixture
def waits(monkeypatch, meanwhile):
    """No time passes: what is not answered at once is not answered. The seconds that were allowed each time."""
    allowed = []

    def outcome(receiver, timeout):
        allowed.append(timeout)
        receiver.sent()
        receiver._stream.incoming.join()
        if receiver.outcomes.empty() and meanwhile:
            receiver._stream.incoming.put(meanwhile.pop(0))
            receiver._stream.incoming.join()
        return receiver.outcomes.get_nowait()

    monkeypatch.setattr(Receiver, "outcome", outcome)
    return allowed


class Board:
    """Answers each write with what comes next of ``answers``."""

    def __init__(self, *answers):
        self.answers = [CMEE, *answers]  # the port gets in step first

    def feed(self, data):
        return b"" if data.strip() in (b"", b'"', b"+++", b'+++"') or not self.answers else self.answers.pop(0)


@pytest.fixture
def in_step(opened, waits):
    """Open a port in step on a board with these answers."""

    def open_port(*answers, **settings):
        port = opened(Board(*answers).feed, **{"queues": True, **settings})
        port.sync()
        waits.clear()
        return port

    return open_port


def results(timeline):
    return [(event.data["command"], event.text) for event in timeline.since() if event.kind is Kind.RESULT][1:]


def test_a_lost_answer_is_known_as_soon_as_a_question_behind_it_is_answered(in_step, waits, timeline):
    """A lost OK of a publish used to cost 15 s, its whole time."""
    port = in_step(b"", CMEE, CMEE)
    lost = r"no answer to AT#XMQTTPUB=\"a\",\"b\",1,0 within 1.5 s, although AT\+CMEE\? behind it was answered"
    with pytest.raises(NoAnswer, match=lost + r"; last heard: .*answers AT commands again after 1 tries"):
        port.command(PUBLISH, timeout=15.0)
    assert waits == [1.5, 13.5, 1.0]
    assert results(timeline) == [("AT+CMEE?", "OK"), (PUBLISH, "no answer"), ("AT+CMEE?", "OK")]
    assert port.in_step


def test_a_slow_answer_is_taken_and_the_question_is_answered_behind_it(in_step, waits, timeline):
    port = in_step(b"", b"OK\r\n" + CMEE, b"+CFUN: 1\r\nOK\r\n")
    port.command(PUBLISH, timeout=15.0)
    assert waits == [1.5, 13.5, 1.0]
    assert results(timeline) == [(PUBLISH, "OK"), ("AT+CMEE?", "OK")]
    sent = [event.text for event in timeline.since() if event.kind is Kind.TX]
    assert sent[1:] == [PUBLISH, "AT+CMEE?"]
    assert written(port)[-1] == b"AT+CMEE?\r"  # there is no data mode to be left
    assert port.in_step
    port._stream.incoming.put(b"+CEREG: 1\r\n")
    port.wait_line("CEREG", 10.0, since=0)
    port.command("AT+CFUN?")  # nothing is owed
    assert written(port)[-1] == b"AT+CFUN?\r"


def test_a_slow_refusal_is_one(in_step, timeline):
    port = in_step(b"", b"ERROR\r\n" + CMEE, b"+CMEE: 1\r\nOK\r\n")
    with pytest.raises(AtError, match="ERROR"):
        port.command(PUBLISH, timeout=15.0)


CFUN = b"+CFUN: 1\r\nOK\r\n"


def steps(timeline):
    return [event.text for event in timeline.since() if event.kind is Kind.STEP][1:]


@pytest.mark.parametrize("left", [b"", b"+CM_E: 1\r\nOK\r\n", b"+CMEE: 1\r\n", b"ERROR\r\n"])
def test_a_slow_answer_is_taken_although_the_questions_is_lost_if_another_one_is_answered(
    in_step, waits, timeline, left
):
    """One lost line of the question's answer used to cost a publish that had got its OK."""
    port = in_step(b"", b"OK\r\n" + left, CFUN)
    port.command(PUBLISH, timeout=15.0)
    assert waits[:3] == [1.5, 13.5, 1.0]
    assert written(port)[-1] == b"\rAT+CFUN?\r", "the end of the first question may be what was lost"
    assert results(timeline)[0] == (PUBLISH, "OK")
    assert results(timeline)[-2:] == [("AT+CMEE?", "no answer"), ("AT+CFUN?", "OK")]
    assert port.in_step


def test_an_answer_that_comes_late_behind_lines_is_waited_for(in_step, waits, meanwhile, timeline):
    port = in_step(b"", b"OK\r\n")
    meanwhile += [b"log\r\n", b"log\r\n", b"%CESQ: 1,2\r\n", CMEE]
    port.command(PUBLISH, timeout=15.0)
    assert waits == [1.5, 13.5, 1.0, 1.0, 1.0]
    assert results(timeline) == [(PUBLISH, "OK"), ("AT+CMEE?", "OK")]
    assert port.in_step


def test_the_answer_to_the_other_question_is_waited_for_as_well(in_step, waits, meanwhile, timeline):
    port = in_step(b"", b"OK\r\n")
    meanwhile += [b"log\r\n", b"half a ", b"line\r\n", CFUN]
    port.command(PUBLISH, timeout=15.0)
    assert waits == [1.5, 13.5, 1.0, 1.0, 1.0]
    assert results(timeline)[1:] == [("AT+CMEE?", "no answer"), ("AT+CFUN?", "OK")]
    assert port.in_step


def test_a_board_that_never_stops_is_not_waited_for_longer_than_the_command_may_take(
    in_step, waits, meanwhile, monkeypatch
):
    port = in_step(b"", b"OK\r\n", CFUN)
    meanwhile += [b"log\r\n"] * 100
    begun = time.monotonic()
    monkeypatch.setattr("harness.at.questions.time", SimpleNamespace(monotonic=lambda: begun + sum(waits)))
    port.command(PUBLISH, timeout=15.0)
    assert sum(waits) < 18.0


@pytest.mark.parametrize("left", [b"", b"OK\r\n"], ids=["nothing", "OK of the first question"])
def test_a_result_that_may_be_the_questions_is_nobodys_if_no_other_one_is_answered(in_step, timeline, left):
    port = in_step(b"", b"OK\r\n", left, b"+CEREG: 0,1\r\nOK\r\n")
    with pytest.raises(NoAnswer, match=r"surely its own: that may be to AT\+CMEE\? behind it"):
        port.command(PUBLISH, timeout=15.0)
    assert results(timeline)[1:3] == [("AT+CMEE?", "no answer"), ("AT+CFUN?", "no answer")]
    assert port.in_step


def test_a_late_answer_to_the_question_is_not_the_other_ones(in_step, timeline):
    port = in_step(b"", b"OK\r\n", b"+CMEE: 1\r\nOK\r\n" + CFUN, CMEE)
    port.command(PUBLISH, timeout=15.0)
    assert port.in_step
    assert port.command("AT+CMEE?").value("+CMEE") == "1"


def test_what_has_lines_of_its_own_is_surely_ended(in_step, timeline):
    """A key was made, and its request thrown away."""
    port = in_step(b"", b'%KEYGEN: "abc"\r\nOK\r\n', CFUN, b"OK\r\n")
    assert port.command("AT%KEYGEN=1,2,0", timeout=30.0).value("%KEYGEN") == '"abc"'
    assert not port.in_step  # it is owed an answer to the question
    port.command("AT")
    assert port.in_step


def test_a_question_that_was_never_answered_is_not_asked_again(in_step, waits, timeline):
    """Some firmware may drop what is sent while it works: there it would cost a second each time."""
    port = in_step(b"", b"OK\r\n", CFUN, b"OK\r\n")
    port.command(PUBLISH, timeout=15.0)
    off = f"AT+CMEE? behind {PUBLISH} was not answered: none is asked behind a command any more"
    assert steps(timeline) == [off]
    assert {event.source for event in timeline.since()} == {"board-1"}
    waits.clear()
    port.command(PUBLISH, timeout=15.0)
    assert waits == [15.0]
    assert steps(timeline) == [off]


def test_one_lost_answer_says_nothing_of_a_board_that_has_answered_behind_a_command(in_step, waits, timeline):
    port = in_step(b"", b"OK\r\n" + CMEE, b"", b"OK\r\n", CFUN, b"OK\r\n")
    port.command(PUBLISH, timeout=15.0)
    port.command(PUBLISH, timeout=15.0)
    waits.clear()
    port.command(PUBLISH, timeout=15.0)
    assert waits == [1.5]
    assert steps(timeline) == []


def test_an_answer_to_an_idle_board_does_not_show_that_it_keeps_what_is_sent_while_it_works(in_step, timeline):
    port = in_step(b"", CMEE, CMEE, b"", b"OK\r\n", CFUN)
    with pytest.raises(NoAnswer, match="behind it was answered"):
        port.command(PUBLISH, timeout=15.0)
    port.command(PUBLISH, timeout=15.0)
    assert len([text for text in steps(timeline) if "none is asked" in text]) == 1


def test_the_seconds_of_a_lost_question_are_its_own_and_no_later_ones(in_step, waits, timeline, monkeypatch):
    """A later AT+CMEE? is the same object, and used to get the seconds since the lost one."""
    port = in_step(b"", b"OK\r\n", CFUN, CMEE)
    monkeypatch.setattr("harness.at.receiver.now", lambda: 100.0 + sum(waits))
    port.command(PUBLISH, timeout=15.0)
    monkeypatch.setattr("harness.at.receiver.now", lambda: 200.0)
    port.command("AT+CMEE?")
    ended = [event.data for event in timeline.since() if event.kind is Kind.RESULT]
    costs = {data["command"]: data["seconds"] for data in ended}
    assert [data["seconds"] for data in ended if data["command"] == "AT+CMEE?"][1:] == [14.5, 0.0]
    assert costs[PUBLISH] < 16.0


def test_the_seconds_of_an_answer_end_with_its_own_result(in_step, waits, monkeypatch):
    port = in_step(b"", b"OK\r\n", CFUN)
    monkeypatch.setattr("harness.at.receiver.now", lambda: 100.0)
    monkeypatch.setattr("harness.at.questions.time", SimpleNamespace(monotonic=lambda: 100.0 + sum(waits)))
    assert port.command(PUBLISH, timeout=15.0).seconds == 15.0


def test_the_seconds_of_an_answer_that_comes_soon(in_step, monkeypatch):
    port = in_step(b"OK\r\n")
    monkeypatch.setattr("harness.at.receiver.now", lambda: 100.0)
    monkeypatch.setattr("harness.at.questions.time", SimpleNamespace(monotonic=lambda: 100.25))
    assert port.command(PUBLISH, timeout=15.0).seconds == 0.25


def test_a_board_that_says_nothing_at_all_has_its_whole_time(in_step, waits):
    port = in_step()
    with pytest.raises(NoAnswer, match=r"within 15 s; .*does not answer AT commands any more"):
        port.command(PUBLISH, timeout=15.0)
    assert waits[:2] == [1.5, 13.5]


def test_a_question_about_itself_is_another_one(in_step):
    port = in_step(b"", b"+CFUN: 1\r\nOK\r\n", CMEE)
    with pytest.raises(NoAnswer, match=r"although AT\+CFUN\? behind it was answered"):
        port.command("AT+CMEE?")


@pytest.mark.parametrize(
    ("command", "timeout", "settings"),
    [
        (PUBLISH, 15.0, {"queues": False}),  # AT Host would lose it
        ("AT#XTCPSEND", 15.0, {}),  # a peer would get it
        (PUBLISH, 1.0, {}),  # no sooner than its time is over
    ],
)
def test_none_is_asked_where_it_would_do_harm_or_no_good(in_step, waits, command, timeout, settings):
    port = in_step(b"", CMEE, **settings)
    with pytest.raises(NoAnswer, match=f"within {timeout:g} s; "):
        port.command(command, timeout=timeout)
    assert waits[:2] == [timeout, 1.0]


OPEN, SENT = 'AT#XMQTTPUB="a","",1,0', b"#XDATAMODE: 0\r\n"


def test_none_is_asked_while_data_mode_opens(in_step, waits):
    """The question would be payload."""
    port = in_step(b"", b"", CMEE)
    with pytest.raises(NoAnswer, match="within 5 s; "):
        port.send_payload(OPEN, b"x")
    assert waits[:2] == [5.0, 1.0]


def test_a_lost_end_of_data_mode_is_known_too(in_step, waits):
    port = in_step(b"OK\r\n", b"", b"ERROR\r\n" + CMEE, CMEE)
    with pytest.raises(NoAnswer, match=r"within 1 s, although AT\+CMEE\? behind it was answered"):
        port.send_payload(OPEN, b"x")
    assert waits[1:3] == [1.0, 9.0]
    assert written(port)[-3] == b"+++\rAT+CMEE?\r", "the end of data mode may have been lost"
    assert port.in_step


def test_a_slow_end_of_data_mode_is_its_own_also_where_the_question_behind_it_is_lost(in_step, timeline):
    port = in_step(b"OK\r\n", b"", SENT, b"+CFUN: 1\r\nOK\r\n", b"OK\r\n")
    assert port.send_payload(OPEN, b"x") == 0
    assert not port.in_step  # it is owed an answer to the question
    port.command("AT")
    assert port.in_step
    assert [text for _, text in results(timeline)] == ["OK", "#XDATAMODE: 0", "no answer", "OK", "OK"]


def test_a_slow_end_of_data_mode_with_the_answer_behind_it(in_step):
    port = in_step(b"OK\r\n", b"", SENT + b"ERROR\r\n" + CMEE)
    assert port.send_payload(OPEN, b"x") == 0
    assert port.in_step


@pytest.mark.parametrize(
    ("command", "options"), [("AT#XSEND", {}), ('AT#XMQTTPUB="a","",1,0', {"counted": True})], ids=["stream", "counted"]
)
def test_none_is_asked_behind_a_payload_that_the_question_might_fall_into(in_step, waits, command, options):
    port = in_step(b"OK\r\n", b"", CMEE)
    with pytest.raises(NoAnswer, match="within 10 s; "):
        port.send_payload(command, b"x", **options)
    assert waits[1] == 10.0


def test_the_seconds_of_both_count_from_when_they_were_sent(in_step, timeline, monkeypatch):
    times = iter([100.0, 101.5, 103.12345678])
    port = in_step(b"", b"OK\r\n" + CMEE)
    monkeypatch.setattr("harness.at.receiver.now", lambda: next(times, 103.12345678))
    port.command(PUBLISH, timeout=15.0)
    costs = [event.data["seconds"] for event in timeline.since() if event.kind is Kind.RESULT][-2:]
    assert costs == [3.123457, 1.623457]


def test_a_question_behind_an_answer_that_came_in_this_moment_is_a_command_like_any_other():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT"))
    dialogue.receive(b"OK\r\n")
    assert dialogue.ask_behind(parse_command("AT+CMEE?")) == b"AT+CMEE?\r"
    assert [item.role for item in dialogue.receive(CMEE)] == [Role.ANSWER, Role.FINAL]
    assert dialogue.pending is None


def test_lines_of_the_command_and_urcs_go_where_they_belong_while_a_question_is_behind_it():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CFUN?"))
    question = parse_command("AT+CMEE?")
    dialogue.ask_behind(question)
    wire = b"+CSCON: 0\r\n+CFUN: 1\r\nAT+CMEE?\r\n+CMEE: 1\r\nOK\r\nOK\r\n"
    heard = dialogue.receive(wire)
    assert [item.role for item in heard] == [Role.URC, Role.ANSWER, Role.LOG, Role.ANSWER, Role.FINAL, Role.STRAY]
    assert [item.outcome.command for item in heard if item.outcome] == [question]
    assert dialogue.abandoned == {"+CFUN"}


def test_to_give_up_is_to_give_up_both():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CFUN?"))
    dialogue.ask_behind(parse_command("AT+CMEE?"))
    dialogue.give_up()
    assert dialogue.pending is None
    assert dialogue.abandoned == {"+CFUN", "+CMEE"}
    assert [item.role for item in dialogue.receive(CMEE)] == [Role.LATE, Role.STRAY]
