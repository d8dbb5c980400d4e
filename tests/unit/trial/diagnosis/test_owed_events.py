"""What a board owes after each command, what it has paid, and what came although nothing was owed."""

import pytest

from harness.trial.diagnosis import Cause, Weight
from harness.trial.diagnosis.owed_events import owed_events
from tests.unit.trial.diagnosis.made import Line, Record, debts

COMMANDS = {
    "connect": 'AT#XMQTTCON=1,"","","h",8883,1',
    "publish": 'AT#XMQTTPUB="t","x",1,0',
    "retain": 'AT#XMQTTPUB="t","x",1,1',
    "qos 0": 'AT#XMQTTPUB="t","x",0,0',
    "subscribe": 'AT#XMQTTSUB="t",1',
    "unsubscribe": 'AT#XMQTTUNSUB="t"',
}


def line(*steps):
    """Make a timeline: names of commands, and the numbers of events."""
    made = Line()
    for step in steps:
        if step in COMMANDS:
            made.tx(COMMANDS[step]).add("result", "OK", ok=True, command=COMMANDS[step])
        else:
            made.urc(f"#XMQTTEVT: {step}")
    return made.events


@pytest.mark.parametrize(
    ("steps", "unpaid"),
    [
        (["connect"], {"connack": 1}),
        (["connect", "0,0"], {}),
        (["connect", "0,5"], {}),
        (["connect", "0,0", "publish", "publish", "3,0"], {"puback": 1}),
        (["connect", "0,0", "retain"], {"puback": 1}),
        (["connect", "0,0", "qos 0"], {}),
        (["connect", "0,0", "subscribe", "unsubscribe"], {"suback": 1, "unsuback": 1}),
        (["connect", "0,0", "publish", "1,-128"], {}),
        (["connect", "0,0", "connect", "1,0", "0,0"], {}),  # the end of the first one comes late
        (["connect", "0,0", "connect", "1,0"], {"connack": 1}),
    ],
)
def test_what_is_owed(steps, unpaid):
    found = debts(line(*steps))
    assert found.unpaid == unpaid
    assert found.surplus == []


def test_a_command_that_failed_owes_nothing():
    made = Line().tx(COMMANDS["publish"]).add("result", "ERROR", ok=False, command=COMMANDS["publish"])
    assert debts(made.events).unpaid == {}


def test_data_mode_owes_one_event():
    command = 'AT#XMQTTPUB="t","",1,0'
    made = Line().tx(command).add("result", "OK", ok=True, command=command)
    made.add("result", "#XDATAMODE: 0", ok=True, command=command)
    assert debts(made.events).unpaid == {"puback": 1}


def test_a_line_that_came_twice():
    (finding,) = owed_events(Record(line("connect", "0,0", "publish", "3,0", "3,0")))
    assert (finding.cause, finding.weight) == (Cause.UART_TROUBLE, Weight.LIKELY)
    assert finding.refs == (9,)


def test_a_line_that_did_not_come():
    (finding,) = owed_events(Record(line("connect", "0,0", "publish")))
    assert (finding.cause, finding.weight) == (Cause.UART_TROUBLE, Weight.POSSIBLE)
    assert finding.text == "the board owes 1 puback, and reported no end of the connection"
    assert list(owed_events(Record(line("connect", "0,0", "publish", "1,-128")))) == []


def test_an_end_that_did_not_come_although_the_next_connection_began():
    (finding,) = owed_events(Record(line("connect", "0,0", "connect", "0,0")))
    assert (finding.cause, finding.weight) == (Cause.UART_TROUBLE, Weight.LIKELY)
    assert finding.text.startswith("1 of the connections have no end")
    late = line("connect", "0,0", "connect", "0,0", "1,0", "1,-128")
    assert list(owed_events(Record(late))) == []


def test_a_window_that_begins_in_the_middle_owes_nothing_for_what_was_before():
    assert debts(line("3,0", "0,0")).surplus == []
