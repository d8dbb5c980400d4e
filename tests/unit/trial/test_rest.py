"""REST trials: a refusal counts only between two granted calls that differ in the token alone."""

import pytest

from harness.cloud import RestAnswer
from harness.errors import CloudUnreachable
from harness.timeline import Timeline
from harness.trial import Outcome, RestTrials
from harness.trial.rejudge import rejudge
from tests.unit.trial.fakes import through_json

GRANTED, NOTHING, DENIED = RestAnswer(200), RestAnswer(404, 40499), RestAnswer(401, 40100, "denied")


def trial(answer, *controls):
    recorded, timeline = [], Timeline()
    answers = iter(controls)
    control = (lambda: next(answers)) if controls else None
    verdict = RestTrials(timeline, recorded.append).call("ask", lambda: answer, control=control)
    assert recorded == [verdict]
    (again,) = rejudge(through_json(timeline.since()))
    assert again.same
    assert (again.anew.outcome, again.anew.evidence) == (verdict.outcome, verdict.evidence)
    return verdict


@pytest.mark.parametrize("answer", [RestAnswer(401), RestAnswer(403, 40100), RestAnswer(404, 40410)])
@pytest.mark.parametrize("control", [GRANTED, NOTHING])
def test_refusal_between_granted_calls_is_denied(answer, control):
    assert trial(answer, control, control).outcome is Outcome.DENIED


def test_granted_call_is_authorised():
    assert trial(GRANTED).outcome is Outcome.AUTHORISED
    assert trial(NOTHING).outcome is Outcome.AUTHORISED
    assert trial(GRANTED, GRANTED, GRANTED).outcome is Outcome.AUTHORISED


@pytest.mark.parametrize("controls", [(DENIED, GRANTED), (GRANTED, DENIED)])
def test_nothing_is_proved_when_the_right_token_fails(controls):
    assert trial(DENIED, *controls).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("status", [422, 429, 500])
def test_other_answers_prove_nothing(status):
    assert trial(RestAnswer(status), GRANTED, GRANTED).outcome is Outcome.INCONCLUSIVE


def test_evidence_names_the_answers():
    evidence = trial(DENIED, GRANTED, GRANTED).evidence
    assert "401 (code 40100): denied" in evidence
    assert "200 before and 200 after" in evidence


def test_unreachable_cloud_is_the_labs_trouble():
    def call():
        raise CloudUnreachable("no route")

    verdict = RestTrials(Timeline(), lambda verdict: None).call("ask", call, control=None)
    assert verdict.outcome is Outcome.CLOUD_LOST


def test_a_call_is_named_and_made_once():
    recorded = []
    trials = RestTrials(Timeline(), recorded.append)
    verdict = trials.call("GET /v1/devices", lambda: RestAnswer(401), control=None)
    assert (verdict.action, verdict.attempts) == ("GET /v1/devices", 1)
    assert recorded == [verdict]
