"""How long a trial waits for what: neither too short, which misses what comes, nor too long, which the clock shows."""

import secrets
from dataclasses import replace

import pytest

from harness.firmware import MqttEventKind
from harness.trial import Outcome, ShadowUpdate
from tests.unit.trial.fakes import LATENCY, LOGIN, Clock, ClockedTimeline, FakeDevice, Stage

CONNECTED = 3 * LATENCY  # CONNACK, and the PUBACKs of the first allowed action and of the first sham
FRAMED = 2 * LATENCY  # baseline and fence


def test_a_tolerated_publish_takes_its_answers_and_the_hold(monkeypatch):
    monkeypatch.setattr(secrets.SystemRandom, "randrange", lambda *_: 3)
    stage = Stage(hold=2.0)
    assert stage.trials.publish("other", witness=None).outcome is Outcome.TOLERATED
    assert stage.clock.now == CONNECTED + LATENCY + 3 * LATENCY + FRAMED + 2.0  # baseline, shams, action and fence


@pytest.mark.parametrize("delay", [1.0, 2.0])
def test_a_hang_up_within_the_hold_after_an_answer_is_found_out(delay):
    stage = Stage(hold=2.0)
    publish = stage.device.publish

    def late(topic, payload, **options):
        sent = publish(topic, payload, **options)
        if topic == "other":
            stage.device.event(MqttEventKind.CLOSED, -128, after=LATENCY + delay)
        return sent

    stage.device.publish = late
    verdict = stage.trials.publish("other", witness=None)
    assert verdict.outcome is Outcome.ACKNOWLEDGED_THEN_CLOSED
    assert f"{delay:g}, {delay:g}" in verdict.evidence


def test_a_refusal_that_comes_late_without_an_answer_is_one():
    stage = Stage({"other"}, hold=2.0)
    stage.device.refusal_delay["other"] = 1.0  # three times the median round trip, then the fence, then the end
    assert stage.trials.publish("other", witness=None).outcome is Outcome.LATE_DISCONNECT


def test_a_hang_up_ends_every_wait_at_once(monkeypatch):
    places = iter((2, 6, 2, 6))  # of one age, or quiet for a short time, an idle connection would be watched
    monkeypatch.setattr(secrets.SystemRandom, "randrange", lambda *_: next(places))
    stage = Stage({"other"}, hold=2.0)
    assert stage.trials.publish("other", witness=None).outcome is Outcome.POLICY_DISCONNECT
    # choosing action and sham; CONNACK, baseline, shams, hang-up; again
    assert stage.clock.now == 2 * LATENCY + 4 * 3 * LATENCY + 16 * LATENCY + 2 * LATENCY


@pytest.mark.parametrize("takes", [0.0, 5.0])
def test_a_witness_that_takes_long_is_no_sign_that_cuts_are_rare(monkeypatch, takes):
    """The cloud is asked behind each hang-up, with no connection: a silent one's must be watched all the same."""
    places = iter((0, 6, 2, 9))  # not of one age
    monkeypatch.setattr(secrets.SystemRandom, "randrange", lambda *_: next(places))
    stage = Stage(gap=1.0)
    stage.witnesses["cloud"] = lambda: stage.clock.pause(takes) or {}
    publish = stage.device.publish

    def deaf(topic, payload, **options):
        if topic == "other":
            stage.device.hang_up(after=0.36)
            return True
        return publish(topic, payload, **options)

    stage.device.publish = deaf
    verdict = stage.trials.publish("other", witness=None)
    # Of 16.3 times 0.36 s: four CONNECTs, five baselines, 17 shams.
    assert "took up to 360 ms to hang up, so an idle one was watched: it stayed for 2.6 s" in verdict.evidence


def test_connecting_is_from_the_connect_to_the_end_of_the_set_up_without_the_wait_for_its_turn(monkeypatch):
    stage = Stage({"other"}, gap=1.0)
    stage.trials.listen("answers")  # a SUBSCRIBE on each connection
    stage.trials.publish("other", witness=None)
    ends = [event.data for event in stage.timeline.since() if event.text == "connect ends" and "opened" in event.data]
    assert [(end["opened"], end["connecting"]) for end in ends] == [(False, 0.0)] + [(True, 2 * LATENCY)] * 4


def test_silence_is_waited_out_with_a_fence_behind_the_action_and_what_is_answered_behind_that(monkeypatch):
    monkeypatch.setattr(secrets.SystemRandom, "randrange", lambda *_: 0)
    stage = Stage(hold=2.0)
    stage.link.ensure()
    begin = stage.clock.now
    stage.during("other", lambda: stage.device.silent_for.update({"allowed", "other"}))
    verdict = stage.trials.publish("other", witness=None)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    ends = [event for event in stage.timeline.since() if event.text == "action ends"]
    baseline, fence = 2 * LATENCY, stage.link.settle + LATENCY
    assert ends[0].t - begin == LATENCY + LATENCY + baseline - LATENCY + 3 * LATENCY + fence


def test_a_sham_whose_answer_is_lost_does_not_cost_all_patience(monkeypatch):
    """The UNSUBSCRIBE behind it was answered: nothing more will come, so the board connects anew."""
    monkeypatch.setattr(secrets.SystemRandom, "randrange", lambda *_: 3)
    stage, sent = Stage(), []

    def loses_one():
        sent.append(None)
        stage.device.silent_for = {"team/h"} if len(sent) == 3 else set()  # the first asks whether it is allowed

    stage.during("team/h", loses_one)
    assert stage.trials.publish("other", witness=None).outcome is Outcome.TOLERATED
    assert stage.device.connects == 2
    ends = [event.t for event in stage.timeline.since() if event.text in ("sham", "sham ends")]
    longest = max(end - begin for begin, end in zip(ends[::2], ends[1::2], strict=True))
    assert LATENCY < longest < stage.link.patience / 2


def test_a_sham_whose_chasers_answer_is_lost_does_not_cost_all_patience_either(monkeypatch):
    monkeypatch.setattr(secrets.SystemRandom, "randrange", lambda *_: 3)
    stage, sent = Stage(), []
    unsubscribe = stage.device.unsubscribe

    def loses_one(topic_filter):
        sent.append(topic_filter)
        return len(sent) == 2 or unsubscribe(topic_filter)

    stage.device.unsubscribe = loses_one
    assert stage.trials.publish("other", witness=None).outcome is Outcome.TOLERATED
    assert stage.device.connects == 2
    ends = [event.t for event in stage.timeline.since() if event.text in ("sham", "sham ends")]
    longest = max(end - begin for begin, end in zip(ends[::2], ends[1::2], strict=True))
    assert LATENCY < longest < stage.link.patience / 2


def test_the_end_of_a_refused_connection_is_waited_for_before_the_next_is_made(monkeypatch):
    """It would be taken for the end of the next one."""
    monkeypatch.setattr(secrets.SystemRandom, "randrange", lambda *_: 1)  # the wrong login at once
    stage = Stage()
    stage.device.connack_refused_for = {"wrong"}
    verdict = stage.trials.connect(replace(LOGIN, client_id="wrong"), difference="another client id")
    assert verdict.outcome is Outcome.REFUSED_AT_CONNECT
    assert "in words no cut can forge" in verdict.evidence
    assert stage.device.connects == 6, "the wrong one, and then right, wrong, right, wrong, right"


def test_no_answer_to_connect_is_waited_for_with_patience_and_proves_nothing():
    stage = Stage()
    stage.device.no_connack_for = {"wrong"}
    verdict = stage.trials.connect(replace(LOGIN, client_id="wrong"), difference="another client id")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    wrong = [event for event in stage.timeline.since() if event.text == "action ends"]
    assert {event.data["detail"] for event in wrong} == {"within 8 s"}


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
