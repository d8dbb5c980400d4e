"""LTE gateways: a gateway may use its gateway topics; any other device is disconnected there."""

from __future__ import annotations

import json

import pytest

from harness.policy.evaluation.membership import Membership
from harness.trial import Outcome
from tests.scenarios.expected import allowed, forbidden, hear, publish, subscribe


def event_of(gateway_id: str) -> bytes:
    """An event as nRF Cloud's gateways send them."""
    content = {"type": "event", "gatewayId": gateway_id, "event": {"type": "harness", "id": "%NONCE%"}, "messageId": 1}
    return json.dumps(content).encode()


class TestGateway:
    @pytest.fixture
    def membership(self):
        return Membership.GATEWAY

    def test_event_to_the_cloud(self, board, trial, topics, seen_by_observer):
        topic = topics.team(f"gateways/{topics.device_id}/g2c")
        allowed(board, publish(topic))
        trial.publish(topic, event_of(topics.device_id), witness=seen_by_observer).expect(Outcome.TOLERATED)

    def test_operation_from_the_cloud(self, board, trial, topics, observer_sends):
        topic = topics.team(f"gateways/{topics.device_id}/c2g")
        allowed(board, hear(topic))
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)

    @pytest.mark.violation
    def test_violation_event_of_another_gateway(self, board, trial, topics, seen_by_observer):
        other = f"{topics.device_id}-x"
        topic = topics.team(f"gateways/{other}/g2c")
        forbidden(board, publish(topic))
        trial.publish(topic, event_of(other), witness=seen_by_observer).expect(Outcome.POLICY_DISCONNECT)


@pytest.mark.violation
class TestNoGateway:
    def test_violation_event_to_the_cloud(self, board, trial, topics, seen_by_observer):
        topic = topics.team(f"gateways/{topics.device_id}/g2c")
        forbidden(board, publish(topic))
        trial.publish(topic, event_of(topics.device_id), witness=seen_by_observer).expect(Outcome.POLICY_DISCONNECT)

    def test_violation_operation_from_the_cloud(self, board, trial, topics, observer_sends):
        topic = topics.team(f"gateways/{topics.device_id}/c2g")
        forbidden(board, subscribe(topic))
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.POLICY_DISCONNECT)
