"""A virtual board behind RFC 2217: its modem lines, its speed, and the harness on it."""

from __future__ import annotations

import socket

import pytest
import serial

from harness.at import AtPort, PortSettings
from harness.errors import PortBusy
from harness.firmware import NothingKnown, find_firmware
from harness.timeline import Timeline
from tests.integration.board_lab import Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def board(lab):
    return lab.board("remote", rfc2217=0)


@pytest.fixture(scope="module")
def slow(lab):
    return lab.board("fast", rfc2217=0, baud=460800)


@pytest.fixture
def terminal(board):
    with serial.serial_for_url(board.url, timeout=30) as terminal:
        yield terminal


def ask(terminal, line=b"AT\r"):
    terminal.write(line)
    return terminal.read_until(b"OK\r\n")


def test_at_commands_pass_with_any_byte(terminal):
    assert ask(terminal).endswith(b"OK\r\n")
    terminal.write(b"AT\xff\xff+X\r")
    assert terminal.read_until(b"ERROR\r\n").endswith(b"ERROR\r\n")


def test_nothing_passes_without_dtr(terminal):
    ask(terminal)
    terminal.dtr = False
    terminal.timeout = 0.3
    terminal.write(b"AT\r")
    assert terminal.read(1) == b""
    terminal.dtr = True
    terminal.timeout = 30
    assert ask(terminal).endswith(b"OK\r\n")


def test_with_flow_control_rts_holds_the_board_back(terminal):
    terminal.rtscts = True
    ask(terminal)
    terminal.rts = False
    terminal.write(b"AT\r")
    terminal.timeout = 0.3
    assert terminal.read(1) == b""
    terminal.timeout = 30
    terminal.rts = True
    assert terminal.read_until(b"OK\r\n").endswith(b"OK\r\n")


def test_the_board_says_that_it_is_there(terminal):
    assert (terminal.cts, terminal.dsr, terminal.cd) == (True, True, True)


def test_a_second_terminal_is_told_who_has_the_port(board, terminal):
    host, port = board.url.removeprefix("rfc2217://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as second:
        assert b"in use" in second.recv(100)
    with pytest.raises(PortBusy):
        AtPort.open(board.url, name="b", timeline=Timeline())


@pytest.mark.parametrize("rtscts", [False, True])
def test_the_harness_finds_out_what_it_is(board, rtscts):
    settings = PortSettings(rtscts=rtscts)
    with AtPort.open(board.url, name="b", timeline=Timeline(), settings=settings) as port:
        assert str(find_firmware(port).firmware) == "Serial Modem 1.0.0"


def test_another_speed_is_found(slow):
    with AtPort.open(slow.url, name="b", timeline=Timeline()) as port:
        found = find_firmware(port)
        assert found.answering.baud == 460800
        assert port.command("AT+CGSN").text == slow.imei


def test_at_speeds_that_are_not_the_boards_nothing_is_understood(slow):
    with (
        AtPort.open(slow.url, name="b", timeline=Timeline()) as port,
        pytest.raises(NothingKnown, match="the board answers nothing"),
    ):
        find_firmware(port, bauds=(115200, 57600))
