"""How a step's packet is sent and how long its answers are waited for: shams, their stand-ins, fences."""

import pytest

from harness.firmware import MqttEventKind
from harness.trial.actions import PublishAction
from harness.trial.experiment import Do, Done, Observation, Plan, Saw, Step, StepConnection
from harness.trial.phases import PhaseLog
from harness.trial.wire.step_context import StepContext, Tried
from tests.unit.trial.fakes import LATENCY, Stage
from tests.unit.trial.test_plan_runner import runner_for
from tests.unit.trial.test_plan_steps import SEEN, begins, do, ends, runner

UNACKNOWLEDGED = PublishAction("other", None, qos=0)


@pytest.fixture
def stage():
    stage = Stage()
    stage.link.ensure()
    return stage


def has_learned(stage, seconds):
    """Have the board's link known for round trips of so many seconds."""
    fence = Plan("known", StepConnection.SAME, (Step(Do.FENCE),), 1.0)
    stage.night.learn(fence, Observation((Done(Saw.ANSWERED, seconds),)))
    assert stage.night.round_trip == seconds


@pytest.mark.parametrize(("step", "seen"), [(Do.BASELINE, False), (Do.FENCE, True), (Do.SHAM, True)])
def test_only_a_baselines_message_is_looked_for(stage, step, seen):
    """What is not looked for counts as seen."""
    stage.device.swallow = {"allowed"}
    do(runner(stage), Step(step))
    (end,) = ends(stage, step)
    assert (end["acked"], end["seen"]) == (True, seen)


@pytest.mark.parametrize("sham", [None, PublishAction("sham", None)])
def test_a_chased_sham_is_over_when_both_are_answered(stage, sham):
    before = stage.clock.now
    do(runner(stage, sham=sham), Step(Do.SHAM, chased=True))
    assert stage.clock.now - before == LATENCY


@pytest.mark.parametrize("sham", [None, PublishAction("sham", None)])
def test_a_chaser_behind_a_sham_is_waited_for_no_longer_than_four_times_any_answer(stage, sham):
    has_learned(stage, LATENCY)
    stage.device.unsubscribe = lambda topic_filter: True
    before = stage.clock.now
    do(runner(stage, sham=sham), Step(Do.SHAM, chased=True))
    assert stage.clock.now - before == LATENCY + 4 * stage.night.patience < stage.link.patience


def test_a_chaser_behind_an_action_is_waited_for_as_long_as_any_answer(stage):
    has_learned(stage, LATENCY)
    stage.device.unsubscribe = lambda topic_filter: True
    before = stage.clock.now
    do(runner(stage), Step(Do.ACTION, chased=True))
    assert stage.clock.now - before == LATENCY + stage.link.patience > LATENCY + 4 * stage.night.patience


def test_behind_a_chased_action_nothing_more_is_waited_for_than_its_patience_and_a_fence(stage):
    stage.device.silent_for = {"other"}
    stage.device.unsubscribe = lambda topic_filter: True
    before = stage.clock.now
    do(runner(stage), Step(Do.FENCE), Step(Do.ACTION, chased=True), patience=3.0)
    assert begins(stage, "chaser")[0]["step"] == 1
    assert ends(stage, "fence")[-1]["acked"] is True
    assert stage.clock.now - before == LATENCY + 3.0 + LATENCY + 3.0  # the last: is there a second PUBACK?


def test_only_of_a_group_each_packet_names_its_action(stage):
    """Alone it is named by its attempt."""
    do(runner(stage), Step(Do.ACTION))
    do(runner_for(stage, SEEN, UNACKNOWLEDGED), Step(Do.ACTION), Step(Do.ACTION, action=1))
    assert [begin.get("tried") for begin in begins(stage, "action")] == [
        None,
        "publish on other (QoS 1)",
        "publish on other (QoS 0)",
    ]


def test_an_end_of_the_connection_from_before_the_packet_ends_the_wait_for_its_answer(stage):
    log = PhaseLog(stage.timeline, trial=1, attempt=1)
    on = StepContext(stage.link, log, Tried([SEEN], None), stage.night, mark=stage.device.mark())
    stage.device.hang_up(after=0.0)
    before, since = stage.clock.now, stage.device.mark()
    for _ in range(2):
        event = on.wait((MqttEventKind.PUBACK,), since=since, timeout=8.0)
        assert event is not None
        assert event.kind is MqttEventKind.CLOSED
    assert stage.clock.now == before


def test_a_stand_in_for_a_qos_0_sham_takes_one_round_trip_and_a_fence(stage):
    """No message is looked for, nor does a lost one keep the fence from being sent."""
    has_learned(stage, 4 * LATENCY)
    stage.device.swallow = {"allowed"}
    before = stage.clock.now
    do(runner(stage, UNACKNOWLEDGED), Step(Do.SHAM))
    assert stage.clock.now - before == 4 * LATENCY + LATENCY
    (fence,) = ends(stage, "fence")
    assert (fence["acked"], fence["seen"]) == (True, True)


def test_a_stand_in_for_a_qos_0_sham_that_is_not_answered_has_no_fence_behind_it(stage):
    stage.device.silent_for = {"allowed"}
    do(runner(stage, UNACKNOWLEDGED), Step(Do.SHAM))
    assert begins(stage, "fence") == []


def test_behind_a_silent_action_a_fence_is_sent_whose_message_nobody_looks_for(stage):
    stage.device.silent_for, stage.device.swallow = {"other"}, {"allowed"}
    do(runner(stage), Step(Do.ACTION))
    assert ends(stage, "fence")[0]["seen"] is True


def answered_late(stage, seconds):
    """Have the action alone acknowledged so many seconds after it was sent."""
    stage.device.silent_for = {"other"}
    stage.during("other", lambda: stage.device.event(MqttEventKind.PUBACK, after=seconds))


def test_a_second_puback_behind_a_silent_publish_is_waited_for(stage):
    """The first may be the action's own: no PUBACK says what it answers."""
    answered_late(stage, 5.0)
    before = stage.clock.now
    seen, _ = do(runner(stage), Step(Do.ACTION), patience=3.0)
    assert stage.clock.now - before == 5.0
    assert seen.done[0].saw is Saw.ANSWERED


def test_acknowledgements_are_not_cut_short_by_the_end_of_an_earlier_connection(stage):
    stage.link.reconnect()
    stage.device.silent_for = {"other"}
    before = stage.clock.now
    do(runner(stage, SEEN), Step(Do.FLIGHT, place=1, of=3))
    assert ends(stage, "flight") == [{"acked": False, "sent": False, "packets": 3}]
    assert stage.clock.now - before == stage.link.patience
