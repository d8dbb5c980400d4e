"""What the modem is asked around a trial: figures, their changes, and that no answer is missed."""

from collections import deque

import pytest

from harness.run.witnesses import RadioWitness
from harness.run.witnesses.radio import RadioFigures, read_figures
from tests.unit.modem.scripted import ScriptedPort

MONITOR = (
    '%XMONITOR: 1,"Test PLMN 1-1","Test1-1","00101","0001",7,20,"00010101",428,6300,54,22,"","11100000","11100000","0"'
)
ANSWERS = {
    "AT%XMONITOR": [MONITOR, "OK"],
    "AT+CESQ": ["+CESQ: 99,99,255,255,11,54", "OK"],
    "AT+CGPADDR": ['+CGPADDR: 0,"10.101.4.2"', "OK"],
}
FIGURES = RadioFigures("10.101.4.2", "00101", "0001", "00010101", "20", -87, -14.5)


def port(**changed):
    return ScriptedPort(ANSWERS | {f"AT{name}": answer for name, answer in changed.items()})


def test_figures():
    assert read_figures(port().as_port()) == FIGURES


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"%XMONITOR": ["%XMONITOR: 2", "OK"]}, ("plmn", "tac", "cell_id", "band")),
        ({"%XMONITOR": "ERROR"}, ("plmn", "tac", "cell_id", "band")),
        ({"%XMONITOR": ['%XMONITOR: 1,"Te', "OK"]}, ("plmn", "tac", "cell_id", "band")),
        ({"+CESQ": ["+CESQ: 99,99,255,255,255,255", "OK"]}, ("rsrp", "rsrq")),
        ({"+CESQ": ["+CESQ: 99", "OK"]}, ("rsrp", "rsrq")),
        ({"+CGPADDR": "ERROR"}, ("address",)),
        ({"+CGPADDR": ['+CGPADDR: 0,"10.10', "OK"]}, ("address",)),
        ({"+CGPADDR": ["+CGPAD\ufffdR: 0", "OK"]}, ("address",)),
    ],
)
def test_what_the_modem_does_not_say_is_not_known(changed, missing):
    found = read_figures(port(**changed).as_port())
    assert {name for name in FIGURES.__dataclass_fields__ if getattr(found, name) is None} == set(missing)


def test_no_address_is_an_answer():
    assert read_figures(port(**{"+CGPADDR": "OK"}).as_port()).address == ""


def test_an_address_whose_line_was_lost_is_asked_for_again():
    board = port(**{"+CGPADDR": deque(["OK", ANSWERS["AT+CGPADDR"]])})
    assert read_figures(board.as_port()) == FIGURES


def test_another_address_is_a_loss_and_another_cell_is_none():
    board = port()
    witness = RadioWitness(board.as_port())
    witness.begin()
    board.answers["AT%XMONITOR"] = [MONITOR.replace("00010101", "00010102"), "OK"]
    assert witness()["changes"] == {"cell_id": ["00010101", "00010102"]}
    assert "lost" not in board.timeline.since()[-1].data
    board.answers["AT+CGPADDR"] = ['+CGPADDR: 0,"10.101.4.3"', "OK"]
    assert witness()["changes"] == {"address": ["10.101.4.2", "10.101.4.3"]}
    event = board.timeline.since()[-1]
    assert event.data["lost"] is True
    assert event.text.endswith("; changed: address from 10.101.4.2 to 10.101.4.3")
    assert witness()["changes"] == {}
    assert board.sent.count("AT+CGPADDR") == 5  # what has changed is asked for twice


@pytest.mark.parametrize("again", [ANSWERS["AT+CGPADDR"], "ERROR", ['+CGPADDR: 0,"10.101.4.7"', "OK"]])
def test_an_address_that_is_not_said_twice_is_no_other_one(again):
    board = port()
    witness = RadioWitness(board.as_port())
    witness.begin()
    board.answers["AT+CGPADDR"] = deque([['+CGPADDR: 0,"10.101.4.6"', "OK"], again, ANSWERS["AT+CGPADDR"]])
    assert witness()["changes"] == {}
    assert witness()["changes"] == {}


def test_an_address_that_the_modem_did_not_say_is_no_other_one():
    board = port()
    witness = RadioWitness(board.as_port())
    witness.begin()
    board.answers["AT+CGPADDR"] = "ERROR"
    assert witness()["changes"] == {}


def test_an_address_that_changed_between_two_trials_is_no_loss_in_the_second():
    board = port()
    witness = RadioWitness(board.as_port())
    witness.begin()
    board.answers["AT+CGPADDR"] = ['+CGPADDR: 0,"10.101.4.3"', "OK"]
    witness.begin()
    assert witness()["changes"] == {}


def test_signal_alone_is_no_change():
    assert FIGURES.changes(RadioFigures("10.101.4.2", "00101", "0001", "00010101", "20", -120, -19.0)) == {}
    assert FIGURES.changes(RadioFigures()) == {}
