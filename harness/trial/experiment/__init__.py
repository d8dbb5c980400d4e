"""Verdicts as small randomised experiments. Pure: plans out, observations in; no I/O, clock or thread.

docs/verdicts.md explains the rule; :mod:`harness.trial.experiment.rule` has its numbers.
"""

from harness.trial.experiment.context import Subject
from harness.trial.experiment.experiment import Breaker, Experiment
from harness.trial.experiment.group import Grouping
from harness.trial.experiment.night import Night
from harness.trial.experiment.outcome import Conclusion, Result, Sentence, Suspect, Tally
from harness.trial.experiment.plan import Connection, Do, Done, Observation, Plan, Saw, Step, Stop
from harness.trial.experiment.rule import Rule

__all__ = [
    "Breaker",
    "Conclusion",
    "Connection",
    "Do",
    "Done",
    "Experiment",
    "Grouping",
    "Night",
    "Observation",
    "Plan",
    "Result",
    "Rule",
    "Saw",
    "Sentence",
    "Step",
    "Stop",
    "Subject",
    "Suspect",
    "Tally",
]
