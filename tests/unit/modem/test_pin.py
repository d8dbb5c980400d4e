"""A PIN is entered where the SIM asks for it, and kept back where one more wrong one could block it."""

from collections import deque

import pytest

from harness.errors import NotRegistered
from harness.modem import Modem
from tests.unit.modem.scripted import ScriptedPort

WAITING, READY = ["+CPIN: SIM PIN", "OK"], ["+CPIN: READY", "OK"]


def register(states, tries=3, entered="OK", urcs=("%XSIM: 0,1",)):
    port = ScriptedPort(
        {
            "AT%XSIM=1": "OK",
            "AT+CFUN=1": "OK",
            "AT+CPIN?": deque(states),
            'AT+CPINR="SIM PIN"': [f'+CPINR: "SIM PIN",{tries}', "OK"],
            'AT+CPIN="1234"': entered,
            "AT+CEREG?": ['+CEREG: 5,1,"0001","00010101",7', "OK"],
        },
        default="OK",
        urcs={"AT+CFUN=1": urcs},
    )
    Modem(port.as_port(), sec_tags=[1], pin="1234").register()
    return port.sent


def test_a_pin_is_entered_once_it_is_asked_for():
    sent = register(["+CME ERROR: 13", WAITING])
    assert sent.index("AT%XSIM=1") < sent.index("AT+CFUN=1") < sent.index('AT+CPIN="1234"') < sent.index("AT+CEREG?")


@pytest.mark.parametrize("states", [[READY], ["ERROR", READY], ["ERROR", "ERROR"]])
def test_a_sim_that_does_not_ask_gets_none(states):
    assert 'AT+CPIN="1234"' not in register(states, urcs=("%XSIM: 1",))


def test_a_sim_that_never_starts_is_left_to_registration():
    assert 'AT+CPIN="1234"' not in register(["ERROR"], urcs=())


@pytest.mark.parametrize("tries", [0, 1, 2])
def test_a_wrong_pin_of_before_keeps_this_one_back(tries):
    with pytest.raises(NotRegistered, match=rf"\({tries} of 3 tries are left\), so pin_env is not tried") as caught:
        register([WAITING], tries)
    assert "1234" not in str(caught.value)


def test_a_blocked_sim_gets_no_pin():
    with pytest.raises(NotRegistered, match="asks for SIM PUK: it is blocked; do not try PINs"):
        register([["+CPIN: SIM PUK", "OK"]])


def test_a_refused_pin_is_told_without_the_pin():
    with pytest.raises(NotRegistered, match=r"refuses the PIN of pin_env \(\+CME ERROR: 16\)") as caught:
        register([WAITING], entered="+CME ERROR: 16")
    assert "1234" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_failure_of_the_sim_that_was_told_before_the_pin_is_waited_out():
    port = ScriptedPort(
        {
            "AT+CPIN?": WAITING,
            'AT+CPINR="SIM PIN"': ['+CPINR: "SIM PIN",3', "OK"],
            "AT+CEREG?": ["+CEREG: 5,90", "OK"],
        },
        default="OK",
        urcs={"AT+CFUN=1": ["+CEREG: 90"], 'AT+CPIN="1234"': ['+CEREG: 1,"0001","00010101",7']},
    )
    assert Modem(port.as_port(), sec_tags=[1], pin="1234").register().registered


@pytest.mark.parametrize("go", ["offline", "set_functional_mode", "mode_kept"])
def test_every_way_to_mode_1_enters_the_pin(go):
    port = ScriptedPort(
        {
            "AT+CFUN?": deque([["+CFUN: 1", "OK"], ["+CFUN: 4", "OK"]]),
            "AT+CPIN?": WAITING,
            'AT+CPINR="SIM PIN"': ['+CPINR: "SIM PIN",3', "OK"],
        },
        default="OK",
    )
    modem = Modem(port.as_port(), sec_tags=[1], pin="1234")
    if go == "set_functional_mode":
        modem.set_functional_mode(1)
    else:
        with getattr(modem, go)():
            pass
    assert port.sent[-5:] == ["AT%XSIM=1", "AT+CFUN=1", "AT+CPIN?", 'AT+CPINR="SIM PIN"', 'AT+CPIN="1234"']


def test_other_modes_need_no_pin():
    port = ScriptedPort({"AT+CFUN=4": "OK"})
    Modem(port.as_port(), sec_tags=[1], pin="1234").set_functional_mode(4)
    assert port.sent == ["AT+CFUN=4"]
