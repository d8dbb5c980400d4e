"""Facts are read from events alone: what counts, from where to where, and which events show it."""

from dataclasses import fields
from typing import Any

import pytest

from harness.timeline import Event, Kind
from harness.trial import Attempt, Control, Facts, Sort, Stage, facts_of
from harness.trial.facts import Reply, Trouble
from harness.trial.phases import TroubleSource

WORKED: dict[str, Any] = {"acked": True, "seen": True, "seconds": 0.5, "detail": ""}
DEFAULTS = Facts("")


class Record:
    """Events of an attempt, a second apart. Their numbers begin at ``first``: a test is a window of a timeline."""

    def __init__(self, sort=Sort.PACKET, *, first=100):
        self.first = first
        self.events: list[Event] = []
        self.begin("attempt", action="act", sort=sort.value, policy="Policy.", difference="another id")

    def add(self, kind, text="", source="trial", /, **data):
        seq = self.first + len(self.events)
        self.events.append(Event(seq, float(len(self.events)), kind, source, text, data))
        return seq

    def begin(self, name, **data):
        return self.add(Kind.PHASE, name, name=name, on="begin", **data)

    def end(self, name, **data):
        return self.add(Kind.PHASE, f"{name} ends", name=name, on="end", **data)

    def phase(self, name, **data):
        self.begin(name)
        return self.end(name, **data)

    def control(self, name, **data):
        self.begin(name, nonce=f"n-{name}")
        return self.end(name, **WORKED | data)

    def mqtt(self, kind, result=0, payload=""):
        return self.add(Kind.MQTT, kind, "board", kind=kind, result=result, payload=payload)

    def urc(self, text):
        return self.add(Kind.URC, text, "board")

    def line(self, text):
        return self.add(Kind.RX, text, "board")

    def found(self):
        """What is not as it is where there is nothing to say, and the events behind it."""
        facts = facts_of(self.events)
        assert (facts.action, facts.policy, facts.difference) == ("act", "Policy.", "another id")
        unsaid = {"action", "policy", "difference", "sort", "refs"}
        said = {field.name: getattr(facts, field.name) for field in fields(Facts) if field.name not in unsaid}
        return {name: value for name, value in said.items() if value != getattr(DEFAULTS, name)}, dict(facts.refs)


def test_an_attempt_that_only_began():
    assert Record().found() == ({}, {})
    assert Record(Sort.CALL).found() == ({}, {})
    assert Record(Sort.OWN_CONNECT).found() == ({}, {"tries": ()})
    assert facts_of(Record(Sort.CALL).events).sort is Sort.CALL


def test_the_control_is_the_one_that_the_connection_was_made_with():
    record = Record()
    record.phase("connect", control="first")
    record.phase("connect", control="second")
    assert record.found() == ({"control": "second"}, {})
    record.begin("connect")  # and has not ended yet
    assert record.found() == ({}, {})


@pytest.mark.parametrize("name", ["baseline", "fence", "after"])
def test_a_control_is_shown_by_its_puback_its_message_and_its_end(name):
    record = Record()
    record.mqtt("puback")  # of something before
    record.begin(name, nonce="n1")
    record.mqtt("suback")
    puback = record.mqtt("puback")
    record.mqtt("puback")
    record.add(Kind.CLOUD, "message", "observer", payload="n0")
    record.add(Kind.STEP, "n1", payload="n1")
    message = record.add(Kind.CLOUD, "message", "observer", payload='{"data":"n1"}')
    record.mqtt("message", payload="n1")
    end = record.end(name, acked=True, seen=False, seconds=2.5, detail="late")
    assert record.found() == ({name: Control(True, False, 2.5, "late")}, {name: (puback, message, end)})


def test_a_message_at_the_device_shows_a_control_too():
    record = Record()
    record.begin("baseline", nonce="n1")
    message = record.mqtt("message", payload="..n1..")
    end = record.end("baseline", **WORKED)
    assert record.found()[1] == {"baseline": (message, end)}


def test_a_control_that_has_not_ended_is_no_fact():
    record = Record()
    record.begin("baseline", nonce="n1")
    record.mqtt("puback")
    assert record.found() == ({}, {})
    record.end("baseline")  # ended by an error, and nothing is known
    assert record.found() == ({}, {})


def test_the_last_control_of_a_name_counts():
    record = Record()
    record.control("baseline", seen=False)
    end = record.control("baseline")
    assert record.found() == ({"baseline": Control(True, True, 0.5)}, {"baseline": (end,)})


def test_a_loss_of_the_network_counts_from_the_baseline_to_the_end_of_the_questions():
    record = Record()
    record.urc("+CEREG: 2")
    record.control("baseline")
    first = record.urc("+CGEV: NW DETACH")
    record.urc("+CEREG: 2")
    questions = record.phase("questions", registered=True, registration="+CEREG: 5,1")
    record.urc("+CEREG: 2")
    found, refs = record.found()
    assert (found["network_loss"], refs["network_loss"]) == ("+CGEV: NW DETACH", (first,))
    assert (found["registered"], refs["registered"]) == ("+CEREG: 5,1", (questions,))


def test_a_loss_of_the_network_before_the_baseline_or_after_the_questions_does_not_count():
    record = Record()
    record.urc("+CEREG: 2")
    record.control("baseline")
    record.phase("questions", registered=False, registration="+CEREG: 5,2")
    record.urc("+CEREG: 2")
    found, refs = record.found()
    assert sorted(found) == sorted(refs) == ["baseline"]


def test_a_loss_of_the_network_counts_although_nobody_was_asked_yet():
    record = Record()
    record.begin("baseline", nonce="n1")
    loss = record.urc("+CEREG: 2")
    assert record.found() == ({"network_loss": "+CEREG: 2"}, {"network_loss": (loss,)})
    record.begin("questions")
    assert record.found() == ({"network_loss": "+CEREG: 2"}, {"network_loss": (loss,)})


def test_of_a_connect_a_loss_of_the_network_counts_from_the_action_on():
    record = Record(Sort.CONNECT)
    record.control("baseline")
    record.urc("+CEREG: 2")
    record.begin("action")
    loss = record.urc("+CEREG: 3")
    record.end("action", stage="accepted", detail="", seconds=1.0)
    found, refs = record.found()
    assert (found["network_loss"], refs["network_loss"]) == ("+CEREG: 3", (loss,))


def test_of_a_connect_the_modem_that_is_not_registered_has_lost_the_network():
    """There the modem's answer is all there is; a packet's hang-up is weighed by it."""
    for sort, lost in ((Sort.CONNECT, "+CEREG: 5,2"), (Sort.PACKET, None), (Sort.OWN_CONNECT, None)):
        record = Record(sort)
        record.phase("questions", registered=False, registration="+CEREG: 5,2")
        found, refs = record.found()
        assert found.get("network_loss") == lost
        assert "registered" not in found
        assert "registered" not in refs
        assert "network_loss" not in refs


def test_a_notification_says_more_than_the_answer():
    record = Record(Sort.CONNECT)
    record.begin("action")
    loss = record.urc("+CEREG: 4")
    record.phase("questions", registered=False, registration="+CEREG: 5,2")
    found, refs = record.found()
    assert (found["network_loss"], refs["network_loss"]) == ("+CEREG: 4", (loss,))


def test_a_restart_counts_from_the_action_to_the_end_of_the_questions():
    record = Record()
    earlier = record.line("Ready")
    record.control("baseline")
    record.begin("action")
    assert record.found()[0]["restarted_earlier"] == "Ready"
    assert "restarted" not in record.found()[0]
    now = record.line("Ready")
    record.end("action", sent=True)
    found, refs = record.found()
    assert (found["restarted"], refs["restarted"]) == ("Ready", (now,))
    assert (found["restarted_earlier"], refs["restarted_earlier"]) == ("Ready", (earlier,))


def test_a_restart_after_the_questions_does_not_count_as_one_since_the_action():
    record = Record()
    record.phase("action", sent=True)
    record.phase("questions", registered=True, registration="+CEREG: 5,1")
    late = record.line("Ready")
    found, refs = record.found()
    assert "restarted" not in found
    assert refs["restarted_earlier"] == (late,)


def test_a_packet_that_the_board_took_and_nothing_else():
    record = Record()
    begin = record.begin("action", nonce="n1")
    assert record.found() == ({}, {"sent": (begin,)})
    end = record.end("action", sent=False)
    assert record.found() == ({"sent": False}, {"sent": (begin, end)})


def test_a_hang_up_counts_from_the_action_to_the_end_of_the_hold():
    record = Record()
    record.mqtt("closed", -104)  # of an earlier connection
    begin = record.begin("action", nonce="n1")
    record.mqtt("puback")
    closed = record.mqtt("closed", -128)
    record.mqtt("closed", -111)
    end = record.end("action", sent=True)
    record.phase("hold")
    record.mqtt("closed", -113)
    found, refs = record.found()
    assert found == {"hang_up": 128, "hang_up_after": 2.0}
    assert refs == {"sent": (begin, end), "hang_up": (closed,)}


def test_an_end_of_the_connection_after_the_hold_is_no_hang_up():
    record = Record()
    record.phase("action", sent=True)
    record.phase("hold")
    record.mqtt("closed", -128)
    assert record.found()[0] == {}


def test_a_hang_up_counts_as_long_as_the_hold_has_not_ended():
    record = Record()
    record.begin("action", nonce="n1")
    record.begin("hold")
    closed = record.mqtt("closed", 0)
    found, refs = record.found()
    assert (found["hang_up"], refs["hang_up"]) == (0, (closed,))


def test_an_effect_is_shown_by_the_message_and_by_the_end_of_looking_for_it():
    record = Record()
    record.begin("action", nonce="n1")
    record.mqtt("message", payload="n1")  # before anybody looked
    record.end("action", sent=True)
    record.begin("effect")
    assert "effect" not in record.found()[1]
    record.mqtt("message", payload="n2")
    message = record.mqtt("message", payload="n1")
    end = record.end("effect", seen=True, detail="a message arrived", message_sent=False)
    found, refs = record.found()
    assert found == {"effect": True, "effect_detail": "a message arrived", "message_sent": False}
    assert refs["effect"] == (message, end)


def test_an_effect_that_an_error_kept_from_being_looked_for_is_no_fact():
    record = Record()
    record.begin("action", nonce="n1")
    record.phase("effect")
    found, refs = record.found()
    assert found == {}
    assert sorted(refs) == ["sent"]


@pytest.mark.parametrize("reached", [True, False, None])
def test_a_delivery_is_what_was_found_when_it_was_looked_for(reached):
    record = Record()
    record.begin("action", nonce="n1")
    end = record.phase("delivery", reached=reached)
    found, refs = record.found()
    assert found.get("reached") is reached
    assert refs["reached"] == (end,)


def test_a_delivery_that_has_not_been_found_yet():
    record = Record()
    record.begin("action", nonce="n1")
    record.begin("delivery")
    found, refs = record.found()
    assert found == {}
    assert refs["reached"] == ()


@pytest.mark.parametrize("sort", [Sort.CONNECT, Sort.OWN_CONNECT])
def test_each_try_to_connect_is_a_fact(sort):
    record = Record(sort)
    record.phase("action")  # ended by an error
    first = record.phase("action", stage="CONNACK with a refusal", detail="5", seconds=0.25)
    second = record.phase("action", stage="accepted", detail="", seconds=1.5)
    found, refs = record.found()
    assert found["tries"] == (Attempt(Stage.REFUSED, "5", 0.25), Attempt(Stage.ACCEPTED, "", 1.5))
    assert refs["tries"] == (first, second)


def test_a_reconnect_says_why_it_failed():
    record = Record()
    end = record.phase("reconnect", error="no TLS session")
    assert record.found() == ({"reconnect_error": "no TLS session"}, {"reconnect_error": (end,)})
    end = record.phase("reconnect")
    assert record.found() == ({}, {"reconnect_error": (end,)})


def test_of_a_call_each_answer_is_a_fact():
    record = Record(Sort.CALL)
    record.begin("baseline")
    assert record.found() == ({}, {})
    before = record.end("baseline", status=200, authorised=True, said="200 OK")
    answer = record.phase("action", status=401, authorised=False, said="401")
    after = record.phase("after", status=204, authorised=True, said="204")
    record.urc("+CEREG: 2")
    record.line("Ready")
    assert record.found() == (
        {
            "answer_before": Reply(200, True, "200 OK"),
            "answer": Reply(401, False, "401"),
            "answer_after": Reply(204, True, "204"),
        },
        {"answer_before": (before,), "answer": (answer,), "answer_after": (after,)},
    )


def test_what_kept_the_attempt_from_being_proved_and_what_was_found_dead():
    record = Record()
    trouble = record.add(Kind.FAULT, "no answer", party="board", dead=False)
    dead = record.add(Kind.FAULT, "the cloud died", party="cloud", dead=True)
    record.add(Kind.FAULT, "the port went away", "board", party="board", dead=False)
    record.add(Kind.FAULT, "the modem is made registered")
    record.add(Kind.STEP, "said", party="lab", dead=False)
    assert record.found() == (
        {"trouble": Trouble(TroubleSource.BOARD, "no answer"), "dead": Trouble(TroubleSource.CLOUD, "the cloud died")},
        {"trouble": (trouble,), "dead": (dead,)},
    )
