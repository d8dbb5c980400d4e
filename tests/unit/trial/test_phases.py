"""What belongs to which phase of a trial: what is done in it, and what counts that happens in it."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from harness.timeline import Kind
from harness.trial import NotConnected, Outcome
from tests.unit.trial.fakes import LOGIN, Stage

OTHER = replace(LOGIN, client_id="wrong")


def phases(stage, attempt=1):
    """The phases of an attempt, in order."""
    begun = [event.data for event in stage.timeline.since() if event.kind is Kind.PHASE and event.data["on"] == "begin"]
    return [data["name"] for data in begun if data["attempt"] == attempt and data["name"] != "attempt"]


def test_phases_of_a_packet_that_is_tolerated():
    stage = Stage()
    stage.trials.publish("other", witness=stage.delivered)
    assert phases(stage) == ["connect", "baseline", "action", "fence", "hold", "effect", "questions"]


def test_phases_of_a_packet_that_is_refused():
    stage = Stage({"other"})
    stage.trials.publish("other", witness=stage.delivered)
    tried = ["connect", "baseline", "action", "fence", "hold"]
    assert phases(stage) == [*tried, "questions", "reconnect", "after", "delivery"]
    assert [action.armed for action in stage.actions] == [2]


def test_phases_of_a_connect():
    stage = Stage({"wrong"})
    stage.trials.connect(OTHER, difference="another client id")
    assert phases(stage) == ["connect", "action", "questions", "reconnect", "after"]


@pytest.mark.parametrize("lost", ["+CGEV: NW PDN DEACT 0", "Ready"])
def test_what_disturbed_a_trial_is_not_followed_by_another_connection(lost):
    stage = Stage({"other", "wrong"})
    disturb = stage.device.restart if lost == "Ready" else lambda: stage.urc(lost)
    stage.during("other", disturb)
    stage.trials.publish("other", witness=None)
    assert phases(stage)[-1] == "questions"
    stage = Stage({"wrong"})
    disturb = stage.device.restart if lost == "Ready" else lambda: stage.urc(lost)
    connect = stage.device.connect
    stage.device.connect = lambda login, **options: (connect(login, **options), login == OTHER and disturb())
    stage.trials.connect(OTHER, difference="another client id")
    assert phases(stage)[-1] == "questions"


def test_a_loss_of_the_network_counts_from_the_baseline_on():
    stage = Stage({"other"})
    stage.link.ensure()
    lost = iter(["+CGEV: NW DETACH"])
    stage.during("allowed", lambda: stage.urc(next(lost, "+CSCON: 0")))
    stage.trials.publish("other", witness=None)
    assert stage.recorded[0].attempts == 2
    assert any("network lost" in event.text for event in stage.timeline.since() if event.kind is Kind.FACTS)


def test_a_loss_of_the_network_after_the_questions_does_not_count():
    stage = Stage({"other"})
    stage.link.ensure()
    connect = stage.device.connect
    stage.device.connect = lambda login, **options: (stage.urc("+CEREG: 2"), connect(login, **options))
    verdict = stage.trials.publish("other", witness=None)
    assert (verdict.outcome, verdict.attempts) == (Outcome.POLICY_DISCONNECT, 1)


def test_an_end_of_the_connection_after_the_hold_is_no_hang_up():
    stage = Stage()

    def witness(_nonce, _timeout):
        stage.device.hang_up(after=0.0)
        return bool(stage.device.mark())

    verdict = stage.trials.publish("other", witness=witness)
    assert (verdict.outcome, verdict.effect) == (Outcome.TOLERATED, True)


def test_a_login_that_was_accepted_is_ended_before_its_circumstances():
    stage = Stage()
    left = []

    @contextmanager
    def during():
        yield
        left.append(stage.device.connected)

    assert stage.trials.connect(OTHER, difference="another", during=during).outcome is Outcome.TOLERATED
    assert left == [False]


def test_own_connect_begins_anew_although_there_is_a_connection():
    stage = Stage(actions=("first", "second"))
    stage.link.ensure()
    stage.device.forbidden = {"first"}
    verdict = stage.trials.verify_connection()
    assert verdict.outcome is Outcome.TOLERATED
    assert "publish on second worked" in verdict.evidence
    assert stage.device.connects == 3  # the one before, the trial's, and one more behind the first action's refusal


def test_an_allowed_action_that_cannot_be_prepared_is_passed_over():
    stage = Stage(actions=("first", "second"))
    stage.actions[0].arm = lambda *, timeout: False
    stage.link.ensure()
    assert stage.link.action is stage.actions[1]
    stage = Stage()
    stage.actions[0].arm = lambda *, timeout: False
    with pytest.raises(NotConnected, match="a QoS 1 publish on allowed could not be prepared"):
        stage.link.ensure()
