"""A port on which others speak too: other programs, a person at the console, another firmware than was meant."""

import pytest

from harness.at import AtError, AtPort, PortSettings, StrayAnswer
from harness.errors import BoardLost, Misuse, NoAnswer
from harness.timeline import Kind, Timeline
from tests.unit.at.scripted_modem import ScriptedModem
from tests.unit.at.test_port import IMEI, Stream, modem, texts, written
from tests.unit.at.test_port import hasty as hasty
from tests.unit.at.test_port import opened as opened
from tests.unit.at.test_port import timeline as timeline

FOREIGN = "something else writes to this port: ModemManager?"


class Intruder:
    """Another program says ERROR before the board's answer to a command, once, and ``left`` after it."""

    def __init__(self, board, command, left=b""):
        self.board, self.command, self.left = board, command, left
        self.struck = False

    def feed(self, data):
        answer = self.board.feed(data)
        if self.struck or self.command not in data:
            return answer
        self.struck = True
        return b"ERROR\r\n" + answer + self.left


@pytest.fixture
def named(timeline):
    """A port at a device that nobody else holds."""
    ports = []

    def open_port(answer):
        settings = PortSettings()
        ports.append(AtPort(Stream(answer), name="board-1", timeline=timeline, settings=settings, url="/dev/none"))
        return ports[-1]

    yield open_port
    for port in ports:
        port.close()


def test_a_question_that_somebody_else_answered_is_asked_again(named, timeline):
    port = named(Intruder(modem(), b"AT+CGSN").feed)
    answer = port.command("AT+CGSN")
    assert answer.text == IMEI
    assert 0.0 < answer.seconds < 5.0
    assert written(port) == [b"AT+CGSN\r", b"+++\r", b"AT+CMEE?\r", b"AT+CGSN\r"]
    (fault,) = [event for event in timeline.since() if event.kind is Kind.FAULT]
    assert fault.source == "board-1"
    assert fault.text.startswith(f"AT+CGSN: an ERROR that the board does not repeat; {FOREIGN}; end it")
    assert port.in_step


def test_what_may_be_done_once_only_is_not_repeated_and_its_answer_not_the_next_ones(named, timeline):
    board = modem(**{"AT%CMNG": b""})
    port = named(Intruder(board, b"AT%CMNG=3").feed)
    with pytest.raises(AtError, match=r"^AT%CMNG=3,7,0 answered ERROR"):
        port.command("AT%CMNG=3,7,0")
    assert board.commands.count("AT%CMNG=3,7,0") == 1
    assert port.command("AT+CGSN").text == IMEI
    assert texts(timeline, Kind.FAULT) == []


def test_an_error_that_the_board_repeats_is_the_boards(named, timeline):
    board = modem()
    port = named(board.feed)
    with pytest.raises(AtError):
        port.command("AT%XMONITOR")
    assert board.commands.count("AT%XMONITOR") == 2
    assert texts(timeline, Kind.FAULT) == []


def test_a_second_try_has_the_time_of_the_first(named, monkeypatch):
    port = named(Intruder(modem(), b"AT+CGSN").feed)
    asked = []
    outcome = port._receiver.outcome
    monkeypatch.setattr(port._receiver, "outcome", lambda timeout: asked.append(timeout) or outcome(timeout))
    port.command("AT+CGSN", 0.75)
    assert asked == [0.75, 1.0, 0.75]


def test_data_mode_that_opened_behind_somebody_elses_error_is_no_refusal(named):
    board = modem(**{"AT#XMQTTPUB": b""})
    port = named(Intruder(board, b"AT#XMQTTPUB", left=b"#XDATAMODE: -1\r\n").feed)
    with pytest.raises(StrayAnswer) as caught:
        port.send_payload('AT#XMQTTPUB="t",""', b"payload")
    assert str(caught.value).startswith(
        'board-1: AT#XMQTTPUB="t","": expected ERROR to be the board\'s answer, got it from somebody else:'
        f" the board had opened data mode; {FOREIGN}; end it"
    )
    assert isinstance(caught.value.__cause__, AtError)


def test_other_lines_behind_a_refusal_and_what_was_said_of_data_mode_before_leave_it_a_refusal(named, timeline):
    port = named(Intruder(modem(), b"AT#XMQTTPUB", left=b"+CEREG: 1\r\n<inf> #XDATAMODE: -1\r\n").feed)
    timeline.add(Kind.URC, "board-1", "#XDATAMODE: 0")
    with pytest.raises(AtError):
        port.send_payload('AT#XMQTTPUB="t",""', b"payload")


def test_what_is_shouted_comes_out_of_data_mode_and_an_open_quote(opened):
    port = opened(lambda data: b"")
    port.shout("AT+CFUN=0", "AT#XRESET")
    assert written(port) == [b'+++\r"\r', b"AT+CFUN=0\r", b"AT#XRESET\r"]
    assert not port.in_step


def test_a_port_that_is_no_shell_takes_no_line_of_one(opened):
    port = opened(modem().feed)
    with pytest.raises(Misuse) as caught:
        port.type_line("kernel version")
    assert str(caught.value) == "board-1: cannot type 'kernel version': this board's firmware has no shell"
    assert written(port) == []


def test_a_line_for_a_shell_waits_until_the_port_is_in_step(opened):
    board = ScriptedModem()

    def shell(data):
        return board.feed(data.replace(b"at '", b"").replace(b"'", b"")) if data.startswith(b"at '") else b""

    port = opened(shell, at_shell=True)
    port.shout()
    port.type_line("kernel version")
    sent = written(port)
    assert sent[-1] == b"kernel version\r"
    assert b"at 'AT+CMEE?'\r" in sent
    assert port.in_step
    port.type_line("again")
    assert written(port)[len(sent) :] == [b"again\r"]


def test_what_is_typed_goes_as_it_is_and_the_next_command_gets_in_step_first(opened, timeline):
    port = opened(modem().feed)
    port.type_bytes(b"AT+C")
    assert written(port) == [b"AT+C"]
    assert not port.in_step
    assert len(texts(timeline, Kind.TX)) == 1
    assert port.command("AT+CGSN").text == IMEI


def test_a_port_talks_as_it_is_told_to(opened):
    port = opened(ScriptedModem().feed)
    rates = []
    port._stream.change_baud = rates.append
    told = PortSettings(baudrate=9600, terminator="\n", framed={"#XDATA": lambda args: (int(args),)})
    port.adapt(told)
    port.adapt(told)
    assert (port.settings, rates) == (told, [9600])
    port._stream.answer = ScriptedModem(terminator=b"\n").feed
    port.command("AT")
    assert written(port) == [b"AT\n"]
    port._stream.incoming.put(b"#XDATA: 2\r\nOK\r\n")
    port._stream.incoming.join()
    assert port.timeline.since()[-1].data == {"blobs": [{"payload": "OK"}]}


def test_data_mode_is_left_also_by_a_port_that_was_told_which_firmware_speaks(opened):
    port = opened(modem().feed)
    port.adapt(PortSettings(queues=True))
    port.sync()
    assert written(port)[0] == b"+++\r"


def test_a_shell_has_no_data_mode_to_be_left(opened):
    port = opened(ScriptedModem().feed)
    port.adapt(PortSettings(at_shell=True))
    port._stream.answer = lambda data: b"OK\r\n"
    assert not port._data_mode


def test_a_port_gets_in_step_before_it_opens_data_mode(opened):
    """Getting in step leaves data mode: it must not be taken for the end of the one that is opened now."""
    board = modem()
    port = opened(lambda data: b"" if b"AT#XSEND" in data else board.feed(data))
    port.type_bytes(b"")
    with pytest.raises(NoAnswer):
        port.send_payload("AT#XSEND", b"payload", 0.03)
    assert written(port)[-3:] == [b"AT#XSEND\r", b"+++\r", b"AT+CMEE?\r"]


def test_getting_in_step_that_is_interrupted_leaves_the_port_out_of_step(opened):
    port = opened(modem().feed)

    def interrupted(data):
        raise KeyboardInterrupt

    port._stream.write = interrupted
    with pytest.raises(KeyboardInterrupt):
        port.sync()
    assert not port.in_step


def test_an_event_is_waited_for_from_a_mark(opened, timeline):
    port = opened(modem().feed)
    old, new = (timeline.add(Kind.URC, "board-1", "+CEREG: 1") for _ in range(2))
    assert port.wait(lambda event: event.kind is Kind.URC, since=old.seq, timeout=0.0) is old
    assert port.wait(lambda event: event.kind is Kind.URC, since=new.seq, timeout=0.0) is new
    assert port.wait(lambda event: event.kind is Kind.RX, since=old.seq, timeout=0.0) is None


def test_a_port_that_cannot_change_its_rate_is_lost(opened):
    port = opened(modem().feed)

    def refuse(rate):
        raise BoardLost("board-1: cannot change")

    port._stream.change_baud = refuse
    with pytest.raises(BoardLost):
        port.adapt(PortSettings(baudrate=9600))
    assert port.settings == PortSettings()


def test_a_ports_place_is_known_to_what_is_said_of_it(monkeypatch):
    monkeypatch.setattr("harness.at.port.open_link", lambda url, name, **given: Stream(modem().feed))
    with AtPort.open("/dev/ttyACM7", name="board-1", timeline=Timeline()) as port:
        assert port._url == "/dev/ttyACM7"
