"""A device that is taken out of its team, and the same device after it is back: rights change with a connection."""

from __future__ import annotations

import pytest

from harness.policy.subject import Kind
from harness.trial import Outcome


@pytest.fixture
def restored(board, provisioned):
    """Take the device out of its team and bring it back; the next connection has the rights again."""
    board.be(Kind.PROVISIONED)
    board.be(Kind.ASSOCIATED)


class TestRemovedAssociation:
    @pytest.fixture
    def trial(self, board, provisioned, device, trial_recorder):
        """Trials on the device while it is in no team; it is brought back afterwards."""
        board.be(Kind.PROVISIONED)
        yield board.trials(trial_recorder)
        board.be(Kind.ASSOCIATED)

    @pytest.mark.violation
    def test_violation_publish_on_a_team_topic(self, trial, topics, seen_by_observer):
        topic = topics.team(f"m/d/{topics.device_id}/d2c")
        trial.publish(topic, witness=seen_by_observer).expect(Outcome.POLICY_DISCONNECT)

    @pytest.mark.violation
    def test_violation_subscribe_to_a_team_topic(self, trial, topics):
        trial.subscribe(topics.team(f"m/d/{topics.device_id}/c2d"), trigger=None).expect(Outcome.POLICY_DISCONNECT)

    def test_own_shadow_still_works(self, trial, topics, subscribed, seen_by_device):
        subscribed(f"{topics.shadow}/get/accepted")
        trial.publish(f"{topics.shadow}/get", b'{"clientToken":"%NONCE%"}', witness=seen_by_device).expect(
            Outcome.TOLERATED
        )


@pytest.mark.usefixtures("restored")
class TestRestoredAssociation:
    def test_publish_on_a_team_topic_works_again(self, trial, topics, seen_by_observer):
        topic = topics.team(f"m/d/{topics.device_id}/d2c")
        trial.publish(topic, witness=seen_by_observer).expect(Outcome.TOLERATED)

    def test_subscribe_to_a_team_topic_works_again(self, trial, topics, observer_sends):
        topic = topics.team(f"m/d/{topics.device_id}/c2d")
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)
