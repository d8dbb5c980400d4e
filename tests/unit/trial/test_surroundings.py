"""What trials of packets tell those around them, and what they do where those have nothing to offer."""

from dataclasses import replace

import pytest

from harness.errors import CloudUnreachable
from harness.firmware import MqttEventKind
from harness.trial import AllowedTopics, NotConnected, Outcome
from harness.trial.experiment import Conclusion
from tests.unit.trial.fakes import FakeRegistration, Stage


def around(stage, **changed):
    stage.trials._context = replace(stage.trials._context, **changed)


@pytest.mark.parametrize(
    ("forbidden", "conclusion"), [({"other"}, Conclusion.POLICY_DISCONNECT), (set(), Conclusion.TOLERATED)]
)
def test_what_an_experiment_found_is_handed_on(forbidden, conclusion):
    """Whoever counts what the cloud refuses gets it, whether or not messages may come late."""
    stage, found = Stage(forbidden), []
    around(stage, found=found.append)
    assert stage.trials.publish("other", witness=None).outcome == conclusion
    assert [result.conclusion for result in found] == [conclusion]


def test_a_refusal_whose_message_came_late_is_not_handed_on():
    stage, found, late, tokens = Stage({"other"}, settles=True), [], [], []
    around(stage, found=found.append)
    stage.settled = lambda: late.append(tokens[0]) or {"settled": 15.0, "watched": True}
    verdict = stage.trials.publish("other", witness=lambda token, _: token in late or tokens.append(token) is not None)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert found == []


def test_without_a_sham_and_without_coverage_the_trial_says_what_is_wrong():
    stage = Stage()
    around(stage, topics=AllowedTopics((), (), lambda _right, _topic: False))
    stage.modem.present, stage.modem.coverage = FakeRegistration(registered=False), False
    verdict = stage.trials.publish("other", witness=None)
    assert verdict.outcome is Outcome.NETWORK_LOST
    assert verdict.evidence.startswith("not registered within 120 s")


def test_a_cloud_that_died_behind_the_proof_that_the_own_login_is_let_in_is_named():
    """The login was cut at first. That it is let in is proved then, and the allowed action is still to be seen."""
    stage, left = Stage(control=lambda: True), [1]
    connect = stage.device.connect

    def cut(login, *, timeout=60.0):
        if left:
            left.pop()
            stage.device.event(MqttEventKind.CLOSED, -128)
        else:
            connect(login, timeout=timeout)

    def fails():
        raise NotConnected("dev-1 could not connect")

    def dead():
        raise CloudUnreachable("local cloud (pid 7) died with signal 9")

    stage.device.connect, stage.link.ensure, stage.dead = cut, fails, dead
    verdict = stage.trials.verify_connection()
    assert verdict.outcome is Outcome.CLOUD_LOST
    assert verdict.evidence == "local cloud (pid 7) died with signal 9. dev-1 could not connect."
