"""What a Serial Modem owes after each command, line by line, and what is made of it."""

import pytest

from harness.timeline import Event, Kind
from harness.trial.diagnosis import Cause, Finding, Weight
from harness.trial.diagnosis.owed_events import owed_events
from tests.unit.trial.diagnosis.made import Record, debts

CONNECT = 'AT#XMQTTCON=1,"","","h",8883,42'
ASKS = {"puback": 'AT#XMQTTPUB="t","x",1,0', "suback": 'AT#XMQTTSUB="t",1', "unsuback": 'AT#XMQTTUNSUB="t"'}


def events(*story):
    """Return events: a text that begins with AT is a command that ended with OK, another a kind of MQTT event."""
    found = []
    for number, text in enumerate(story):
        mqtt = not text.upper().startswith("AT")
        kind, said = (Kind.MQTT, text) if mqtt else (Kind.RESULT, "OK")
        data = {"kind": text, "result": -128 if text == "closed" else 0} if mqtt else {"command": text}
        found.append(Event(number, float(number), kind, "b", said, data))
    return found


def owed(*story):
    return dict(+debts(events(*story)).owed)


def findings(*story):
    return list(owed_events(Record(events(*story))))


@pytest.mark.parametrize(("kind", "command"), ASKS.items())
@pytest.mark.parametrize("case", [str, str.lower])
def test_each_request_owes_its_event(kind, command, case):
    assert owed(case(command)) == {kind: 1}
    assert owed(case(command), case(command)) == {kind: 2}
    assert owed(case(command), case(command), kind) == {kind: 1}
    found = debts(events(command, kind, kind))
    assert dict(found.paid) == {kind: 2}
    assert found.surplus == [], "no connect was seen, so it may be of an earlier one"


@pytest.mark.parametrize(
    "command", ['AT#XMQTTPUB="t","x",0,0', 'AT#XMQTTPUB="t","x",0,1', "AT+CFUN?", 'AT#XMQTTPUB="t","x",0']
)
def test_what_has_no_event_owes_none(command):
    assert owed(command) == {}


def test_only_a_command_that_ended_with_ok_owes_anything():
    one = events(ASKS["suback"])[0]
    assert debts([one._replace(text="ERROR")]).unpaid == {}
    assert debts([one._replace(kind=Kind.TX)]).unpaid == {}
    assert debts([one._replace(data={})]).unpaid == {}


def test_a_connect_owes_connack_and_then_its_end():
    assert owed(CONNECT) == {"connack": 1}
    assert owed(CONNECT, CONNECT) == {"connack": 2}
    assert owed(CONNECT, "accepted") == {"closed": 1}
    assert owed(CONNECT, "refused") == {}
    assert owed(CONNECT, "accepted", CONNECT, "accepted") == {"closed": 2}
    assert debts(events(CONNECT, "accepted", ASKS["suback"])).unpaid == {"suback": 1}
    assert dict(debts(events(CONNECT, "accepted", "message", "other")).paid) == {"connack": 1}


def test_an_end_settles_everything_but_a_connect_that_came_before_it():
    assert owed(CONNECT, "accepted", ASKS["puback"], "closed") == {}
    assert owed(CONNECT, "accepted", CONNECT, ASKS["suback"], "closed") == {"connack": 1}
    assert owed(CONNECT, "closed") == {}
    assert owed(CONNECT, CONNECT, "closed") == {}
    assert owed("accepted", "closed") == {}
    found = debts(events(CONNECT, "accepted", "accepted", "closed", "closed", "closed"))
    assert found.paid["closed"] == 3
    assert found.accepted == []


def test_an_end_is_the_oldest_connections():
    story = events(CONNECT, "accepted", CONNECT, "accepted", CONNECT, "accepted", "closed")
    assert debts(story).accepted == [story[3], story[5]]


@pytest.mark.parametrize("kind", [*ASKS, "accepted"])
def test_what_nothing_asked_for_is_surplus_once_a_connect_was_seen(kind):
    story = events(CONNECT, "accepted", kind)
    assert debts(story).surplus == [story[2]]
    assert debts(story[1:]).surplus == []


def test_a_line_too_many_is_said_once():
    assert findings(CONNECT, "accepted", "puback", "suback") == [
        Finding(
            Cause.UART_TROUBLE,
            Weight.LIKELY,
            "puback came once more than anything asked for it: a line that is double or late",
            (2,),
        )
    ]


def test_connections_without_an_end_are_said():
    story = [CONNECT, "accepted"] * 8
    (found,) = findings(*story)
    assert found == Finding(
        Cause.UART_TROUBLE,
        Weight.LIKELY,
        "7 of the connections have no end, though later ones were accepted: lines got lost",
        (1, 3, 5, 7, 9),
    )
    assert findings(CONNECT, "accepted", CONNECT, "accepted")[0].refs == (1,)
    assert findings(CONNECT, "accepted") == []


def test_what_is_owed_in_the_end_is_said_unless_the_connection_ended():
    story = [CONNECT, "accepted", ASKS["suback"], ASKS["puback"], ASKS["puback"]]
    assert findings(*story) == [
        Finding(
            Cause.UART_TROUBLE,
            Weight.POSSIBLE,
            "the board owes 2 puback, 1 suback, and reported no end of the connection",
            (4,),
        )
    ]
    assert findings(*story, "closed") == []
    assert findings(CONNECT, "accepted", "closed", CONNECT) == []
    assert findings() == []
