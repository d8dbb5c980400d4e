"""What the reader hands on, and in which order."""

import select
import socket
import threading
from typing import Any

import pytest

from harness.at.dialogue import Dialogue
from harness.at.receiver import Payload, Receiver
from harness.at.stream import FdStream
from harness.at.syntax import parse_command
from harness.errors import BoardLost, LabError, NoAnswer
from harness.timeline import Kind, Timeline
from tests.unit.at.queued_stream import QueuedStream


@pytest.fixture
def stream():
    return QueuedStream()


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
    stream.incoming.put(b"+CFUN: 1\r\nOK\r\n")
    heard(receiver, "OK")
    with receiver._lock:  # the reader has put the outcome once it lets go of it
        pass
    receiver.give_up()
    assert receiver.outcomes.empty()
    receiver.begin(parse_command("AT"), None, needs_line=False)
    stream.incoming.put(b"ERROR\r\n")
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
    stream.incoming.put(b"+CEREG: 1\r\n")
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
    stream.incoming.put(b'%CMNG: 1,0,"00","open\r\nstill\r\nup\r\n')
    stream.incoming.put(b"")
    receiver._thread.join(5.0)
    monkeypatch.setattr("harness.at.receiver.now", lambda: 12.5)
    receiver.give_up()
    held = [event for event in receiver.timeline.since() if event.kind is not Kind.TX]
    assert held[-1].text == "no answer"
    assert {event.t for event in held} == {12.5}
    assert any("still" in event.text for event in held)


def test_the_last_four_lines_are_quoted(receiver, stream):
    assert receiver.last_heard() == "nothing was heard at all"
    stream.incoming.put(b"a\r\nb\r\nc\r\nd\r\ne\r\n")
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
        stream.incoming.put(b"log\r\n")
        assert wrote.wait(5.0)  # nobody waited for it: the reader writes it
        receiver.begin(parse_command("AT"), None, needs_line=False)
        receiver.sent()
        stream.incoming.put(b"OK\r\n")
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
    stream.incoming.put(b"OK\r\n")
    heard(receiver, "OK")
    sent, result = receiver.timeline.since()
    assert (sent.t, sent.kind, sent.source, sent.text, sent.data) == (10.0, Kind.TX, "board-1", "AT", {})
    assert (result.t, result.kind, result.source, result.text) == (10.5, Kind.RESULT, "board-1", "OK")
    assert result.data == {"command": "AT", "seconds": 0.5, "ok": True}


def test_what_arrives_while_a_secret_is_sent_is_hidden(receiver, stream):
    receiver.begin(parse_command('AT%CMNG=0,1,2,"topsecretkey"'), None, needs_line=False)
    receiver.sent()
    stream.incoming.put(b"psecretk\r\n")  # a damaged echo
    hidden = heard(receiver, "<8 bytes that arrived while a secret was being sent>")
    assert hidden.kind is Kind.RX
    assert "secretk" not in "".join(event.text for event in receiver.timeline.since())


def test_what_arrives_behind_the_answer_to_a_secret_is_read_however_it_is_cut(receiver, stream):
    receiver.begin(parse_command('AT#XMQTTCON=1,"","topsecret","h",1'), None, needs_line=False)
    receiver.sent()
    stream.incoming.put(b"opsecre\r\nOK\r\nhello\r\n")
    heard(receiver, "hello")
    texts = [event.text for event in receiver.timeline.since()]
    assert texts[-3:] == ["<7 bytes that arrived while a secret was being sent>", "OK", "hello"]


def test_the_end_of_a_command_is_a_line_of_the_board_and_the_end_of_waiting_is_none(receiver, stream):
    receiver.begin(parse_command("AT"), None, needs_line=False)
    stream.incoming.put(b"OK\r\n")
    heard(receiver, "OK")
    receiver.begin(parse_command("AT"), None, needs_line=False)
    receiver.give_up()
    stream.incoming.put(b"no answer\r\n")
    receiver.timeline.wait(lambda event: (event.kind, event.text) == (Kind.RX, "no answer"), since=0, timeout=5.0)
    assert receiver.last_heard() == "last heard: OK | no answer"


def test_counted_bytes_are_read_from_when_they_are_told(receiver, stream):
    receiver.frame({"#XDATA": lambda args: (int(args),)})
    stream.incoming.put(b"#XDATA: 2\r\nOK\r\n")
    event = heard(receiver, "#XDATA: 2")
    assert (event.kind, event.data) == (Kind.URC, {"blobs": [{"payload": "OK"}]})


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (BoardLost("board-1: unplugged"), BoardLost, "board-1: unplugged"),
        (KeyError("x"), LabError, "board-1: the reader died of KeyError: 'x'"),
    ],
)
def test_what_ends_the_reading_is_what_everybody_hears(receiver, stream, error, kind, message):
    def full(events):
        raise OSError("no space")

    with receiver.timeline.sink(full):
        stream.incoming.put(error)
        assert receiver.outcomes.get(timeout=5.0) is None
    failure = receiver.failure()
    assert (type(failure), str(failure)) == (kind, message)
    assert [(event.kind, event.text) for event in receiver.timeline.since()] == [(Kind.FAULT, message)]


def test_a_reader_that_does_not_stop_is_said(receiver, stream, monkeypatch):
    monkeypatch.setattr("harness.at.receiver._JOIN_TIMEOUT", 0.01)
    monkeypatch.setattr(stream, "stop", lambda: None)
    with pytest.raises(LabError, match=r"^board-1: the reader did not stop within 0\.01 s; a timeline sink may hang$"):
        receiver.close()
    monkeypatch.undo()


def test_a_final_result_that_nobody_waits_for_is_noted_until_the_port_is_in_step(receiver, stream):
    assert receiver.strayed is False
    stream.incoming.put(b"+CEREG: 1\r\n")
    stream.incoming.join()
    assert receiver.strayed is False
    stream.incoming.put(b"OK\r\n")
    stream.incoming.join()
    assert receiver.strayed is True
    receiver.in_step()
    assert receiver.strayed is False


def test_what_an_earlier_command_left_is_nobodys_while_the_probe_waits_for_its_line(receiver, stream):
    receiver.begin(parse_command("AT+CFUN?"), None, needs_line=True)
    stream.incoming.put(b"OK\r\n")
    stream.incoming.join()
    assert receiver.outcomes.empty()
    assert receiver.strayed is False  # the probe is there to find it
    stream.incoming.put(b"+CFUN: 1\r\nOK\r\n")
    assert receiver.outcomes.get(timeout=5.0).lines == [b"+CFUN: 1"]


def test_bytes_are_overheard_as_they_come_and_so_is_the_end(receiver, stream):
    with receiver.overhear() as heard:
        stream.incoming.put(b"half a l")
        assert heard.get(timeout=5.0) == b"half a l"
        stream.incoming.put(BoardLost("gone"))
        assert heard.get(timeout=5.0) is None
    with receiver.overhear() as later:
        assert later.get(timeout=5.0) is None


def test_the_reader_ends_with_the_process_and_has_a_name_in_its_stacks(receiver):
    assert receiver._thread.daemon
    assert receiver._thread.name == "at-reader-board-1"


class Held(QueuedStream):
    """It can be held; gives its holder this mark."""

    def hold(self):
        return True

    def let_go(self):
        pass

    def wait_holding(self, timeout):
        return 7

    def take(self, mark):
        assert mark == 7
        return b"OK\r\n"


def test_the_holder_takes_what_it_has_waited_for():
    stream: Any = Held()
    receiver = Receiver(stream, Dialogue(), name="board-1", timeline=Timeline())
    receiver.begin(parse_command("AT"), None, needs_line=False)
    outcome = receiver.outcome(5.0)
    assert outcome is not None, receiver.failure()
    receiver.close()


# -- a port that can be held


class Descriptor:
    """What FdStream takes of pyserial, around one end of a pair of sockets."""

    def __init__(self, end):
        self.fileno, self.close = end.fileno, end.close


@pytest.fixture
def line():
    """The far end of a port with a descriptor, and its receiver."""
    near, far = socket.socketpair()
    made = Receiver(FdStream(Descriptor(near), "board-1"), Dialogue(), name="board-1", timeline=Timeline())
    yield far, made
    if not made.failed:
        made.close()
    far.close()


def test_who_waits_for_an_outcome_reads_for_itself(line):
    far, receiver = line
    readers = []
    receiver.watch = lambda drafts: readers.append(threading.current_thread()) or drafts
    receiver.begin(parse_command("AT+CFUN?"), None, needs_line=False)
    answer = threading.Timer(0.02, far.sendall, (b"+CFUN: 1\r\nOK\r\n",))
    answer.start()
    outcome = receiver.outcome(5.0)
    assert (outcome.lines, outcome.final.ok) == ([b"+CFUN: 1"], True)
    assert readers == [threading.current_thread()] * 2
    far.sendall(b"+CEREG: 1\r\n")
    heard(receiver, "+CEREG: 1")
    assert readers[-1] is receiver._thread
    answer.join()


def test_a_command_is_in_the_files_while_the_board_works(line):
    far, receiver = line
    seen = []

    def sink(events):
        seen.extend(event.text for event in events)
        far.sendall(b"OK\r\n" if seen == ["AT"] else b"")

    with receiver.timeline.sink(sink):
        receiver.begin(parse_command("AT"), None, needs_line=False)
        assert receiver.outcome(5.0).final.ok
    assert seen == ["AT", "OK"]


def test_a_board_that_goes_away_ends_the_waiting_of_the_holder(line):
    far, receiver = line
    receiver.begin(parse_command("AT"), None, needs_line=False)
    far.close()
    assert receiver.outcome(5.0) is None
    assert "end of data" in str(receiver.failure())
    receiver._thread.join(5.0)
    assert not receiver._thread.is_alive()


def test_closing_ends_the_waiting_of_the_holder(line):
    _, receiver = line
    receiver.begin(parse_command("AT"), None, needs_line=False)
    closing = threading.Timer(0.02, receiver.close)
    closing.start()
    assert receiver.outcome(5.0) is None
    closing.join()


def test_bytes_keep_their_order_whoever_reads_them(line):
    """Lines come without end while commands are answered: two threads read by turns, and no line is lost or late."""
    far, receiver = line
    commands = 100
    sent = []

    def board():
        for _ in range(commands):
            while not select.select([far], [], [], 0)[0]:
                sent.append(f"line {len(sent)}")
                far.sendall(f"{sent[-1]}\r\n".encode())
            far.recv(64)
            far.sendall(b"OK\r\n")
        sent.append("the last one")
        far.sendall(b"the last one\r\n")

    thread = threading.Thread(target=board, daemon=True)
    thread.start()
    for _ in range(commands):
        wire = receiver.begin(parse_command("AT"), None, needs_line=False)
        receiver._stream.write(wire)
        outcome = receiver.outcome(10.0)
        assert outcome is not None, receiver.failure()
        assert outcome.final.ok
    heard(receiver, "the last one")
    thread.join()
    assert [event.text for event in receiver.timeline.since() if "l" in event.text] == sent
