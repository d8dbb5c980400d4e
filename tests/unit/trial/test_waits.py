"""How long a trial waits for what: neither too short, which misses what comes, nor too long, which the clock shows."""

from dataclasses import replace

import pytest

from harness.firmware import MqttEventKind
from harness.trial import Outcome, ShadowUpdate
from tests.unit.trial.fakes import LATENCY, LOGIN, Clock, ClockedTimeline, FakeDevice, Stage

CONNECTED = 2 * LATENCY  # CONNACK, and the PUBACK of the first allowed action
FRAMED = 2 * LATENCY  # baseline and fence


def test_a_tolerated_publish_takes_its_answers_and_the_hold():
    stage = Stage(hold=2.0)
    assert stage.trials.publish("other", witness=None).outcome is Outcome.TOLERATED
    assert stage.clock.now == CONNECTED + FRAMED + 2.0


@pytest.mark.parametrize(
    ("delay", "outcome"), [(1.0, Outcome.POLICY_DISCONNECT), (2.0, Outcome.POLICY_DISCONNECT), (2.5, Outcome.TOLERATED)]
)
def test_a_refusal_counts_as_long_as_the_hold_after_the_fence(delay, outcome):
    stage = Stage({"other"}, hold=2.0)
    stage.device.refusal_delay["other"] = delay
    verdict = stage.trials.publish("other", witness=None)
    assert verdict.outcome is outcome
    assert ("came late" in verdict.evidence) is (outcome is Outcome.POLICY_DISCONNECT)


def test_a_hang_up_ends_every_wait_at_once():
    stage = Stage({"other"}, hold=2.0)
    assert stage.trials.publish("other", witness=None).outcome is Outcome.POLICY_DISCONNECT
    assert stage.clock.now == CONNECTED + LATENCY + LATENCY + CONNECTED  # baseline; hang-up; again


def test_silence_lasts_as_long_as_an_answer_may_take_for_fence_and_hang_up():
    stage = Stage(hold=2.0)
    stage.link.ensure()
    begin = stage.clock.now
    stage.during("other", lambda: stage.device.silent_for.update({"allowed", "other"}))
    stage.trials.publish("other", witness=None)
    assert stage.recorded[0].outcome is Outcome.INCONCLUSIVE
    first = next(event.t for event in stage.timeline.since() if event.text.startswith("verdict:"))
    assert first - begin == LATENCY + 2 * stage.link.patience


def test_the_end_of_a_refused_connection_is_waited_for_before_the_next_is_made():
    """It would be taken for the end of the next one."""
    stage = Stage()
    stage.device.connack_refused_for = {"wrong"}
    verdict = stage.trials.connect(replace(LOGIN, client_id="wrong"), difference="another client id")
    assert verdict.outcome is Outcome.REFUSED_AT_CONNECT
    assert (verdict.attempts, stage.device.connects) == (1, 3)
    assert "CONNACK with a refusal (CONNACK return code 5)" in verdict.evidence
    assert stage.link.connected
    assert stage.clock.now == CONNECTED + 2 * LATENCY + CONNECTED


def test_no_answer_to_connect_is_waited_for_with_patience_and_proves_nothing():
    stage = Stage()
    stage.device.no_connack_for = {"wrong"}
    verdict = stage.trials.connect(replace(LOGIN, client_id="wrong"), difference="another client id")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "no answer to CONNECT (within 8 s)" in verdict.evidence
    first = next(event.t for event in stage.timeline.since() if event.text.startswith("verdict:"))
    assert first == CONNECTED + stage.link.patience + CONNECTED


def test_two_connects_of_a_client_id_have_the_gap_between_them():
    stage = Stage(gap=1.5)
    stage.link.reconnect()
    stage.link.reconnect()
    assert stage.clock.now == 1.5 + LATENCY
    stage.clock.pause(9.0)
    stage.link.reconnect()
    assert stage.clock.now == 1.5 + LATENCY + 9.0 + LATENCY


@pytest.fixture
def shadow():
    device = FakeDevice(timeline=ClockedTimeline(Clock()))
    device.connect(LOGIN)
    device.wait(lambda event: event.kind is MqttEventKind.ACCEPTED, since=0, timeout=1.0)
    return device, ShadowUpdate(device, "dev-1")


ACCEPTED = "$aws/things/dev-1/shadow/update/accepted"


@pytest.mark.parametrize(
    ("topic", "payload", "seen"), [(ACCEPTED, b"n1", True), (ACCEPTED, b"n0", False), ("other", b"n1", False)]
)
def test_shadow_update_is_seen_by_its_own_answer(shadow, topic, payload, seen):
    device, action = shadow
    assert action.send("n1")
    device.event(MqttEventKind.MESSAGE, topic=topic, payload=payload, after=0.5)
    assert action.seen("n1", timeout=0.5) is seen


def test_shadow_update_is_not_seen_on_a_connection_that_ends(shadow):
    device, action = shadow
    assert action.send("n1")
    device.hang_up(after=0.25)
    begin = device.clock.now
    assert not action.seen("n1", timeout=8.0)
    assert device.clock.now - begin == 0.25


def test_shadow_update_needs_the_subscription_to_its_answer(shadow):
    device, action = shadow
    assert action.arm(timeout=1.0)
    device.forbidden = {ACCEPTED}
    assert not action.arm(timeout=1.0)
