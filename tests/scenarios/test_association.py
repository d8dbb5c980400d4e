"""A device is taken out of its team and brought back: its rights change with the next connection."""

from __future__ import annotations

import pytest

from harness.policy.evaluation.membership import Membership
from harness.trial import Outcome
from tests.scenarios.expected import allowed, forbidden, hear, publish, subscribe


@pytest.fixture
def restored(board, provisioned):
    """Take the device out of its team and bring it back; the next connection has the rights again."""
    reason = board.device.cannot_be(Membership.PROVISIONED)
    if reason is not None:
        pytest.skip(reason)
    board.be(Membership.PROVISIONED)
    board.be(Membership.ASSOCIATED)


class TestRemovedAssociation:
    @pytest.fixture
    def membership(self):
        return Membership.PROVISIONED

    @pytest.fixture(autouse=True)
    def framed(self, device, board, topics):
        """Outside every team the only allowed action around a trial is an update of the own shadow."""
        allowed(board, publish(f"{topics.shadow}/update"), hear(f"{topics.shadow}/update/accepted"))

    @pytest.mark.violation
    def test_violation_publish_on_a_team_topic(self, board, trial, topics, seen_by_observer):
        topic = topics.team(f"m/d/{topics.device_id}/d2c")
        forbidden(board, publish(topic))
        trial.publish(topic, witness=seen_by_observer).expect(Outcome.POLICY_DISCONNECT)

    @pytest.mark.violation
    def test_violation_subscribe_to_a_team_topic(self, board, trial, topics):
        topic = topics.team(f"m/d/{topics.device_id}/c2d")
        forbidden(board, subscribe(topic))
        trial.subscribe(topic, trigger=None).expect(Outcome.POLICY_DISCONNECT)

    def test_own_shadow_still_works(self, board, trial, topics, subscribed, seen_by_device):
        topic, answer = f"{topics.shadow}/get", f"{topics.shadow}/get/accepted"
        allowed(board, publish(topic), hear(answer))
        subscribed(answer)
        trial.publish(topic, b'{"clientToken":"%NONCE%"}', witness=seen_by_device).expect(Outcome.TOLERATED)


@pytest.mark.usefixtures("restored")
class TestRestoredAssociation:
    def test_publish_on_a_team_topic_works_again(self, board, trial, topics, seen_by_observer):
        topic = topics.team(f"m/d/{topics.device_id}/d2c")
        allowed(board, publish(topic))
        trial.publish(topic, witness=seen_by_observer).expect(Outcome.TOLERATED)

    def test_subscribe_to_a_team_topic_works_again(self, board, trial, topics, observer_sends):
        topic = topics.team(f"m/d/{topics.device_id}/c2d")
        allowed(board, hear(topic))
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)
