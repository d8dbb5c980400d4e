"""An attempted action with its controls, and the verdict on it."""

from harness.trial.actions import PacketAction, PublishAction, ServiceRequest, SubscribeAction, Witness
from harness.trial.attempt_facts import facts_of
from harness.trial.connection import MqttConnection, nonce
from harness.trial.controls import AllowedAction, ObservedDelivery, ObservedPublish, ShadowUpdate
from harness.trial.facts import ActionEffect, Attempt, Control, Facts, Sort, Stage
from harness.trial.judge import judge
from harness.trial.judgement import How, Judgement, Sentence
from harness.trial.not_connected import NotConnected, NothingAllowed
from harness.trial.rest import RestTrials
from harness.trial.runner import TrialContext, Trials
from harness.trial.service_answer import ServiceAnswer
from harness.trial.sham import AllowedTopics
from harness.trial.triggers import (
    DesiredChanges,
    DeviceAsks,
    DeviceReports,
    DeviceSends,
    ObserverSends,
    Sending,
    Trigger,
)
from harness.trial.verdict import LAB_OUTCOMES, Outcome, Unproved, Verdict, WrongVerdict
from harness.trial.wire.group_verdict import Shared

__all__ = [
    "LAB_OUTCOMES",
    "ActionEffect",
    "AllowedAction",
    "AllowedTopics",
    "Attempt",
    "Control",
    "DesiredChanges",
    "DeviceAsks",
    "DeviceReports",
    "DeviceSends",
    "Facts",
    "How",
    "Judgement",
    "MqttConnection",
    "NotConnected",
    "NothingAllowed",
    "ObservedDelivery",
    "ObservedPublish",
    "ObserverSends",
    "Outcome",
    "PacketAction",
    "PublishAction",
    "RestTrials",
    "Sending",
    "Sentence",
    "ServiceAnswer",
    "ServiceRequest",
    "ShadowUpdate",
    "Shared",
    "Sort",
    "Stage",
    "SubscribeAction",
    "TrialContext",
    "Trials",
    "Trigger",
    "Unproved",
    "Verdict",
    "Witness",
    "WrongVerdict",
    "facts_of",
    "judge",
    "nonce",
]
