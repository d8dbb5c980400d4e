"""Actions that the policies forbid: the board is disconnected, and it is proved that the policy was the reason."""

from __future__ import annotations

import pytest

from harness.policy_trials.trials import clear_retained
from harness.trial import Outcome
from tests.scenarios.expected import forbidden, publish, subscribe

pytestmark = pytest.mark.violation

_UPDATE = b'{"state":{"reported":{"harness":"%NONCE%"}}}'


class TestPublish:
    def test_update_of_another_devices_shadow(self, board, trial, bystander):
        topic = f"$aws/things/{bystander.device_id}/shadow/update"
        forbidden(board, publish(topic))
        trial.publish(topic, _UPDATE, witness=bystander.touched).expect(Outcome.POLICY_DISCONNECT)

    def test_delete_of_the_own_shadow(self, board, trial, topics):
        topic = f"{topics.shadow}/delete"
        forbidden(board, publish(topic))
        trial.publish(topic, b"{}", witness=None).expect(Outcome.POLICY_DISCONNECT)

    def test_foreign_tenant(self, board, trial, topics):
        topic = topics.foreign(f"m/d/{topics.device_id}/d2c")
        forbidden(board, publish(topic))
        trial.publish(topic, witness=None).expect(Outcome.POLICY_DISCONNECT)

    def test_subscribe_only_topic(self, board, trial, topics, seen_by_observer):
        topic = topics.team("a/harness")
        forbidden(board, publish(topic))
        trial.publish(topic, witness=seen_by_observer).expect(Outcome.POLICY_DISCONNECT)

    def test_trimmed_shadow_topic(self, board, trial, topics):
        """The page allows subscribing there. Current firmware wants to publish there, which the page does not grant."""
        topic = f"{topics.device_id}/shadow/update"
        forbidden(board, publish(topic))
        trial.publish(topic, _UPDATE, witness=None).expect(Outcome.POLICY_DISCONNECT)

    def test_retained_message(self, board, trial, topics, seen_by_observer):
        topic = topics.team(f"m/d/{topics.device_id}/d2c")
        forbidden(board, publish(topic, retain=True))
        verdict = trial.publish(topic, retain=True, witness=seen_by_observer)
        clear_retained(board, topic, verdict)
        verdict.expect(Outcome.POLICY_DISCONNECT)

    def test_quality_of_service_0(self, board, trial, topics, seen_by_observer):
        """QoS 0 has no acknowledgement that could be missing: only the hang-up tells."""
        topic = topics.team("a/harness")
        forbidden(board, publish(topic))
        trial.publish(topic, qos=0, witness=seen_by_observer).expect(Outcome.POLICY_DISCONNECT)


class TestSubscribe:
    def test_another_devices_shadow(self, board, trial, bystander):
        topic = f"$aws/things/{bystander.device_id}/shadow/update/delta"
        forbidden(board, subscribe(topic))
        trial.subscribe(topic, trigger=None).expect(Outcome.POLICY_DISCONNECT)

    def test_foreign_tenant(self, board, trial, topics):
        topic_filter = topics.foreign("m/#")
        forbidden(board, subscribe(topic_filter))
        trial.subscribe(topic_filter, trigger=None).expect(Outcome.POLICY_DISCONNECT)

    def test_one_level_too_high(self, board, trial, topics, observer_sends):
        topic_filter = topics.team("#")
        forbidden(board, subscribe(topic_filter))
        trigger = observer_sends(topics.team("harness"))
        trial.subscribe(topic_filter, trigger=trigger).expect(Outcome.POLICY_DISCONNECT)

    def test_whole_shadow(self, board, trial, topics, desired_changes):
        topic_filter = f"{topics.shadow}/#"
        forbidden(board, subscribe(topic_filter))
        trial.subscribe(topic_filter, trigger=desired_changes).expect(Outcome.POLICY_DISCONNECT)

    def test_publish_only_topic(self, board, trial, topics):
        topic = f"{topics.shadow}/get"
        forbidden(board, subscribe(topic))
        trial.subscribe(topic, trigger=None).expect(Outcome.POLICY_DISCONNECT)

    def test_everything(self, board, trial, topics, observer_sends):
        forbidden(board, subscribe("#"))
        trial.subscribe("#", trigger=observer_sends(topics.team("harness"))).expect(Outcome.POLICY_DISCONNECT)
