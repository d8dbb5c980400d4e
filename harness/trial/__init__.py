"""An attempted action with its controls, and the verdict on it."""

from harness.trial.answer import Answer
from harness.trial.controls import AllowedAction, ObservedPublish, ShadowUpdate
from harness.trial.link import Attempt, Link, NotConnected, Stage, nonce
from harness.trial.rest import RestTrials
from harness.trial.runner import Surroundings, Trials
from harness.trial.triggers import (
    Sending,
    Trigger,
    desired_changes,
    device_asks,
    device_reports,
    device_sends,
    observer_sends,
)
from harness.trial.verdict import LAB_OUTCOMES, Control, Facts, Outcome, Unproved, Verdict, WrongVerdict, judge

__all__ = [
    "LAB_OUTCOMES",
    "AllowedAction",
    "Answer",
    "Attempt",
    "Control",
    "Facts",
    "Link",
    "NotConnected",
    "ObservedPublish",
    "Outcome",
    "RestTrials",
    "Sending",
    "ShadowUpdate",
    "Stage",
    "Surroundings",
    "Trials",
    "Trigger",
    "Unproved",
    "Verdict",
    "WrongVerdict",
    "desired_changes",
    "device_asks",
    "device_reports",
    "device_sends",
    "judge",
    "nonce",
    "observer_sends",
]
