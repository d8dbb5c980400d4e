"""What a board says by itself during a trial."""

import pytest

from harness.firmware import restart
from harness.timeline import Event, Kind
from harness.trial.watches import garbled, network_loss, own_switch


def heard(kind, text, **data):
    return Event(0, 0.0, kind, "dk-1", text, data)


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ('+CEREG: 2,"0001","00010101",7', True),
        ("+CEREG: 0", True),
        ("+CEREG: 90", True),
        ('+CEREG: 1,"0001","00010101",7,,,"11100000","11100000"', False),
        ('+CEREG: 5,"0001","00010102",9', False),
        ("+CEREG: ,", False),
        ("+CEREG", False),
        ("+CGEV: NW DETACH", True),
        ("+CGEV: ME DETACH", True),
        ("+CGEV: NW PDN DEACT 0", True),
        ("+CGEV: ME PDN DEACT 0", True),
        ("+CGEV: ME PDN ACT 0,0", False),
        ("+CGEV: NW DETACH+CSCON: 0", True),  # its line end was lost
        ("+CSCON: 0", False),
        ("#XMQTTEVT: 1,-128", False),
    ],
)
def test_loss_of_the_network(text, lost):
    quiet = heard(Kind.URC, "+CSCON: 1")
    event = heard(Kind.URC, text)
    assert network_loss([quiet, event]) is (event if lost else None)
    assert network_loss([heard(Kind.RX, text, role="info")]) is None  # the answer to a question


def test_the_first_sign_of_a_loss_counts():
    first, second = heard(Kind.URC, "+CEREG: 2"), heard(Kind.URC, "+CGEV: NW DETACH")
    assert network_loss([first, second]) is first


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (heard(Kind.RX, "Ready"), True),
        (heard(Kind.RX, "INIT ERROR"), True),
        (heard(Kind.URC, "#XMODEM: FAULT,0x1,0x2"), True),
        (heard(Kind.RX, "Ready", role="info"), False),
        (heard(Kind.RX, "Ready or not"), False),
        (heard(Kind.URC, "#XMODEMX: 1"), False),
        (heard(Kind.TX, "Ready"), False),
    ],
)
def test_restart_of_board_or_modem(event, shown):
    assert restart([heard(Kind.RX, "OK", role="result"), event]) is (event if shown else None)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (heard(Kind.TX, "AT+CFUN=4"), True),
        (heard(Kind.TX, "AT+CFUN=1"), True),
        (heard(Kind.TX, "at+cfun=0"), True),
        (heard(Kind.TX, "AT#XSLEEP=1"), True),
        (heard(Kind.TX, "AT+CFUN?"), False),
        (heard(Kind.TX, "AT#XMQTTCON=0"), False),
        (heard(Kind.RX, "AT+CFUN=4"), False),
    ],
)
def test_what_the_harness_itself_switched(event, shown):
    assert own_switch([heard(Kind.TX, "AT+CEREG?"), event]) is (event if shown else None)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (heard(Kind.RX, "#XMQTTEVT: 0,x", role="garbled"), True),
        (heard(Kind.FAULT, "garbled, skipped: #XMQTTEVT: 0,", garbled=True), True),
        (heard(Kind.RX, "OK", role="result"), False),
        (heard(Kind.RX, "a log line"), False),
    ],
)
def test_a_line_that_could_not_be_read(event, shown):
    assert garbled([heard(Kind.RX, "OK", role="result"), event]) is (event if shown else None)
