"""Verdicts as small randomised experiments. Pure: plans out, observations in; no I/O, clock or thread.

docs/verdicts.md explains the rule; :mod:`harness.trial.experiment.rule` has its numbers.
"""

from harness.trial.experiment.context import Subject
from harness.trial.experiment.experiment import Breaker, Experiment
from harness.trial.experiment.group import Grouping
from harness.trial.experiment.night import Night
from harness.trial.experiment.outcome import Conclusion, ExperimentResult, Suspect, Tally
from harness.trial.experiment.plan import Do, Done, Observation, Plan, Saw, Step, StepConnection, Stop, VoidedBy
from harness.trial.experiment.rule import ExperimentRule

__all__ = [
    "Breaker",
    "Conclusion",
    "Do",
    "Done",
    "Experiment",
    "ExperimentResult",
    "ExperimentRule",
    "Grouping",
    "Night",
    "Observation",
    "Plan",
    "Saw",
    "Step",
    "StepConnection",
    "Stop",
    "Subject",
    "Suspect",
    "Tally",
    "VoidedBy",
]
