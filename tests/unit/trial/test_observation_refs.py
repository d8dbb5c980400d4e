"""Which events show what was seen of a plan, and what the serial line carried for each packet."""

import pytest

from harness.timeline import Kind
from harness.trial.experiment import Done, Saw, VoidedBy
from harness.trial.wire.plan_observation import observation_of
from tests.unit.trial.test_plan_observation import Plan


def refs(plan):
    return observation_of(plan.events).refs


def numbers(plan, *texts):
    return tuple(event.seq for event in plan.events if event.text in texts)


@pytest.mark.parametrize(("byte_seconds", "line"), [(0.5, 0.5 * (2 + 4 + 2 + 4 + 3 + 4)), (0.0, 0.0)])
def test_the_line_carried_what_was_sent_its_result_and_the_line_that_decided_it(byte_seconds, line):
    plan = Plan("action", byte_seconds=byte_seconds).begin("action", 0)
    plan.add(Kind.URC, "a message").add(Kind.TX, "AT").add(Kind.URC, "another").add(Kind.RX, "a log")
    plan.add(Kind.RESULT, "OK").add(Kind.URC, "+PU").mqtt("puback")
    plan.add(Kind.TX, "later").add(Kind.URC, "later").phase("action", "end", sent=True)
    assert plan.seen().done == (Done(Saw.ANSWERED, 7.0, line),)


def test_what_nothing_decided_was_carried_for_nobody():
    plan = Plan("action", byte_seconds=0.5).begin("action", 0).add(Kind.TX, "AT")
    assert plan.seen().done[0].line == 0.0
    without = Plan("action").begin("action", 0).add(Kind.TX, "AT").mqtt("puback").phase("action", "end", sent=True)
    assert without.seen().done[0].line == 0.0
    alone = Plan("action", byte_seconds=0.5).begin("action", 0).add(Kind.TX, "AT").mqtt("puback")
    assert alone.phase("action", "end", sent=True).seen().done[0].line == 0.5 * 6


def test_each_step_names_its_answer_and_the_message_that_carries_its_nonce():
    plan = Plan("baseline", "sham", "action", "fence", "effect")
    plan.step("baseline", 0, "puback", seen=True)
    first = plan.events[-2].seq
    plan.add(Kind.CLOUD, "seen", payload="x n0 y")
    plan.step("sham", 1, "puback", sent=True)
    plan.step("action", 2, "puback", sent=True)
    begun, answered = plan.events[-3].seq, plan.events[-2].seq
    plan.add(Kind.RX, "no message", payload="n2").add(Kind.MQTT, "delivered", kind="message", payload="n2")
    plan.step("fence", 3, "puback")
    fence = plan.events[-2].seq
    plan.step("effect", 4, seen=True)
    effect = plan.events[-1].seq
    plan.phase("plan", "end")
    found = refs(plan)
    assert found["baseline"] == (first, *numbers(plan, "seen"))
    assert found["sent"] == (begun,)
    assert found["answered"] == (answered, *numbers(plan, "delivered"))
    assert found["fence"] == (fence,)
    assert found["effect"] == (effect,)
    assert (found["void"], found["closed"], found["reached"], found["registered"], found["round"]) == ((),) * 5
    assert "sham" not in found


def test_an_end_and_what_was_asked_then_are_named():
    plan = Plan("action").step("action", 0, "closed", sent=True)
    closed = plan.events[-2].seq
    plan.phase("questions", "begin").phase("questions", "end", registered=True)
    asked = plan.events[-1].seq
    plan.phase("delivery", "begin").phase("delivery", "end", reached=False)
    reached = plan.events[-1].seq
    found = refs(plan)
    assert (found["closed"], found["registered"], found["reached"]) == ((closed,), (asked,), (reached,))
    assert "answered" not in found
    assert len(found["sent"]) == 1


def test_what_makes_it_worthless_is_named():
    plan = Plan("action").step("action", 0, "closed", sent=True).add(Kind.URC, "+CEREG: 2", source="one")
    plan.phase("questions", "begin").phase("questions", "end", registered=False, registration="+CEREG: 5,2")
    found = observation_of(plan.events)
    assert found.observation.voided_by is VoidedBy.NETWORK
    assert len(found.refs["void"]) == 1
    quiet = Plan("action").step("action", 0, "closed", sent=True)
    quiet.phase("questions", "begin").phase("questions", "end", registered=False, registration="+CEREG: 5,2")
    observed = observation_of(quiet.events)
    assert observed.observation.void == "not registered afterwards: +CEREG: 5,2"
    assert observed.refs["void"] == (quiet.events[-1].seq,)


def test_a_cell_that_stayed_takes_nothing_away():
    """Only a changed cell or address does, and only the witness of the radio tells of one."""
    plan = Plan("action").begin("action", 0).add(Kind.STEP, "radio after: the same", source="radio", lost=False)
    plan.add(Kind.STEP, "a message got lost", source="cloud", lost=True).mqtt("puback")
    assert plan.phase("action", "end", sent=True).seen().void == ""


def test_logins_are_told_by_their_ends():
    plan = Plan("right login", "wrong login", "right login")
    plan.step("right", 0, saw="answered", seconds=0.25)
    first = plan.events[-1].seq
    plan.step("action", 1, saw="closed", seconds=0.5)
    second = plan.events[-1].seq
    plan.phase("plan", "end")
    assert plan.seen().done == (Done(Saw.ANSWERED, 0.25), Done(Saw.CLOSED, 0.5))
    assert refs(plan)["login"] == (first, second)
    cut = Plan("right login").begin("right", 0)
    assert cut.seen().done == (Done(Saw.NOTHING, 0.0),)
    older = Plan("right login").step("right", 0, saw="answered")
    assert older.seen().done == (Done(Saw.ANSWERED, 1.0),)


def test_a_round_is_named_by_its_end():
    plan = Plan("flight").step(
        "flight", 0, acked=True, sent=True, missing=2, action_missing=True, packets=5, detail="no"
    )
    end = plan.events[-1].seq
    seen = plan.seen()
    assert (seen.missing, seen.action_missing, seen.sent, seen.packets, seen.effect) == (2, True, True, 6, "no")
    assert refs(plan)["round"] == (end,)
    cut = Plan("flight").step("flight", 0, acked=False, sent=False).seen()
    assert (cut.sent, cut.done[0].saw, cut.missing, cut.action_missing) == (True, Saw.NOTHING, 0, False)
    unsent = Plan("flight").step("flight", 0, acked=True, sent=False).seen()
    assert unsent.sent is False


def test_how_long_and_how_old_it_was():
    plan = Plan("baseline", since=-5.0).phase("connect", "begin")
    plan.phase("connect", "end", opened=True, since=1.5, connecting=0.25, control="a publish")
    plan.step("baseline", 0, "puback", seen=True).add(Kind.RX, "more").phase("plan", "end")
    seen = plan.seen()
    assert (seen.seconds, seen.age, seen.connecting, seen.opened) == (7.0, 5.5, 0.25, True)
    assert (seen.baseline, seen.error, seen.reached) == ("a publish", "", None)
    kept = Plan("sham", since=-5.0).step("sham", 0, "closed", sent=True).add(Kind.RX, "more").seen()
    assert (kept.age, kept.seconds, kept.opened, kept.connecting) == (7.0, 4.0, False, 0.0)
    failed = Plan("sham").phase("connect", "begin").phase("connect", "end", error="no way").seen()
    assert (failed.error, failed.done, failed.baseline) == ("no way", (), "")


def test_an_end_before_the_plan_is_one():
    seen = Plan("sham", closed=True).phase("plan", "end").seen()
    assert seen.done == (Done(Saw.CLOSED, 0.0),)
    assert seen.as_remote is True
