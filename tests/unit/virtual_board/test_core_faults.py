"""What happens to a board while it runs: the network goes away and comes back, the modem crashes, results get lost."""

import pytest

from harness.settings.board_faults import (
    ChangeCell,
    DetachNetwork,
    DisturbUrcs,
    DropPdn,
    FaultModem,
    LoseRegistration,
    RegainNetwork,
    ResetDuring,
    SayLine,
    SlowAttach,
)
from harness.virtual.board.at_host import AtHost
from harness.virtual.board.outputs import CloseLink, HoldLink, LinkData, LinkOpened
from harness.virtual.mqtt import Connack
from tests.unit.virtual_board.bench import ERROR, OK, Bench, info, urcs

NEVER = 1000.0


def strike(bench, fault):
    return bench._collect(bench.core.strike(fault))


@pytest.fixture
def bench():
    """Registered, with the notifications that a harness asks for."""
    bench = Bench()
    for subscription in ("+CEREG=5", "+CSCON=1", "+CGEREP=1", "%MDMEV=1"):
        bench.ask("AT" + subscription)
    bench.attach()
    bench.advance(60)
    return bench


@pytest.fixture
def connected(bench):
    """Connected to a broker that has accepted it."""
    bench.type(b'AT#XMQTTCFG="me",6000,1\rAT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,42\r')
    bench.link(LinkOpened())
    bench.link(LinkData(Connack().encode()))
    bench.advance(1)
    bench.taken()
    return bench


def test_coverage_goes_and_comes_and_the_socket_lives_on(connected):
    assert b"+CEREG: 2\r\n" in strike(connected, LoseRegistration(board="a", seconds=30))
    assert connected.taken() == [HoldLink(True)]
    assert connected.ask("AT+CGPADDR").endswith(OK)
    assert b"10.101." in connected.ask("AT+CGPADDR")
    assert b"#XMQTTCON: 1," in connected.ask("AT#XMQTTCON?")
    assert connected.ask("AT+CEREG?") == info("+CEREG: 5,2")
    assert connected.advance(29.9) == b""
    assert connected.advance(0.2).startswith(urcs('+CEREG: 1,"0001","00010101",7,,,"11100000","11100000"'))
    assert connected.taken() == [HoldLink(False)]


@pytest.mark.parametrize("status", [0, 4])
def test_other_words_for_a_loss(bench, status):
    assert strike(bench, LoseRegistration(board="a", status=status)).endswith(urcs(f"+CEREG: {status}"))
    assert bench.advance(NEVER) == b""
    assert b"+CEREG: 1" in strike(bench, RegainNetwork(board="a"))
    assert strike(bench, RegainNetwork(board="a")) == b""


def test_a_loss_ends_with_the_radio(bench):
    strike(bench, LoseRegistration(board="a", seconds=30))
    bench.ask("AT+CFUN=4")
    bench.advance(1)
    assert bench.taken() == [HoldLink(True), HoldLink(False)]
    assert b"+CEREG: 1" not in bench.advance(NEVER)


def test_the_network_ends_the_pdn_connection(connected):
    before = connected.ask("AT+CGPADDR")
    said = strike(connected, DropPdn(board="a", seconds=5))
    assert said == urcs("+CGEV: NW PDN DEACT 0", "#XMQTTEVT: 1,-113")
    assert connected.ask("AT+CGPADDR") == OK
    assert connected.ask('AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,42') == ERROR
    assert connected.ask("AT+CEREG?").startswith(b"\r\n+CEREG: 5,1")
    assert connected.advance(5) == urcs("+CGEV: ME PDN ACT 0,0")
    after = connected.ask("AT+CGPADDR")
    assert after.startswith(b'\r\n+CGPADDR: 0,"10.101.')
    assert after != before


def test_the_network_detaches_the_board(connected):
    said = strike(connected, DetachNetwork(board="a", seconds=3))
    assert said == urcs("+CGEV: NW DETACH", "+CEREG: 2", "+CSCON: 0", "#XMQTTEVT: 1,-113")
    heard = connected.advance(3 + 5)
    assert b"+CGEV: ME PDN ACT 0,0" in heard
    assert b"+CEREG: 1" in heard


def test_another_cell_is_no_loss(connected):
    assert strike(connected, ChangeCell(board="a")).startswith(urcs('+CEREG: 1,"0001","00010102",7,,,"11100000"')[:-2])
    assert b'"00010102"' in connected.ask("AT%XMONITOR")
    assert connected.taken() == []
    assert b'"00010101"' in strike(connected, ChangeCell(board="a"))


def test_a_slow_attach_outlives_a_reset_of_the_board():
    bench = Bench()
    strike(bench, SlowAttach(board="a", seconds=100))
    bench._collect(bench.core.power_on())
    bench.ask("AT+CEREG=1")
    bench.ask("AT+CFUN=1")
    assert bench.advance(100) == b""
    assert bench.advance(5) == urcs("+CEREG: 2", "+CEREG: 1")


@pytest.mark.parametrize(
    ("mqtt", "event", "then"),
    [
        ("aborted", b"\r\n#XMQTTEVT: 1,-113\r\n", b"#XMQTTCON: 0"),
        ("shutdown", b"\r\n#XMQTTEVT: 1,-110\r\n", b"#XMQTTCON: 0"),
        ("silent", b"", b'#XMQTTCON: 1,"me"'),
    ],
)
def test_the_modem_crashes(connected, mqtt, event, then):
    said = strike(connected, FaultModem(board="a", mqtt=mqtt))
    assert said == urcs("#XMODEM: FAULT,0x10,0x119f0a") + event + urcs("#XMODEM: SHUTDOWN,0")
    assert connected.taken() == [CloseLink(abrupt=True)]
    assert connected.advance(2) == urcs("#XMODEM: INIT,0")
    assert connected.ask("AT+CFUN?") == info("+CFUN: 0")
    assert connected.ask("AT+CMEE?") == info("+CMEE: 0")
    assert then in connected.ask("AT#XMQTTCON?")


def test_the_board_restarts_in_the_middle_of_a_command(connected):
    strike(connected, ResetDuring(board="a", begins="at%keygen"))
    assert connected.type(b"AT+CFUN?\r") == info("+CFUN: 1")
    assert connected.type(b"AT%KEYGEN=42,2,0\r") == b""
    assert connected.advance(5) == b"Ready\r\n"
    assert connected.ask("AT+CFUN?") == info("+CFUN: 0")
    assert connected.ask("AT%KEYGEN=42,2,0").endswith(OK)  # once is what was asked for


def test_the_modem_restarts_in_the_middle_of_a_command(bench):
    strike(bench, ResetDuring(board="a", begins="AT+CFUN", what="modem"))
    said = bench.ask("AT+CFUN=4")
    assert said == ERROR + urcs("#XMODEM: FAULT,0x10,0x119f0a", "#XMODEM: SHUTDOWN,0")
    bench.advance(5)
    assert bench.ask("AT+CFUN?") == info("+CFUN: 0")


@pytest.mark.parametrize(("how", "copies"), [("lose", 0), ("double", 2), ("delay", 0)])
def test_results_are_lost_doubled_or_late(bench, how, copies):
    strike(bench, DisturbUrcs(board="a", how=how, begins="+CEREG", skip=1, seconds=7))
    assert strike(bench, ChangeCell(board="a")).count(b"+CEREG") == 1
    assert strike(bench, ChangeCell(board="a")).count(b"+CEREG") == copies
    assert strike(bench, ChangeCell(board="a")).count(b"+CEREG") == 1
    assert bench.advance(7).count(b"+CEREG") == (how == "delay")


def test_all_results_of_mqtt_are_lost(connected):
    strike(connected, DisturbUrcs(board="a", how="lose", begins="#XMQTTEVT", count=None))
    assert connected.ask("AT#XMQTTCON=0") == OK
    assert connected.advance(NEVER).count(b"#XMQTTEVT") == 0


def test_a_line_that_nobody_expects(bench):
    assert strike(bench, SayLine(board="a", text="+CGEV: ME DETACH")) == urcs("+CGEV: ME DETACH")


def test_at_client_too():
    bench = Bench(firmware=AtHost)
    bench.ask("AT+CEREG=2")
    bench.attach()
    assert strike(bench, LoseRegistration(board="a")) == b"+CEREG: 2\r\n"
    assert strike(bench, SayLine(board="a", text="Ready")) == b"Ready\r\n"
    strike(bench, ResetDuring(board="a", begins="AT+CMEE", times=2))
    assert bench.ask("AT+CMEE=1").endswith(b"Ready\r\n")
    assert bench.ask("AT+CMEE=1").endswith(b"Ready\r\n")
    assert bench.ask("AT+CMEE=1") == b"OK\r\n"
    strike(bench, ResetDuring(board="a", begins="AT+CMEE", what="modem"))
    assert bench.ask("AT+CMEE?") == b"ERROR\r\n"
    strike(bench, FaultModem(board="a"))
    assert bench.ask("AT+CFUN?") == b"+CFUN: 0\r\nOK\r\n"
