"""What the reader hands on, and in which order."""

import queue
import threading

import pytest

from harness.at.dialogue import Dialogue
from harness.at.receiver import Payload, Receiver
from harness.at.syntax import parse_command
from harness.errors import NoAnswer
from harness.timeline import Kind, Timeline


class Stream:
    """Bytes from a queue."""

    def __init__(self):
        self.bytes = queue.SimpleQueue()

    def read(self):
        return self.bytes.get()

    def stop(self):
        self.bytes.put(b"")

    def close(self):
        pass


@pytest.fixture
def stream():
    return Stream()


@pytest.fixture
def receiver(stream):
    made = Receiver(stream, Dialogue(), name="board-1", timeline=Timeline())
    yield made
    made.close()


def heard(receiver, text):
    """Wait until ``text`` is on the timeline."""
    found = receiver.timeline.wait(lambda event: event.text == text, since=0, timeout=5.0)
    assert found is not None
    return found


def test_giving_up_drops_the_outcome_that_came_in_the_same_moment(receiver, stream):
    """Otherwise it would be taken for the outcome of the next command."""
    receiver.begin(parse_command("AT+CFUN?"), None, needs_line=False)
    receiver.sent()
    stream.bytes.put(b"+CFUN: 1\r\nOK\r\n")
    heard(receiver, "OK")
    with receiver._lock:  # the reader has put the outcome once it lets go of it
        pass
    receiver.give_up()
    assert receiver.outcomes.empty()
    receiver.begin(parse_command("AT"), None, needs_line=False)
    stream.bytes.put(b"ERROR\r\n")
    outcome = receiver.outcomes.get(timeout=5.0)
    assert (outcome.command.text, str(outcome.final)) == ("AT", "ERROR")


def test_a_command_that_is_given_up_ends_on_the_timeline(receiver):
    receiver.begin(parse_command("AT+CFUN?"), None, needs_line=False)
    receiver.give_up()
    result = receiver.timeline.since()[-1]
    assert (result.kind, result.text, result.data["command"], result.data["ok"]) == (
        Kind.RESULT,
        "no answer",
        "AT+CFUN?",
        False,
    )


def test_what_is_watched_enters_with_what_follows_from_it(receiver, stream):
    receiver.watch = lambda drafts: [*drafts, *((t, Kind.MQTT, s, f"seen: {x}", {}) for t, k, s, x, _ in drafts)]
    receiver.begin(parse_command("AT"), None, needs_line=False)
    receiver.sent()
    stream.bytes.put(b"+CEREG: 1\r\n")
    heard(receiver, "seen: +CEREG: 1")
    texts = [event.text for event in receiver.timeline.since()]
    assert texts == ["AT", "seen: AT", "+CEREG: 1", "seen: +CEREG: 1"]


def test_a_payload_is_on_the_timeline_byte_for_byte(receiver):
    receiver.begin(parse_command('AT#XMQTTPUB="t",""'), Payload(b"\xff\x00"), needs_line=False)
    receiver.sent()
    assert receiver.timeline.since()[0].data == {"payload": "/wA=", "encoding": "base64"}


def test_closing_shows(stream):
    receiver = Receiver(stream, Dialogue(), name="board-1", timeline=Timeline())
    receiver.close()
    assert [(event.kind, event.text) for event in receiver.timeline.since()] == [
        (Kind.STEP, "board-1: the port was closed")
    ]


def test_a_command_that_is_given_up_says_how_long_it_was_waited_for(receiver, monkeypatch):
    clock = iter([10.0, 12.3456789])
    monkeypatch.setattr("harness.at.receiver.now", lambda: next(clock))
    receiver.begin(parse_command("AT+CFUN?"), None, needs_line=False)
    receiver.give_up()
    result = receiver.timeline.since()[-1]
    assert (result.t, result.source) == (12.3456789, "board-1")
    assert result.data == {"command": "AT+CFUN?", "seconds": 2.345679, "ok": False}


def test_what_an_open_quote_held_is_entered_when_its_command_is_given_up(receiver, stream, monkeypatch):
    receiver.begin(parse_command("AT%CMNG=1"), None, needs_line=False)
    receiver.sent()
    stream.bytes.put(b'%CMNG: 1,0,"00","open\r\nstill\r\nup\r\n')
    stream.bytes.put(b"")
    receiver._thread.join(5.0)
    monkeypatch.setattr("harness.at.receiver.now", lambda: 12.5)
    receiver.give_up()
    held = [event for event in receiver.timeline.since() if event.kind is not Kind.TX]
    assert held[-1].text == "no answer"
    assert {event.t for event in held} == {12.5}
    assert any("still" in event.text for event in held)


def test_the_last_four_lines_are_quoted(receiver, stream):
    assert receiver.last_heard() == "nothing was heard at all"
    stream.bytes.put(b"a\r\nb\r\nc\r\nd\r\ne\r\n")
    heard(receiver, "e")
    with receiver._lock:
        pass
    assert receiver.last_heard() == "last heard: b | c | d | e"
    with pytest.raises(NoAnswer, match=r"board-1: no \+CEREG within 0 s; last heard: b \| c \| d \| e"):
        receiver.listen(("+CEREG",)).next(0.0)


def test_who_waited_for_an_outcome_writes_it_to_the_files(receiver, stream):
    """Two threads that want the interpreter at the same time would cost more than either."""
    written: list[str] = []
    wrote = threading.Event()

    def sink(events):
        written.extend(event.text for event in events)
        wrote.set()

    with receiver.timeline.sink(sink):
        stream.bytes.put(b"log\r\n")
        assert wrote.wait(5.0)  # nobody waited for it: the reader writes it
        receiver.begin(parse_command("AT"), None, needs_line=False)
        receiver.sent()
        stream.bytes.put(b"OK\r\n")
        receiver.outcomes.get(timeout=5.0)
        with receiver._lock:  # the reader has done with it
            pass
        assert written == ["log"]
        receiver.timeline.flush()
        assert written == ["log", "AT", "OK"]


def test_a_result_says_when_it_came_and_what_it_cost(receiver, stream, monkeypatch):
    clock = iter([10.0, 10.5])
    monkeypatch.setattr("harness.at.receiver.now", lambda: next(clock))
    receiver.begin(parse_command("AT"), None, needs_line=False)
    receiver.sent()
    stream.bytes.put(b"OK\r\n")
    heard(receiver, "OK")
    sent, result = receiver.timeline.since()
    assert (sent.t, sent.kind, sent.source, sent.text, sent.data) == (10.0, Kind.TX, "board-1", "AT", {})
    assert (result.t, result.kind, result.source, result.text) == (10.5, Kind.RESULT, "board-1", "OK")
    assert result.data == {"command": "AT", "seconds": 0.5, "ok": True}


def test_what_arrives_while_a_secret_is_sent_is_hidden(receiver, stream):
    receiver.begin(parse_command('AT%CMNG=0,1,2,"topsecretkey"'), None, needs_line=False)
    receiver.sent()
    stream.bytes.put(b"psecretk\r\n")  # a damaged echo
    hidden = heard(receiver, "<8 bytes that arrived while a secret was being sent>")
    assert hidden.kind is Kind.RX
    assert "secretk" not in "".join(event.text for event in receiver.timeline.since())


def test_what_arrives_behind_the_answer_to_a_secret_is_read_however_it_is_cut(receiver, stream):
    receiver.begin(parse_command('AT#XMQTTCON=1,"","topsecret","h",1'), None, needs_line=False)
    receiver.sent()
    stream.bytes.put(b"opsecre\r\nOK\r\nhello\r\n")
    heard(receiver, "hello")
    texts = [event.text for event in receiver.timeline.since()]
    assert texts[-3:] == ["<7 bytes that arrived while a secret was being sent>", "OK", "hello"]
