"""Plays an experiment against a world."""

from harness.trial.experiment import Plan

LIMIT = 2000
"""Plans that no experiment may need: a rule that does not end is a hang."""


def play(experiment, do):
    """Drive ``experiment`` with ``do(plan) -> Observation``; return its result."""
    for _ in range(LIMIT):
        plan = experiment.next()
        if not isinstance(plan, Plan):
            return experiment.result()
        experiment.take(do(plan))
    raise AssertionError("the experiment does not end")
