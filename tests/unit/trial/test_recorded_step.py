"""How one step of a plan ended, and by which event, read from its events alone."""

import pytest

from harness.timeline import Kind
from harness.trial.experiment import Done, Saw
from harness.trial.phases import span_of
from harness.trial.wire.recorded_step import RecordedStep, StepSeen, answer_of, step_of
from tests.unit.trial.test_plan_observation import Plan


def seen(plan):
    return step_of(plan.events[0].data, plan.events[1:])


def named(plan, text, number=0):
    """Return one of the plan's events by its text."""
    return [event for event in plan.events if event.text == text][number]


def test_a_step_is_read_up_to_its_end_and_no_further():
    """The next event comes too late for it: whoever had no answer then had none."""
    plan = Plan("action").step("action", 0, sent=True).mqtt("closed", -128)
    assert seen(plan) == StepSeen(Done(Saw.NOTHING, 1.0), None)
    answered = Plan("action").step("action", 0, sent=True).mqtt("puback")
    assert seen(answered) == StepSeen(Done(Saw.NOTHING, 1.0), None)


@pytest.mark.parametrize(
    ("do", "phase", "found", "saw"),
    [
        ("idle", "hold", {}, Saw.ANSWERED),
        ("flight", "flight", {"acked": True}, Saw.ANSWERED),
        ("effect", "effect", {"seen": False}, Saw.UNSEEN),
        ("right login", "right", {"saw": "answered"}, Saw.ANSWERED),
    ],
)
def test_what_sends_no_packet_is_decided_by_its_end(do, phase, found, saw):
    plan = Plan(do).step(phase, 0, **found).add(Kind.RX, "more")
    assert seen(plan) == StepSeen(Done(saw, 1.0), named(plan, f"{phase} ends"))


@pytest.mark.parametrize(
    ("do", "phase", "found"), [("flight", "flight", {"acked": False}), ("action", "action", {"sent": True})]
)
def test_what_had_no_answer_is_decided_by_nothing(do, phase, found):
    plan = Plan(do, byte_seconds=0.5).begin(phase, 0).add(Kind.TX, "AT").phase(phase, "end", **found)
    assert seen(plan) == StepSeen(Done(Saw.NOTHING, 2.0), None)
    assert seen(Plan("idle").begin("hold", 0).add(Kind.RX, "a log")) == StepSeen(Done(Saw.NOTHING, 1.0), None)


def test_a_sham_whose_chaser_was_not_answered_is_decided_by_nothing():
    plan = Plan("sham*").begin("sham", 0).phase("chaser", "begin", step=0, behind=True).mqtt("puback")
    assert seen(plan.phase("sham", "end", sent=True)) == StepSeen(Done(Saw.NOTHING, 3.0), None)


def test_a_baseline_that_nobody_saw_is_decided_by_its_answer():
    plan = Plan("baseline").begin("baseline", 0).mqtt("puback").add(Kind.RX, "more")
    plan.phase("baseline", "end", seen=False)
    assert seen(plan) == StepSeen(Done(Saw.UNSEEN, 1.0), named(plan, "puback"))


def test_a_no_in_words_is_decided_by_its_answer():
    plan = Plan("action").begin("action", 0, "suback").add(Kind.RX, "more").mqtt("suback", 0x80)
    plan.add(Kind.RX, "more").phase("action", "end", sent=True)
    assert seen(plan) == StepSeen(Done(Saw.REFUSED, 2.0), named(plan, "suback"))


@pytest.mark.parametrize(
    ("came", "saw", "by"),
    [
        (["suback"], Saw.ANSWERED, "suback"),  # late: a fence has another kind of answer
        (["puback", "suback"], Saw.ANSWERED, "suback"),
        (["puback"], Saw.SILENT, "puback"),
        (["puback", "puback"], Saw.SILENT, "puback"),
        ([], Saw.NOTHING, None),
    ],
)
def test_behind_a_fence_a_subscription_is_answered_by_suback_alone(came, saw, by):
    plan = Plan("action").begin("action", 0, "suback").phase("fence", "begin", step=0, behind=True)
    for kind in came:
        plan.mqtt(kind)
    found = seen(plan.phase("fence", "end").phase("action", "end", sent=True))
    assert (found.done.saw, found.by) == (saw, None if by is None else named(plan, by))


def test_what_was_never_followed_by_its_fence_has_no_answer():
    plan = Plan("action").begin("action", 0, "fence").mqtt("puback").phase("action", "end", sent=True)
    step = RecordedStep.of(plan.events[0].data, span_of(plan.events, 1))
    assert answer_of(step, plan.events) == (None, False)
