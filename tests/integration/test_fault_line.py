"""The man in the middle on a port, between a virtual board's pty and the harness's own port reader."""

import os
import threading
import time

import pytest
import serial

from harness.at import AtPort
from harness.errors import LabError, NoAnswer, PortMissing
from harness.faults import Deed, Direction, Fault, Framing, PtyProxy
from harness.timeline import Kind, Timeline
from tests.integration.board_lab import OK, Host, Lab

IN, OUT = Direction.IN, Direction.OUT


@pytest.fixture
def board(tmp_path):
    lab = Lab(tmp_path)
    yield lab.board()
    lab.stop()


@pytest.fixture
def line(board, tmp_path):
    """Return a function that puts a line with faults before the board."""
    lines = []

    def line(*faults, framing=Framing.BYTES):
        made = PtyProxy(board.port, tmp_path / "line", faults, framing=framing)
        lines.append(made.__enter__())
        return made

    yield line
    for one in lines:
        one.__exit__(None, None, None)
    assert [thread.name for thread in threading.enumerate() if "fault line" in thread.name] == []


def test_without_faults_the_line_is_not_there(board, line):
    host = Host(line().link)
    assert host.ask("AT") == OK
    assert host.ask("AT+CGSN") == f"\r\n{board.imei}\r\n\r\nOK\r\n".encode()
    assert host.ask("AT%CMNG=1").endswith(b"OK\r\n")


@pytest.mark.parametrize(
    ("deed", "expected"),
    [(Deed.DROP, b"\r\nK\r\n"), (Deed.DOUBLE, b"\r\nOOK\r\n")],
)
def test_a_byte_of_the_answer_is_lost_or_doubled(line, deed, expected):
    one = line(Fault(deed, IN, byte=3))
    port = serial.Serial(str(one.link), 115200, timeout=30)
    port.write(b"AT\r")
    assert port.read(len(expected)) == expected
    assert one.struck[0].fault.deed is deed


def test_a_garbled_command_is_not_what_was_sent(line):
    host = Host(line(Fault(Deed.GARBLE, OUT, byte=2)).link)
    host.serial.write(b"AT\r")
    assert host.ask("AT") != b""
    assert host.ask("AT") == OK


def test_a_foreign_speaker(line):
    one = line()
    host = Host(one.link)
    assert host.ask("AT") == OK
    one.insert(b"\r\nReady\r\n")
    assert host.hear(b"Ready\r\n") == b"\r\nReady\r\n"
    one.insert(b"AT+CGSN\r", OUT)  # somebody else asks the board
    assert host.hear(b"OK\r\n").endswith(b"OK\r\n")


def test_a_stall_of_the_board_and_its_end(line):
    one = line(Fault(Deed.STALL, IN, phase="stall", seconds=0.2))
    host = Host(one.link)
    assert host.ask("AT") == OK
    one.phase("stall")
    begin = time.monotonic()
    assert host.ask("AT") == OK
    assert time.monotonic() - begin >= 0.2
    assert host.ask("AT") == OK


def test_lines_are_units_too(board, line):
    """The second line that the board says is lost; the prompt of nothing is held back for ever."""
    one = line(Fault(Deed.DROP, IN, packet=2), framing=Framing.LINES)
    host = Host(one.link)
    assert host.ask("AT+CGSN", until=b"OK\r\n") == b"\r\n\r\nOK\r\n"


def test_unplugged_and_plugged_again_under_the_same_path(line):
    one = line()
    host = Host(one.link)
    assert host.ask("AT") == OK
    one.unplug()
    assert not os.path.lexists(one.link)
    with pytest.raises((serial.SerialException, OSError)):
        host.serial.read(1)
    host.serial.close()
    one.plug()
    one.plug()  # it is there already
    assert Host(one.link).ask("AT") == OK


def test_the_harness_says_what_it_heard_when_an_answer_is_lost(line):
    """Through the harness's own reader: the final result never comes, and then the port goes."""
    one = line(Fault(Deed.STALL, IN, phase="action"), Fault(Deed.FIN, phase="unplug"))
    timeline = Timeline()
    with AtPort.open(str(one.link), name="board", timeline=timeline) as port:
        port.command("AT")
        one.phase("action")
        with pytest.raises(NoAnswer, match="AT"):
            port.command("AT", timeout=0.5)
        one.phase("unplug")
        with pytest.raises(LabError):
            port.command("AT", timeout=2.0)
        assert timeline.wait(lambda event: event.kind is Kind.FAULT, since=0, timeout=30.0)


def test_a_port_that_is_not_there(tmp_path):
    with pytest.raises(PortMissing, match=r"cannot open .*/nothing: No such file"):
        PtyProxy(tmp_path / "nothing", tmp_path / "line").__enter__()
    assert not (tmp_path / "line").exists()


def test_a_link_that_cannot_be_made(board, tmp_path):
    with pytest.raises(LabError, match="cannot make a port at"):
        PtyProxy(board.port, tmp_path / "no" / "line").__enter__()
