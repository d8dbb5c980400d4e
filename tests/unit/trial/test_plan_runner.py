"""What a plan is begun with, on which connection it is carried out, and where it stops."""

import pytest

from harness.timeline import Kind
from harness.trial.actions import PublishAction, ServiceRequest
from harness.trial.experiment import Do, Plan, Saw, Step, StepConnection
from harness.trial.phases import PhaseLog
from harness.trial.service_answer import ServiceAnswer
from harness.trial.wire.plan_runner import PlanRunner
from harness.trial.wire.step_context import Tried
from tests.unit.trial.fakes import FakeRegistration, Stage
from tests.unit.trial.test_plan_steps import SEEN, begins, do, ends, runner

CLEAN, NEW, SAME = StepConnection.CLEAN, StepConnection.NEW, StepConnection.SAME


@pytest.fixture
def stage():
    stage = Stage()
    stage.link.ensure()
    return stage


def runner_for(stage, *actions, listening=()):
    log = PhaseLog(stage.timeline, trial=1, attempt=1)
    return PlanRunner(stage.link, stage.modem, log, Tried(actions, None, listening), stage.night, {})


def carry_out(made, connection, *steps):
    seen, _ = made.do(Plan("round", connection, steps, 2.0), {})
    return seen


@pytest.mark.parametrize(("connection", "packets"), [(SAME, 3), (NEW, 0)])
def test_a_plan_begins_with_what_its_connection_has_carried(stage, connection, packets):
    stage.link.packets, stage.link.byte_seconds = 3, 0.25
    since = stage.link.since
    seen = carry_out(runner(stage), connection, Step(Do.FENCE))
    (begin,) = begins(stage, "plan")
    assert (begin["packets"], begin["since"], begin["byte_seconds"]) == (packets, since, 0.25)
    assert "closed" not in begin
    assert seen.packets == packets + 1


def test_a_plan_on_a_connection_that_has_ended_does_nothing(stage):
    stage.device.hang_up()
    stage.clock.pause(1.0)
    seen = carry_out(runner(stage), SAME, Step(Do.FENCE))
    assert begins(stage, "plan")[0]["closed"] is True
    assert [done.saw for done in seen.done] == [Saw.CLOSED]
    assert begins(stage, "connect") == begins(stage, "fence") == []


def test_the_same_connection_is_not_set_up_again(stage):
    carry_out(runner(stage), SAME, Step(Do.FENCE))
    assert begins(stage, "connect") == []


def test_a_clean_connection_is_set_up_once_by_each_who_uses_it(stage):
    """The second trial may need other subscriptions on it than the first."""
    made = runner(stage)
    for _ in range(2):
        carry_out(made, CLEAN, Step(Do.BASELINE))
        assert len(begins(stage, "connect")) == 1
    carry_out(runner(stage), CLEAN, Step(Do.BASELINE))
    assert [end["opened"] for end in ends(stage, "connect")] == [True, False]
    assert {end["since"] for end in ends(stage, "connect")} == {stage.link.since}
    assert begins(stage, "plan")[-1]["packets"] == 2


def test_what_cannot_be_listened_to_is_why_there_is_no_connection(stage):
    stage.device.subscribe = lambda topic_filter, *, qos=1: False
    seen = carry_out(runner_for(stage, SEEN, listening=["answers"]), NEW, Step(Do.FENCE))
    assert (seen.done, seen.error) == ((), "connected, but answers could not be subscribed to")


def test_a_modem_that_lost_the_network_in_between_is_registered_before_it_connects_again(stage):
    stage.modem.present = FakeRegistration(registered=False)
    seen = carry_out(runner(stage), NEW, Step(Do.FENCE))
    assert [done.saw for done in seen.done] == [Saw.ANSWERED]
    faults = [(event.source, event.text) for event in stage.timeline.since() if event.kind is Kind.FAULT]
    assert faults == [("trial", "the modem is not registered: registering it before the trial")]
    assert stage.modem.registration().registered


def test_a_step_behind_a_quiet_one_that_ends_the_connection_ends_the_plan(stage):
    stage.device.forbidden = {"other"}
    seen = carry_out(runner(stage), SAME, Step(Do.IDLE, seconds=0.5), Step(Do.ACTION), Step(Do.FENCE))
    assert [done.saw for done in seen.done] == [Saw.ANSWERED, Saw.CLOSED]
    assert begins(stage, "fence") == []
    assert len(begins(stage, "questions")) == 1


@pytest.mark.parametrize(("step", "phase"), [(Do.IDLE, "hold"), (Do.PAUSE, "pause")])
def test_how_long_nothing_is_to_happen_is_told_before_it(stage, step, phase):
    before = stage.clock.now
    do(runner(stage), Step(step, seconds=2.5))
    (begin,) = begins(stage, phase)
    assert (begin["step"], begin["seconds"]) == (0, 2.5)
    assert stage.clock.now - before == 2.5


def test_a_login_is_no_step_on_a_connection(stage):
    with pytest.raises(AssertionError, match=r"^right login is no step on a connection$"):
        do(runner(stage), Step(Do.RIGHT_LOGIN))


def test_a_connection_on_which_something_was_not_answered_is_not_used_again(stage):
    stage.device.silent_for = {"sham"}
    do(runner(stage, sham=PublishAction("sham", None)), Step(Do.SHAM))
    stage.link.ensure()
    assert stage.device.connects == 2


# -- an action whose answer cannot be listened to


UNHEARD = ServiceRequest("other", ServiceAnswer(b"ask %NONCE%", "answers/#", "answers/"))
NOT_AWAITED = "an answer could not be awaited, as answers/# could not be subscribed to"


def tried_without_its_answer(stage, actions, *steps):
    """Carry out a plan with ``steps`` after two connections on which an answer could not be listened to."""
    stage.device.subscribe = lambda topic_filter, *, qos=1: False
    made = runner_for(stage, *actions)
    for _ in range(2):
        assert carry_out(made, NEW, *steps).error == f"connected, but {UNHEARD} could not be prepared"
    carry_out(made, NEW, *steps)
    return made


@pytest.mark.parametrize(("others", "seen"), [([], None), ([SEEN], False)])
def test_whoever_is_not_heard_in_a_group_is_tried_alone(stage, others, seen):
    """An effect that nobody could look for would count as one; alone, the answer may be heard."""
    made = tried_without_its_answer(stage, [UNHEARD, *others], Step(Do.ACTION), Step(Do.EFFECT))
    (end,) = ends(stage, "effect")
    assert (end["seen"], end["detail"], end["message_sent"]) == (seen, NOT_AWAITED, None)
    assert made.effect is seen


def test_the_others_of_a_group_are_looked_for_as_ever(stage):
    made = tried_without_its_answer(stage, [UNHEARD, SEEN], Step(Do.ACTION, action=1), Step(Do.EFFECT, action=1))
    assert made.effect_of(1).seen is True
    made = runner_for(stage, SEEN, PublishAction("other", None))
    do(made, Step(Do.ACTION, action=1), Step(Do.EFFECT, action=1))
    assert made.effect_of(1).seen is None, "nobody could ever see it, alone or not"


def test_in_a_flight_nothing_is_waited_for_that_cannot_be_heard(stage):
    tried_without_its_answer(stage, [UNHEARD], Step(Do.FLIGHT, place=1, of=3))
    (end,) = ends(stage, "flight")
    assert (end["acked"], end["detail"]) == (True, NOT_AWAITED)
