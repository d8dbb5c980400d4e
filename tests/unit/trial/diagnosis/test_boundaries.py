"""Where a diagnoser's limits are exactly, and what it makes of events that lack something or mean something else."""

import pytest

from harness.trial.diagnosis import Cause, Weight, diagnosis
from harness.trial.diagnosis.connection_limit import connection_limit
from harness.trial.diagnosis.duplicate_client import duplicate_client
from harness.trial.diagnosis.finding import Finding
from harness.trial.diagnosis.keep_alive import keep_alive
from harness.trial.diagnosis.misuse import misuse
from harness.trial.diagnosis.modem_fault import modem_fault
from harness.trial.diagnosis.own_disconnect import own_disconnect
from harness.trial.diagnosis.uart_trouble import uart_trouble
from tests.unit.trial.diagnosis.made import Line, Record, diagnose


def said(diagnoser, line):
    return list(diagnoser(Record(line.events)))


def ended_at(*ages):
    """Return connections that ended at these ages exactly, each with one packet more in flight than the one before."""
    line = Line()
    for number, age in enumerate(ages):
        line.mqtt("accepted")
        opened = line.now = 1000.0 * number
        line.events[-1] = line.events[-1]._replace(t=opened)
        for packet in range(number):
            line.tx(f"MQTT SUBSCRIBE {packet} (id 1)")
        line.now = opened + age
        line.mqtt("closed", 0.0, result=-128)
    return line


@pytest.mark.parametrize(("ages", "limit"), [((90, 90, 110, 110), True), ((89, 90, 110, 110), False)])
def test_ages_may_spread_by_a_tenth_and_no_more(ages, limit):
    assert bool(said(connection_limit, ended_at(*ages))) is limit


def test_a_second_client_comes_back_after_fifteen_seconds_at_most():
    assert [one.weight for one in said(connection_limit, ended_at(15, 15, 15))] == [Weight.POSSIBLE]
    assert [one.text for one in said(duplicate_client, ended_at(15, 15, 15))] == [
        "3 connections ended 15 s after CONNACK on average, 1 of them while nothing was asked for"
    ]


@pytest.mark.parametrize("before", [True, False])
def test_a_question_from_before_the_window_is_not_missing_its_line(before):
    line = Line().tx("AT+CEREG?")
    if before:
        line.add("rx", "+CEREG: 0,5", role="answer")
    line.urc("#XMQTTEVT: 0,0")
    if not before:
        line.add("rx", "+CEREG: 0,5", role="answer").add("rx", "+CEREG: 0,5", role="answer")
    line.add("result", "OK", command="AT+CEREG?", ok=True)
    assert said(uart_trouble, line.publish().hung_up()) == []


def test_a_ping_that_came_with_the_end_broke_no_silence():
    line = Line().connect(60).publish().hung_up(after=90.0).mqtt("other", 0.0)
    assert len(said(keep_alive, line)) == 1


def test_silence_is_not_measured_where_nothing_was_said():
    assert said(keep_alive, Line().tx('AT#XMQTTCFG="nrf-1",60,1').hung_up(after=90.0)) == []


def test_without_a_keep_alive_no_silence_is_one():
    assert said(keep_alive, Line().mqtt("accepted").hung_up(after=1.5)) == []


def test_a_topic_may_have_any_letter():
    assert said(misuse, Line().connect().publish("X/x")) == []


@pytest.mark.parametrize(("seconds", "faults"), [(10.0, 0), (10.5, 1)])
def test_a_restart_that_was_asked_for_takes_ten_seconds_at_most(seconds, faults):
    line = Line().connect()
    line.now = 1000.0
    assert len(said(modem_fault, line.tx("AT#XRESET", 0.0).urc("Ready", seconds))) == faults


def test_a_connect_that_is_not_answered_yet_surprises_nobody():
    line = Line().connect().tx("AT#XMQTTCON=0").urc("#XMQTTEVT: 1,0").tx("AT#XMQTTCON=1")
    assert [one.weight for one in said(own_disconnect, line)] == [Weight.POSSIBLE]


def test_only_an_mqtt_event_begins_or_ends_a_session():
    line = Line().add("step", "x", kind="accepted").add("cloud", "x", kind="closed")
    assert Record(line.events).sessions == []


def test_a_firmware_that_only_prints_is_told_of():
    told = "the firmware reports no MQTT events, only log lines"
    assert told in diagnose(Line().log("Connection to nRF Cloud ready").events).missing
    assert told not in diagnose(Line().mqtt("accepted").events).missing


def test_findings_of_one_event_stand_as_the_diagnosers_do(monkeypatch):
    first = Finding(Cause.THROTTLED, Weight.LIKELY, "first", (0, 9))
    second = Finding(Cause.KEEP_ALIVE, Weight.LIKELY, "second", (0, 1))
    monkeypatch.setattr(diagnosis, "DIAGNOSERS", (lambda _record: [first], lambda _record: [second]))
    found = diagnose(Line().log("x").events)
    assert (found.findings, found.cause) == ((first, second), Cause.THROTTLED)


@pytest.mark.parametrize("result", [110, -110])
def test_a_modem_library_that_was_shut_down_has_a_number_of_either_sign(result):
    line = Line().connect().mqtt("closed", result=result)
    assert [one.weight for one in said(modem_fault, line)] == [Weight.LIKELY]
