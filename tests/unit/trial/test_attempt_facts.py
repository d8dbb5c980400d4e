"""Facts are read from events alone: what counts, from where to where, and which events show it."""

from dataclasses import fields

import pytest

from harness.timeline import Event, Kind
from harness.trial import Attempt, Facts, Sort, Stage, facts_of
from harness.trial.facts import OwnResult, Reply, Trouble
from harness.trial.phases import TroubleSource

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
        if name == "right":
            data |= {"board": "board", "generation": "current"}
        return self.add(Kind.PHASE, name, name=name, on="begin", **data)

    def end(self, name, **data):
        return self.add(Kind.PHASE, f"{name} ends", name=name, on="end", **data)

    def phase(self, name, **data):
        self.begin(name)
        return self.end(name, **data)

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
    assert record.found() == ({"control": "second"}, {})


def test_of_an_own_connect_what_the_board_said_from_the_first_try_to_the_questions_counts():
    record = Record(Sort.OWN_CONNECT)
    record.urc("+CEREG: 2")
    record.begin("action")
    loss, start = record.urc("+CGEV: NW DETACH"), record.line("Ready")
    record.end("action")
    asked = record.phase("questions", registered=True, registration="+CEREG: 5,1")
    record.urc("+CEREG: 4")
    found, refs = record.found()
    assert found["network_loss"] == "+CGEV: NW DETACH"
    assert (found["restarted"], found["registered"]) == ("Ready", "+CEREG: 5,1")
    assert (refs["network_loss"], refs["restarted"], refs["registered"]) == ((loss,), (start,), (asked,))


@pytest.mark.parametrize("sort", [Sort.PACKET, Sort.CONNECT, Sort.OWN_CONNECT])
def test_a_restart_counts_from_the_beginning_of_the_attempt_and_may_have_been_somebody_elses(sort):
    record = Record(sort)
    start = record.line("Ready")
    end = record.phase("questions", registered=True, registration="", remembers=True)
    found, refs = record.found()
    assert (found["restarted_earlier"], found["remembers"]) == ("Ready", True)
    assert (refs["restarted_earlier"], refs["remembers"]) == ((start,), (end,))


def test_of_an_own_connect_what_comes_behind_the_questions_does_not_count():
    record = Record(Sort.OWN_CONNECT)
    record.begin("action")
    end = record.end("action", stage="accepted", detail="", seconds=0.5)
    record.phase("questions", registered=False, registration="+CEREG: 5,2")
    record.urc("+CEREG: 4")
    record.line("AT+CFUN=4")
    accepted = Attempt(Stage.ACCEPTED, "", 0.5)
    assert record.found() == ({"tries": (accepted,)}, {"tries": (end,)})


def test_a_firmwares_own_connection_may_be_made_anew_by_a_restart():
    """So it is none of its facts; how each reconnect ended is one."""
    record = Record(Sort.FIRMWARE)
    record.line("Ready")
    first = record.phase("right")
    record.begin("right")
    record.begin("witness")
    shown = record.end("witness", reported=True)
    record.end("right")
    record.begin("right")  # and has not ended yet
    found, refs = record.found()
    assert found == {
        "own": (
            OwnResult(False, "", "cannot be told (there are no lines)"),
            OwnResult(
                True,
                "connected",
                "connected, and stayed (its log does not show it at this level; its shadow has a new report)",
            ),
        )
    }
    assert refs == {"own": (first, shown + 1)}
    record.phase("plan")  # an experiment decides
    assert record.found() == ({}, {})


def test_each_try_to_connect_is_a_fact():
    record = Record(Sort.OWN_CONNECT)
    record.phase("action")  # ended by an error
    first = record.phase("action", stage="CONNACK with a refusal", detail="5", seconds=0.25)
    second = record.phase("action", stage="accepted", detail="", seconds=1.5)
    found, refs = record.found()
    assert found["tries"] == (Attempt(Stage.REFUSED, "5", 0.25), Attempt(Stage.ACCEPTED, "", 1.5))
    assert refs["tries"] == (first, second)


def test_of_a_call_that_is_right_the_answers_are_facts():
    record = Record(Sort.CALL)
    record.begin("action")
    assert record.found() == ({}, {})
    first = record.end("action", status=403, authorised=False, said="403 (code 1)", in_words=False)
    record.urc("+CEREG: 2")
    second = record.phase("action", status=200, authorised=True, said="200", in_words=True)
    answers = (Reply(403, False, "403 (code 1)", False), Reply(200, True, "200", True))
    assert record.found() == ({"answers": answers}, {"answers": (first, second)})


@pytest.mark.parametrize(("said", "in_words"), [("401 (code 40100): denied", True), ("401", False)])
def test_of_an_older_recording_the_text_tells_whose_words_an_answer_has(said, in_words):
    record = Record(Sort.CALL)
    record.phase("action", status=401, authorised=False, said=said)
    assert record.found()[0] == {"answers": (Reply(401, False, said, in_words),)}


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
