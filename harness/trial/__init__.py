"""An attempted action with its controls, and the verdict on it."""

from harness.trial.connection import Attempt, MqttConnection, NotConnected, Stage, nonce
from harness.trial.controls import AllowedAction, ObservedPublish, ShadowUpdate
from harness.trial.rest import RestTrials
from harness.trial.runner import TrialContext, Trials
from harness.trial.service_answer import ServiceAnswer
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
    "Attempt",
    "Control",
    "Facts",
    "MqttConnection",
    "NotConnected",
    "ObservedPublish",
    "Outcome",
    "RestTrials",
    "Sending",
    "ServiceAnswer",
    "ShadowUpdate",
    "Stage",
    "TrialContext",
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
