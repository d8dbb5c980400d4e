"""REST trials: a refusal counts only between two granted calls that differ in the token alone."""

import itertools

import pytest

from harness.cloud import RestAnswer
from harness.errors import CloudUnreachable, LabError
from harness.timeline import Timeline
from harness.trial import Outcome, RestTrials
from harness.trial.rejudge import rejudge
from tests.unit.trial.fakes import through_json

GRANTED, NOTHING, DENIED = RestAnswer(200), RestAnswer(404, 40499), RestAnswer(401, 40100, "denied")


def trial(answer, *controls):
    recorded, timeline = [], Timeline()
    answers = itertools.cycle(controls)
    control = (lambda: next(answers)) if controls else None
    trials = RestTrials(timeline, recorded.append, pause=lambda _seconds: None)
    verdict = trials.call("ask", lambda: answer, control=control)
    assert recorded == [verdict]
    (again,) = rejudge(through_json(timeline.since()))
    assert again.same
    assert (again.anew.outcome, again.anew.evidence) == (verdict.outcome, verdict.evidence)
    return verdict


def trial_of(call):
    trials = RestTrials(Timeline(), lambda _verdict: None, pause=lambda _seconds: None)
    return trials.call("ask", call, control=lambda: GRANTED)


@pytest.mark.parametrize("answer", [RestAnswer(401), RestAnswer(403, 40100), RestAnswer(404, 40410)])
@pytest.mark.parametrize("control", [GRANTED, NOTHING])
def test_refusal_between_granted_calls_is_denied(answer, control):
    assert trial(answer, control, control).outcome is Outcome.DENIED


def test_granted_call_is_authorised():
    assert trial(GRANTED).outcome is Outcome.AUTHORISED
    assert trial(NOTHING).outcome is Outcome.AUTHORISED
    assert trial(GRANTED, GRANTED, GRANTED).outcome is Outcome.AUTHORISED


@pytest.mark.parametrize("controls", [(DENIED,), (DENIED, GRANTED)])
def test_nothing_is_proved_when_the_right_token_fails(controls):
    assert trial(DENIED, *controls).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("status", [422, 429, 500])
def test_other_answers_prove_nothing(status):
    assert trial(RestAnswer(status), GRANTED, GRANTED).outcome is Outcome.INCONCLUSIVE


def test_evidence_names_the_answers():
    evidence = trial(DENIED, GRANTED).evidence
    assert "in words no cut can forge; the right one worked before, between and after" in evidence


def test_a_403_from_in_between_is_no_word_of_the_apis():
    """It has no number of nRF Cloud's: a coin decides whether it is the token that it is about."""
    assert "A coin chose" in trial(RestAnswer(403), GRANTED).evidence
    answers = iter([RestAnswer(403)])
    assert trial_of(lambda: next(answers, GRANTED)).outcome is Outcome.AUTHORISED


def test_a_busy_cloud_refuses_nothing():
    answers = iter([RestAnswer(429), RestAnswer(503)])
    assert trial_of(lambda: next(answers, DENIED)).outcome is Outcome.DENIED
    assert trial(RestAnswer(500), GRANTED).outcome is Outcome.INCONCLUSIVE


def test_unreachable_cloud_is_the_labs_trouble():
    def call():
        raise CloudUnreachable("no route")

    verdict = RestTrials(Timeline(), lambda verdict: None).call("ask", call, control=None)
    assert verdict.outcome is Outcome.CLOUD_LOST


def test_a_call_is_named_and_its_trial_runs_once():
    recorded = []
    trials = RestTrials(Timeline(), recorded.append, pause=lambda _seconds: None)
    verdict = trials.call("GET /v1/devices", lambda: DENIED, control=None)
    assert (verdict.action, verdict.attempts, verdict.outcome) == ("GET /v1/devices", 1, Outcome.DENIED)
    assert recorded == [verdict]


def alone(*answers):
    """Return the outcome of a call that is right, and how often it was made."""
    coming = itertools.chain(answers, itertools.repeat(answers[-1]))
    made, timeline = [], Timeline()
    trials = RestTrials(timeline, lambda _verdict: None, pause=lambda _seconds: None)
    verdict = trials.call("ask", lambda: made.append(next(coming)) or made[-1], control=None)
    (again,) = rejudge(through_json(timeline.since()))
    assert again.same
    return verdict.outcome, len(made)


def test_one_refusal_of_a_call_that_is_right_is_asked_again():
    """Without a call to compare it with, one answer of the API's may be its own trouble, and one 403 anybody's."""
    assert alone(DENIED, GRANTED) == (Outcome.AUTHORISED, 2)
    assert alone(DENIED) == (Outcome.DENIED, 2)
    assert alone(RestAnswer(403), GRANTED) == (Outcome.AUTHORISED, 2)
    assert alone(RestAnswer(403)) == (Outcome.INCONCLUSIVE, 4)
    assert alone(RestAnswer(403), DENIED) == (Outcome.DENIED, 3)
    assert alone(RestAnswer(503)) == (Outcome.INCONCLUSIVE, 4)


def test_a_portal_in_between_grants_nothing():
    assert alone(RestAnswer(200, foreign=True)) == (Outcome.INCONCLUSIVE, 4)
    assert trial(RestAnswer(200, foreign=True), GRANTED).outcome is Outcome.INCONCLUSIVE


def test_the_pause_before_a_call_is_made_again_doubles():
    pauses = []
    trials = RestTrials(Timeline(), lambda _verdict: None, pause=pauses.append)
    trials.call("ask", lambda: RestAnswer(503), control=None)
    assert pauses == [0.25, 0.5, 1.0]


def test_the_pause_is_waited_for_in_real_time_where_nobody_has_one_of_their_own(monkeypatch):
    waits = []
    monkeypatch.setattr("harness.trial.rest.threading.Event.wait", lambda self, seconds: waits.append(seconds))
    RestTrials(Timeline(), lambda _verdict: None).call("ask", lambda: RestAnswer(503), control=None)
    assert waits == [0.25, 0.5, 1.0]


def test_the_record_says_what_was_compared_with_what():
    timeline = Timeline()
    RestTrials(timeline, lambda _verdict: None, pause=lambda _seconds: None).call(
        "GET /x", lambda: DENIED, control=lambda: GRANTED
    )
    begin = timeline.since()[0].data
    assert begin["action"] == "GET /x"
    assert begin["sort"] == "call"
    assert begin["experiment"]["subject"] == {
        "action": "GET /x",
        "sham": "the same call with the right token",
        "differs": "token",
    }


@pytest.mark.parametrize("trouble", [CloudUnreachable("no route"), LabError("no key to sign with")])
def test_trouble_on_the_way_is_not_tried_again(trouble):
    made = []

    def call():
        made.append(1)
        raise trouble

    trials = RestTrials(Timeline(), lambda _verdict: None, pause=lambda _seconds: None)
    for control in (None, lambda: GRANTED):
        made.clear()
        assert trials.call("ask", call, control=control).attempts == 1
        assert made == [1]
