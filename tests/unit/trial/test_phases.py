"""What belongs to which phase of a trial: what is done in it, and what counts that happens in it."""

import itertools
import secrets
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


@pytest.fixture(autouse=True)
def third_place(monkeypatch):
    """The action stands behind two shams; a coin shows the login in question and the right one by turns."""
    coin = itertools.cycle([1, 0])

    def draw(_self, start, stop=None, step=1):
        return 2 if start == 12 else next(coin)

    monkeypatch.setattr(secrets.SystemRandom, "randrange", draw)


ARM = ["plan", "sham", "chaser", "sham", "chaser", "action", "chaser"]


def test_phases_of_a_packet_that_is_tolerated():
    stage = Stage()
    stage.trials.publish("other", witness=stage.delivered)
    assert phases(stage) == ["plan", "connect", "baseline", *ARM, "fence", "effect", "hold"]


def test_phases_of_a_packet_that_is_refused():
    stage = Stage({"other"})
    stage.trials.publish("other", witness=stage.delivered)
    begun, hit = ["plan", "connect", "baseline"], [*ARM, "questions", "delivery"]
    # It stood at one place each time, so all connections were of one age at the hang-up: an idle one is watched.
    assert phases(stage) == [*begun, *hit, *begun, *hit, *begun, *hit, *begun, *hit, *begun, "plan", "hold"]


def test_phases_of_a_packet_that_has_no_answer():
    stage = Stage()
    stage.trials.publish("other", qos=0, witness=None)
    arm = ["plan", "sham", "fence", "sham", "fence", "action", "fence"]
    assert phases(stage) == ["plan", "connect", "baseline", *arm, "fence", "effect", "hold"]


def test_phases_of_a_connect():
    stage = Stage({"wrong"})
    stage.trials.connect(OTHER, difference="another client id")
    assert phases(stage) == ["plan", "action", "questions", "plan", "right", "questions"] * 7


def test_what_others_know_is_asked_before_the_board_connects_again():
    stage = Stage({"other"})
    connects = []
    stage.witnesses["the cloud"] = lambda: {"connects": connects.append(stage.device.connects)}
    stage.trials.publish("other", witness=None)
    assert connects == [1, 2, 3, 4]
    assert phases(stage).count("witness") == 4


def test_a_loss_of_the_network_counts_from_the_connection_on():
    stage = Stage({"other"})
    lost = iter(["+CSCON: 1", "+CGEV: NW DETACH"])  # the first one is sent to see whether it is taken
    stage.during("team/h", lambda: stage.urc(next(lost, "+CSCON: 0")))
    verdict = stage.trials.publish("other", witness=None)
    assert "On 5 of 6 fresh connections" in verdict.evidence


def test_a_loss_of_the_network_before_the_connection_is_there_does_not_count():
    stage = Stage({"other"})
    connect = stage.device.connect
    stage.device.connect = lambda login, **options: (stage.urc("+CEREG: 2"), connect(login, **options))
    verdict = stage.trials.publish("other", witness=None)
    assert (verdict.outcome, verdict.attempts) == (Outcome.POLICY_DISCONNECT, 1)
    assert "On 4 of 4 fresh connections" in verdict.evidence


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
