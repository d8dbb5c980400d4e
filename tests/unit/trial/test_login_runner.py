"""Attempts of logins and calls as they are carried out and written down."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from harness.cloud import RestAnswer
from harness.timeline import Kind
from harness.trial.connect_trial import ConnectTrial
from harness.trial.experiment import Do, Plan, Saw, Step, StepConnection
from harness.trial.phases import PhaseLog
from harness.trial.wire.login_runner import CallRunner, LoginRunner
from tests.unit.trial.fakes import LATENCY, LOGIN, Stage

WRONG = replace(LOGIN, client_id="wrong")
PAUSE, RIGHT_LOGIN, WRONG_LOGIN = Step(Do.PAUSE, seconds=2.5), Step(Do.RIGHT_LOGIN), Step(Do.WRONG_LOGIN)


@pytest.fixture
def stage():
    return Stage({"wrong"})


def log_of(stage):
    return PhaseLog(stage.timeline, trial=1, attempt=1)


def plan(step):
    return Plan("attempt", StepConnection.NONE, (step,), 8.0)


def begins(stage):
    return [event for event in stage.timeline.since() if event.kind is Kind.PHASE and event.data["on"] == "begin"]


def names(stage):
    return [event.data["name"] for event in begins(stage) if "step" in event.data]


def test_a_plan_is_written_down_with_what_it_asks_for(stage):
    made = LoginRunner(stage.link, stage.modem, log_of(stage), ConnectTrial(WRONG, "another client id"))
    asked = plan(RIGHT_LOGIN)
    seen, _ = made.do(asked, {"draws": [1]})
    begin = begins(stage)[0]
    assert begin.text == "attempt"
    usual = {"trial": 1, "attempt": 1, "name": "plan", "on": "begin"}
    assert begin.data == usual | asked.as_data() | {"since": 0.0, "packets": 0, "draws": [1]}
    assert (seen.packets, [done.saw for done in seen.done]) == (0, [Saw.ANSWERED])


def test_a_pause_is_a_plan_of_its_own_and_is_told(stage):
    made = LoginRunner(stage.link, stage.modem, log_of(stage), ConnectTrial(WRONG, "another client id"))
    saws = [made.do(plan(step), {})[0].done[0].saw for step in (PAUSE, WRONG_LOGIN)]
    assert saws == [Saw.ANSWERED, Saw.CLOSED]
    assert names(stage) == ["pause", "action"]
    (pause,) = [event.data for event in begins(stage) if event.data["name"] == "pause"]
    assert (pause["step"], pause["seconds"]) == (0, 2.5)
    assert stage.clock.now == 2.5 + LATENCY


@pytest.mark.parametrize(("sec_tag", "made_times"), [(LOGIN.sec_tag, 2), (LOGIN.sec_tag + 1, 1)])
def test_circumstances_stay_until_the_right_login_is_tried_or_longer_if_they_do_not_touch_it(
    stage, sec_tag, made_times
):
    """They may take seconds each time: a credential is written, the modem registers again."""
    told = []

    @contextmanager
    def circumstances():
        told.append("made")
        yield
        told.append("gone")

    trial = ConnectTrial(replace(WRONG, sec_tag=sec_tag), "another credential", circumstances)
    made = LoginRunner(stage.link, stage.modem, log_of(stage), trial)
    with made.around():
        for step in (WRONG_LOGIN, WRONG_LOGIN, RIGHT_LOGIN, WRONG_LOGIN):
            made.do(plan(step), {})
    assert told == ["made", "gone"] * made_times
    assert names(stage) == ["action", "action", "right", "action"]


def test_calls_with_the_token_in_question_and_with_the_right_one_are_phases_of_their_own(stage):
    denied, granted = RestAnswer(401, 40100, "denied"), RestAnswer(200)
    made = CallRunner(log_of(stage), lambda: denied, lambda: granted, stage.clock.pause)
    saws = [made.do(plan(step), {})[0].done[-1].saw for step in (WRONG_LOGIN, RIGHT_LOGIN)]
    assert saws == [Saw.REFUSED, Saw.ANSWERED]
    assert names(stage) == ["action", "right"]
    made.do(plan(PAUSE), {})
    assert stage.clock.now == 2.5
