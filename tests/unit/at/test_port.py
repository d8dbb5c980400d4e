"""The port on a scripted modem, without a pty: every byte that is sent, and every word of what is said in vain.

Time-outs are as short as they can be: what is not answered is never sent, so nothing depends on how fast a computer is.
"""

import threading

import pytest

from harness.at import AtError, AtFormatError, AtPort, PortSettings
from harness.at.receiver import Receiver
from harness.at.syntax import Terminator, parse_command
from harness.errors import BoardLost, LabError, Misuse, NoAnswer
from harness.timeline import Kind, Timeline
from tests.unit.at.queued_stream import QueuedStream
from tests.unit.at.scripted_modem import ScriptedModem

SHORT = 0.03
WAIT = 10.0
IMEI, OTHER = "352656100000000", "352656100000001"
READY = ["AT+CMEE?", "+CMEE: 1", "OK", "the board answers, try 1"]


class Stream(QueuedStream):
    """What is written goes to ``answer``, and what that returns can be read. ``written``: each write, "flush" too."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer
        self.written = []
        self.closed = False

    def write(self, data):
        self.written.append(data)
        if answer := self.answer(data):
            self.incoming.put(answer)

    def flush(self):
        self.written.append("flush")

    def change_baud(self, rate):
        self.baud = rate

    def close(self):
        self.closed = True


class Deaf:
    """A board that takes no notice of the first ``writes`` writes."""

    def __init__(self, writes, modem=None):
        self.left = writes
        self.modem = modem or ScriptedModem({"AT+CGSN": f"{IMEI}\r\n".encode()})

    def feed(self, data):
        self.left -= 1
        return b"" if self.left >= 0 else self.modem.feed(data)


@pytest.fixture
def timeline():
    return Timeline()


@pytest.fixture
def opened(timeline):
    """Open a port on what answers; its stream is ``port._stream``."""
    ports = []

    def open_port(answer, **settings):
        told = PortSettings(**settings)
        ports.append(AtPort(Stream(answer), name="board-1", timeline=timeline, settings=told, url=""))
        return ports[-1]

    yield open_port
    for port in ports:
        port.close()


@pytest.fixture
def hasty(monkeypatch):
    """What the board has not answered as soon as it was asked, it does not answer: no time passes."""

    def outcome(receiver, timeout):
        receiver.sent()
        receiver._stream.incoming.join()
        return receiver.outcomes.get_nowait()

    monkeypatch.setattr(Receiver, "outcome", outcome)


def written(port):
    return [data for data in port._stream.written if data != "flush"]


def texts(timeline, *kinds):
    return [event.text for event in timeline.since() if not kinds or event.kind in kinds]


def modem(**replies):
    return ScriptedModem({"AT+CGSN": f"{IMEI}\r\n".encode(), "AT#XSEND": b"", **replies})


# -- commands


def test_a_command_its_answer_and_what_stands_on_the_timeline(opened, timeline):
    port = opened(modem().feed)
    answer = port.command("AT+CGSN")
    assert (answer.text, answer.lines) == (IMEI, (IMEI,))
    assert 0.0 < answer.seconds < 5.0
    assert written(port) == [b"AT+CGSN\r"]
    assert texts(timeline) == ["AT+CGSN", IMEI, "OK"]
    assert port.alive
    assert port.failure is None
    assert port.timeline is timeline


def test_a_command_is_ended_as_the_settings_say_and_as_the_port_is_told_later(opened):
    port = opened(ScriptedModem(terminator=b"\r\n").feed, terminator=Terminator.CRLF)
    port.command("AT")
    port._stream.answer = ScriptedModem().feed
    port.end_commands_with(Terminator.CR)
    port.command("AT")
    assert written(port) == [b"AT\r\n", b"AT\r"]


def test_writing_in_pieces_waits_for_each_to_leave(opened):
    port = opened(modem().feed, chunk=3)
    port.command("AT+CGSN")
    assert port._stream.written == [b"AT+", "flush", b"CGS", "flush", b"N\r", "flush"]
    whole = opened(modem().feed)
    whole.command("AT")
    assert whole._stream.written == [b"AT\r"]


def test_a_short_command_is_read_once_and_a_long_one_is_not_kept(opened, monkeypatch):
    """A certificate must not stay in memory."""
    parsed: list[str] = []
    kept: list[str] = []

    def noting(notes):
        return lambda text, **rest: notes.append(text) or parse_command(text, **rest)

    monkeypatch.setattr("harness.at.port.parse_command", noting(parsed))
    monkeypatch.setattr("harness.at.port._parse_often", noting(kept))
    port = opened(modem().feed)
    for length in (32, 33):
        with pytest.raises(AtError):
            port.command("AT+" + "C" * (length - 3))
    assert [text for text in kept if text.startswith("AT+CCC")] == ["AT+" + "C" * 29]
    assert [len(text) for text in parsed] == [33]


def test_an_answer_that_is_longer_than_the_harness_takes(opened, monkeypatch):
    monkeypatch.setattr("harness.at.dialogue.ANSWER_LIMIT", 1)
    port = opened(modem().feed)
    with pytest.raises(AtFormatError) as caught:
        port.command("AT+CGSN")
    assert str(caught.value) == ("AT+CGSN: the answer is longer than the harness takes; its lines are in the recorder")


def test_what_was_asked_is_in_the_files_before_a_slow_answer_comes(opened, timeline):
    asked = threading.Event()
    port = opened(lambda data: b"")

    def sink(events):
        if any(event.text == "AT+CFUN?" for event in events):
            asked.set()

    def answer():
        asked.wait(WAIT)
        port._stream.incoming.put(b"+CFUN: 1\r\nOK\r\n")

    with timeline.sink(sink):
        thread = threading.Thread(target=answer)
        thread.start()
        assert port.command("AT+CFUN?", timeout=WAIT).lines == ("+CFUN: 1",)
        thread.join()
    assert asked.is_set()


# -- time-outs, and getting back in step


def test_a_board_that_was_deaf_for_one_command_is_in_step_after_one_try(opened, timeline):
    port = opened(Deaf(1).feed)
    with pytest.raises(NoAnswer) as caught:
        port.command("AT+CGSN", timeout=SHORT)
    assert str(caught.value) == (
        "board-1: no answer to AT+CGSN within 0.03 s; nothing was heard at all; "
        "it answers AT commands again after 1 tries"
    )
    assert written(port) == [b"AT+CGSN\r", b"+++\r", b"AT+CMEE?\r"]
    # The answer to +++, which was no data mode's end here, is nobody's.
    assert texts(timeline) == ["AT+CGSN", "no answer", READY[0], "ERROR", *READY[1:]]
    step = timeline.since()[-1]
    assert (step.kind, step.source, step.data) == (Kind.STEP, "board-1", {"tries": 1})
    assert port.command("AT+CGSN").text == IMEI  # in step: nothing else is sent before it
    assert written(port)[3:] == [b"AT+CGSN\r"]


def test_a_command_may_take_what_it_may_take_unless_told_otherwise(opened, monkeypatch):
    port = opened(modem().feed)
    asked = []
    outcome = port._receiver.outcome
    monkeypatch.setattr(port._receiver, "outcome", lambda timeout: asked.append(timeout) or outcome(timeout))
    port.command("AT+CGSN")
    port.command("AT+CGSN", 0.75)
    assert asked == [port._parse("AT+CGSN").timeout, 0.75]
    port.sync()
    assert asked[-1] == 1.0


def test_what_was_last_heard_is_quoted(opened):
    port = opened(Deaf(1).feed)
    port._stream.incoming.put(b"*** Booting ***\r\n")
    port.wait_line("Booting", WAIT, since=0)
    with pytest.raises(NoAnswer, match=r"within 0\.03 s; last heard: \*\*\* Booting \*\*\*; it answers AT commands"):
        port.command("AT+CGSN", timeout=SHORT)


KEY = "PRIVATE"


def test_what_is_shouted_is_on_the_timeline_without_secrets(opened, timeline):
    port = opened(lambda data: b"")
    port.shout("AT+CFUN=0", f'AT%CMNG=0,7,2,"{KEY}"')
    sent = [event.text for event in timeline.since() if event.kind is Kind.TX]
    assert sent[0] == "AT+CFUN=0"
    assert sent[1].startswith("AT%CMNG=0,7,2,")
    assert KEY not in str(timeline.since())
    assert any(KEY.encode() in data for data in port._stream.written if isinstance(data, bytes))
    assert not port.in_step


def test_what_is_typed_into_a_shell_is_on_the_timeline_without_secrets(opened, timeline):
    port = opened(ScriptedModem().feed, at_shell=True)
    port._out_of_step = False
    port.type_line(f"at 'AT%CMNG=0,7,2,\"{KEY}\"'")
    (sent,) = [event.text for event in timeline.since() if event.kind is Kind.TX]
    assert sent.startswith("at 'AT%CMNG=0,7,2,")
    assert KEY not in str(timeline.since())


def test_every_try_sends_what_the_last_one_did_not(opened, hasty, timeline):
    port = opened(lambda data: b"")
    with pytest.raises(NoAnswer) as caught:
        port.sync()
    assert str(caught.value) == (
        "board-1: no answer to AT commands in 4 tries; nothing was heard at all; "
        "is it powered and booted, and does the boards file name the right port, speed and firmware?"
    )
    # +++ as long as nobody knows what an earlier user left, a quote from the second try on, no question that is owed
    # an answer.
    assert written(port) == [
        b"+++\r",
        b"AT+CMEE?\r",
        b'+++"\r',
        b"AT+CFUN?\r",
        b'+++"\r',
        b"AT+CEREG?\r",
        b"\r" * 4096 + b'+++"\r',  # a socket's data mode may wait for counted bytes
        b"AT%XSYSTEMMODE?\r",
    ]
    assert texts(timeline, Kind.STEP) == []


def test_a_board_behind_a_shell_is_told_to_show_its_urcs_and_never_plus_plus_plus(opened, hasty):
    port = opened(lambda data: b"", at_shell=True, terminator=Terminator.CR)
    with pytest.raises(NoAnswer):
        port.sync()
    first = [data for data in written(port) if b"events_enable" in data]
    assert first == [b"\rat events_enable\r", *[b'"\rat events_enable\r'] * 3]


def test_a_board_that_does_not_answer_any_more_gets_no_further_command(opened, hasty, timeline):
    port = opened(Deaf(99).feed)
    with pytest.raises(NoAnswer) as caught:
        port.command("AT+CGSN", timeout=SHORT)
    assert str(caught.value) == (
        "board-1: no answer to AT+CGSN within 0.03 s; nothing was heard at all; "
        "it does not answer AT commands any more: reset the board or cut its power"
    )
    assert caught.value.__cause__ is None
    sent = len(written(port))
    with pytest.raises(NoAnswer, match="in 4 tries"):
        port.command("AT+CGSN")
    assert b"AT+CGSN\r" not in written(port)[sent:]
    port._stream.answer = modem().feed
    assert port.command("AT+CGSN").text == IMEI
    assert texts(timeline, Kind.STEP) == ["the board answers, try 1"]


def test_the_number_of_tries_is_said(opened, hasty, timeline):
    port = opened(Deaf(4).feed)
    with pytest.raises(NoAnswer, match=r"again after 2 tries$"):
        port.command("AT+CGSN", timeout=SHORT)
    (step,) = [event for event in timeline.since() if event.kind is Kind.STEP]
    assert (step.text, step.data) == ("the board answers, try 2", {"tries": 2})


def test_an_answer_that_comes_late_is_not_the_next_commands(opened):
    board = modem()
    held = []

    def feed(data):
        if b"AT+CGSN" in data and not held:
            held.append(board.feed(data))
            return b""
        late, held[:] = b"".join(held[:1]), held[:0] if len(held) > 1 else [b""]
        return late + board.feed(data)

    port = opened(feed)
    with pytest.raises(NoAnswer):
        port.command("AT+CGSN", timeout=SHORT)
    board.replies["AT+CGSN"] = f"{OTHER}\r\n".encode()
    assert port.command("AT+CGSN").text == OTHER


def test_a_probe_that_is_owed_an_answer_is_not_asked_again(opened):
    port = opened(Deaf(1).feed)
    with pytest.raises(NoAnswer):
        port.command("AT+CMEE?", timeout=SHORT)
    assert written(port) == [b"AT+CMEE?\r", b"+++\r", b"AT+CFUN?\r"]


def test_a_write_that_fails_leaves_the_port_out_of_step(opened):
    port = opened(modem().feed)
    write = port._stream.write

    def interrupted(data):
        port._stream.write = write
        raise KeyboardInterrupt

    port._stream.write = interrupted
    with pytest.raises(KeyboardInterrupt):
        port.command("AT+CGSN")
    assert port.command("AT+CGSN").text == IMEI
    assert written(port) == [b"+++\r", b"AT+CMEE?\r", b"AT+CGSN\r"]


# -- data mode


def test_a_payload_follows_its_command_and_ends_with_three_plus(opened, timeline):
    board = modem()
    port = opened(board.feed)
    assert port.send_payload("AT#XSEND", b"payload") == 0
    assert written(port) == [b"AT#XSEND\r", b"payload+++"]
    assert texts(timeline) == ["AT#XSEND", "OK", "payload", "#XDATAMODE: 0"]
    port.sync()
    assert b"+++" not in b"".join(written(port)[2:])


def test_counted_bytes_of_a_socket_are_sent_as_they_are_and_the_timeline_has_their_number_alone(opened, timeline):
    port = opened(lambda data: b"OK\r\n" if data.startswith(b"AT") else b"#XDATAMODE: 0\r\n")
    assert port.send_payload("AT#XSEND=0,2,0,7", b"a+++b\0+", socket_bytes=True, counted=True) == 0
    assert written(port) == [b"AT#XSEND=0,2,0,7\r", b"a+++b\0+"]
    assert texts(timeline) == ["AT#XSEND=0,2,0,7", "OK", "7 bytes", "#XDATAMODE: 0"]
    assert not any("payload" in event.data for event in timeline.since(0))


def test_the_number_that_ends_data_mode_is_returned(opened):
    port = opened(lambda data: b"OK\r\n" if data.startswith(b"AT") else b"#XDATAMODE: -1\r\n")
    assert port.send_payload("AT#XSEND", b"payload") == -1


def test_each_part_of_data_mode_has_its_time(opened, monkeypatch):
    port = opened(modem().feed)
    asked = []
    outcome = port._receiver.outcome
    monkeypatch.setattr(port._receiver, "outcome", lambda timeout: asked.append(timeout) or outcome(timeout))
    port.send_payload("AT#XSEND", b"payload")
    port.send_payload("AT#XSEND", b"payload", 2.5)
    assert asked == [10.0, 10.0, 2.5, 2.5]


def test_data_mode_that_was_refused_is_left_all_the_same(opened):
    """The refusal may have been somebody else's, and then the board takes what follows for a payload."""
    port = opened(ScriptedModem({"AT#XMQTTPUB": b"ERROR\r\n"}).feed)
    with pytest.raises(AtError):
        port.send_payload('AT#XMQTTPUB="t",""', b"payload")
    port.sync()
    assert written(port) == [b'AT#XMQTTPUB="t",""\r', b"+++\r", b"AT+CMEE?\r", b"\r", b"AT+CMEE?\r"]


def test_data_mode_that_may_have_begun_is_left_with_the_first_try(opened):
    port = opened(Deaf(1).feed)
    with pytest.raises(NoAnswer):
        port.send_payload("AT#XSEND", b"payload", SHORT)
    assert written(port) == [b"AT#XSEND\r", b"+++\r", b"AT+CMEE?\r"]
    port.sync()
    assert written(port)[3:] == [b"\r", b"AT+CMEE?\r"]  # it is known to be over


def test_data_mode_after_a_command_in_vain_begins_in_step(opened, hasty):
    port = opened(Deaf(9).feed)
    with pytest.raises(NoAnswer):
        port.command("AT+CGSN", timeout=SHORT)
    board = modem()
    port._stream.answer = board.feed
    port._stream.written.clear()
    assert port.send_payload("AT#XSEND", b"payload") == 0
    assert written(port)[-2:] == [b"AT#XSEND\r", b"payload+++"]
    assert written(port)[0] == b"+++\r"
    assert board.payloads == [b"payload"]


def test_a_payload_that_would_end_data_mode_too_early_is_not_sent(opened):
    port = opened(modem().feed)
    with pytest.raises(Misuse, match="AT#XSEND: the payload holds"):
        port.send_payload("AT#XSEND", b"a+")
    assert written(port) == []


# -- lines


def test_a_line_is_waited_for_from_now_or_from_a_mark(opened):
    port = opened(modem().feed)
    port._stream.incoming.put(b"<inf> app: up\r\n")
    line = port.wait_line(r"app: (\w+)", WAIT, since=0)
    assert (line.text, line.source) == ("<inf> app: up", "board-1")
    with pytest.raises(NoAnswer) as caught:
        port.wait_line("app", SHORT)
    assert str(caught.value) == "board-1: no line with 'app' within 0.03 s; last heard: <inf> app: up"


def test_only_lines_of_the_port_count(opened, timeline):
    port = opened(modem().feed)
    timeline.add(Kind.RX, "board-2", "up")
    timeline.add(Kind.STEP, "board-1", "up")
    timeline.add(Kind.TX, "board-1", "up")
    for kind in (Kind.RX, Kind.URC, Kind.RESULT):
        expected = timeline.add(kind, "board-1", f"up {kind}")
        assert port.wait_line(f"up {kind}", 0.0, since=0) is expected
    with pytest.raises(NoAnswer):
        port.wait_line("^up$", 0.0, since=0)


def test_a_listener_hears_from_now_on(opened):
    port = opened(modem().feed)
    port._stream.incoming.put(b"+CEREG: 1\r\n")
    port.wait_line("CEREG", WAIT, since=0)
    listener = port.listen("+CEREG", "Ready")
    assert listener.names == ("+CEREG", "Ready")
    port._stream.incoming.put(b"Ready\r\n")
    assert listener.next(WAIT).text == "Ready"


def test_what_is_watched_enters_the_timeline(opened, timeline):
    port = opened(modem().feed)
    port.watch(lambda drafts: [*drafts, (0.0, Kind.STEP, "board-1", f"{len(drafts)} seen", {})])
    port.command("AT")
    assert "OK" in texts(timeline)
    assert any(text.endswith(" seen") for text in texts(timeline))


# -- a port that goes away


def test_a_board_that_went_away_is_said_everywhere(opened, timeline):
    port = opened(lambda data: b"")
    threads = [threading.Timer(SHORT, port._stream.incoming.put, [BoardLost("board-1: unplugged")])]
    threads[0].start()
    with pytest.raises(BoardLost, match=r"^board-1: unplugged$"):
        port.command("AT+CGSN", timeout=WAIT)
    assert not port.alive
    assert isinstance(port.failure, BoardLost)
    assert port.failure is not port.failure
    for call in (
        lambda: port.command("AT"),
        lambda: port.sync(),
        lambda: port.wait_line("never", WAIT),
        lambda: port.listen("+CEREG").next(WAIT),
    ):
        with pytest.raises(BoardLost, match=r"^board-1: unplugged$"):
            call()
    assert [(event.kind, event.source) for event in timeline.since() if event.text == "board-1: unplugged"] == [
        (Kind.FAULT, "board-1")
    ]


def test_who_waits_for_a_line_hears_at_once_that_the_board_went_away(opened):
    port = opened(lambda data: b"")
    threading.Timer(SHORT, port._stream.incoming.put, [BoardLost("gone")]).start()
    with pytest.raises(BoardLost, match="gone"):
        port.wait_line("never", WAIT)


def test_lines_from_before_are_found_on_a_port_that_went_away(opened):
    port = opened(lambda data: b"")
    port._stream.incoming.put(b"last words\r\n")
    port._stream.incoming.put(BoardLost("gone"))
    port._receiver._thread.join(WAIT)
    assert port.wait_line("last words", WAIT, since=0).text == "last words"


def test_a_port_that_was_closed_says_so_and_stays_closed(opened, timeline):
    port = opened(modem().feed)
    with port as entered:
        assert entered is port
    port.close()
    assert port._stream.closed
    assert not port.alive
    assert isinstance(port.failure, LabError)
    for call in (lambda: port.command("AT"), port.sync, lambda: port.send_payload("AT#XSEND", b"x")):
        with pytest.raises(Misuse, match=r"^board-1: the port is closed; open it again$"):
            call()
    assert texts(timeline) == ["board-1: the port was closed"]
    assert written(port) == []


def test_a_port_is_opened_by_its_url_as_the_settings_say(monkeypatch, timeline):
    asked = []

    streams = []

    def link(url, name, **settings):
        asked.append((url, name, settings))
        streams.append(Stream(modem().feed))
        return streams[-1]

    monkeypatch.setattr("harness.at.port.open_link", link)
    with AtPort.open("/dev/ttyACM0", name="board-1", timeline=timeline) as port:
        port.command("AT")
        assert (port.name, port.timeline) == ("board-1", timeline)
    settings = PortSettings(baudrate=9600, rtscts=True, chunk=1)
    with AtPort.open("socket://rack:1", name="board-2", timeline=timeline, settings=settings) as port:
        port.command("AT")
        assert streams[-1].written == [b"A", "flush", b"T", "flush", b"\r", "flush"]
    assert asked == [
        ("/dev/ttyACM0", "board-1", {"baudrate": 115200, "rtscts": False}),
        ("socket://rack:1", "board-2", {"baudrate": 9600, "rtscts": True}),
    ]


def test_a_final_result_of_an_earlier_command_does_not_end_a_try(opened):
    """Only an answer that can be nothing else shows that the board answers what it is asked now."""
    answers = iter([b"", b"", b"OK\r\nERROR\r\n+CMEE: 1\r\nOK\r\n"])
    port = opened(lambda data: next(answers))
    with pytest.raises(NoAnswer, match="again after 1 tries"):
        port.command("AT+CGSN", timeout=SHORT)
    port._stream.answer = modem().feed
    assert port.command("AT+CGSN").text == IMEI


def test_where_every_probe_is_owed_an_answer_the_first_is_asked(opened):
    port = opened(modem().feed)
    owed = ["AT+CMEE?", "AT+CFUN?", "AT+CEREG?", "AT%XSYSTEMMODE?", "AT+CNEC?", "AT+CSCON?"]
    port._receiver.owed = lambda: frozenset(port._parse(text).name for text in owed)
    assert port._question().text == "AT+CMEE?"
    port._receiver.owed = lambda: frozenset({"+CMEE"})
    assert port._question().text == "AT+CFUN?"


def test_an_event_that_is_no_line_is_not_what_was_waited_for(opened, timeline):
    port = opened(modem().feed)
    timeline.add(Kind.STEP, "board-1", "the modem is up")
    line = timeline.add(Kind.RX, "board-1", "up at last")
    assert port.wait_line("up", 0.0, since=0) is line


def test_a_port_that_went_away_is_not_waited_for(opened, timeline, monkeypatch):
    port = opened(lambda data: b"")
    port._stream.incoming.put(BoardLost("gone"))
    port._receiver._thread.join(WAIT)
    waits = []
    monkeypatch.setattr(timeline, "wait", lambda match, *, since, timeout: waits.append(timeout))
    with pytest.raises(BoardLost):
        port.wait_line("never", WAIT)
    assert waits == [0.0]
