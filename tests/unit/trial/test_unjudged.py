"""Attempts whose verdicts are missing from a file that went on after them."""

import pytest

from harness.timeline import Event, Kind
from harness.trial.rejudge import unjudged


class Story:
    """Events as a trial writes them."""

    def __init__(self):
        self.events = []

    def add(self, kind, text="", **data):
        self.events.append(Event(len(self.events), 0.0, kind, "trial", text, data))
        return self

    def phase(self, name, on, **data):
        return self.add(Kind.PHASE, f"{name} {on}", name=name, on=on, **data)

    def attempt(self, trial, attempt, action="publish"):
        return self.phase("attempt", "begin", trial=trial, attempt=attempt, action=action)

    def facts(self, trial, attempt):
        return self.add(Kind.FACTS, trial=trial, attempt=attempt)

    def ends(self, how="passed"):
        return self.add(Kind.END, how)


def test_a_test_without_trials_misses_nothing():
    assert unjudged(Story().ends().events) == []


def test_an_attempt_that_was_judged_is_not_missing():
    assert unjudged(Story().attempt(1, 1).facts(1, 1).ends().events) == []


@pytest.mark.parametrize("number", [(1, 2), (2, 1)])
def test_the_verdict_of_another_attempt_is_not_its_own(number):
    assert unjudged(Story().attempt(1, 1).facts(*number).ends().events) == ["publish"]


def test_a_test_that_passed_had_its_verdicts():
    assert unjudged(Story().attempt(1, 1, "subscribe").ends().events) == ["subscribe"]


@pytest.mark.parametrize("how", ["failed", "error", ""])
def test_a_test_that_ended_otherwise_may_have_ended_in_its_trial(how):
    assert unjudged(Story().attempt(1, 1).ends(how).events) == []


def test_what_is_expected_of_a_verdict_shows_that_there_was_one():
    story = Story().attempt(1, 1).add(Kind.EXPECT, "passed")
    assert unjudged(story.events) == ["publish"]
    assert unjudged(story.ends().events) == ["publish"], "it is missing once"


def test_a_test_that_is_still_in_its_trial_misses_nothing():
    story = Story().attempt(1, 1).phase("action", "begin").phase("action", "end").phase("attempt", "end")
    story.add(Kind.STEP, "passed")
    assert unjudged(story.events) == []


def test_the_next_attempt_shows_that_the_one_before_is_missing():
    story = Story().attempt(1, 1, "first").attempt(1, 2, "second")
    assert unjudged(story.events) == ["first"]
    assert unjudged(story.facts(1, 2).attempt(2, 1, "third").facts(2, 1).ends().events) == ["first"]
    assert unjudged(Story().attempt(1, 1, "a").attempt(1, 2, "b").ends().events) == ["a", "b"]


def test_facts_without_an_attempt_are_passed_over():
    assert unjudged(Story().facts(1, 1).add(Kind.FACTS).ends().events) == []


def test_numbers_that_are_not_there_are_alike():
    story = Story().phase("attempt", "begin", action="publish").add(Kind.FACTS)
    assert unjudged(story.ends().events) == []
    assert unjudged(Story().phase("attempt", "begin", action="x").facts(1, -1).ends().events) == ["x"]
    assert unjudged(Story().phase("attempt", "begin", action="x").facts(-1, 1).ends().events) == ["x"]
