"""The verdict on an action that was tried in a group: its sentences, and how it is written down."""

import pytest

from harness.timeline import Kind
from harness.trial import Outcome, Sentence
from harness.trial.actions import PublishAction
from harness.trial.facts import ActionEffect
from harness.trial.judgement import How
from harness.trial.phases import Phase
from harness.trial.wire.group_verdict import Shared
from tests.unit.trial.fakes import Stage

SHARED = Shared(7, 3, 2.0, "a publish", ActionEffect(True, "it was delivered"))
BASELINE = Sentence("baseline", "Just before, on the same connection, a publish worked.")


def test_all_that_is_known_is_said():
    found = SHARED.judgement("Policy: yes.")
    assert (found.outcome, found.sentences) == (
        Outcome.TOLERATED,
        (
            Sentence("policy", "Policy: yes.", how=How.DOCUMENTS),
            BASELINE,
            Sentence(
                "shared",
                "It was one of 3 allowed actions that shared connections (trial 7): it was answered, an allowed action"
                " behind them all too, and the connection stayed for 2 s.",
            ),
            Sentence("effect", "Effect: it was delivered."),
        ),
    )


def test_nothing_more_is_said():
    found = Shared(7, 3, 2.5, "a publish", ActionEffect(), ended=True).judgement("")
    assert found.sentences == (
        BASELINE,
        Sentence(
            "shared",
            "It was one of 3 allowed actions that shared connections (trial 7): it was answered and the connection"
            " stayed for 2.5 s.",
        ),
    )


@pytest.mark.parametrize("seen", [True, False, None])
def test_it_is_a_trial_of_its_own_test(seen):
    stage = Stage()
    action = PublishAction("a/b", None, retain=True)
    verdict = stage.trials.shared(action, Shared(7, 3, 2.0, "a publish", ActionEffect(seen)))
    assert (verdict.action, verdict.outcome, verdict.attempts, verdict.effect) == (
        *(str(action), Outcome.TOLERATED, 1, seen),
    )
    assert stage.recorded == [verdict]
    begin = next(
        event for event in stage.timeline.since() if event.kind is Kind.PHASE and event.data["name"] == Phase.ATTEMPT
    )
    assert begin.data["group"] == 7
    assert begin.data["action"] == str(action)
    assert begin.data["policy"] == "Policy: iot:Publish a/b. Policy: iot:RetainPublish a/b."
    assert verdict.evidence.startswith(begin.data["policy"] + " Just before")
