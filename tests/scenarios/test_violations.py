"""What the policies do not allow: the board is hung up on, and it is proved that the policy was the reason."""

from __future__ import annotations

import pytest

from harness.trial import Outcome

pytestmark = pytest.mark.violation

_UPDATE = b'{"state":{"reported":{"harness":"%NONCE%"}}}'


class TestPublish:
    def test_update_of_another_devices_shadow(self, trial, bystander):
        topic = f"$aws/things/{bystander.device_id}/shadow/update"
        trial.publish(topic, _UPDATE, witness=bystander.touched).expect(Outcome.POLICY_DISCONNECT)

    def test_delete_of_the_own_shadow(self, trial, topics):
        trial.publish(f"{topics.shadow}/delete", b"{}", witness=None).expect(Outcome.POLICY_DISCONNECT)

    def test_foreign_tenant(self, trial, topics):
        topic = topics.foreign(f"m/d/{topics.device_id}/d2c")
        trial.publish(topic, witness=None).expect(Outcome.POLICY_DISCONNECT)

    def test_subscribe_only_topic(self, trial, topics, seen_by_observer):
        trial.publish(topics.team("a/harness"), witness=seen_by_observer).expect(Outcome.POLICY_DISCONNECT)

    def test_trimmed_shadow_topic(self, trial, topics):
        """The page allows subscribing there; publishing is what current firmware wants, and the page does not grant."""
        trial.publish(f"{topics.device_id}/shadow/update", _UPDATE, witness=None).expect(Outcome.POLICY_DISCONNECT)

    def test_retained_message(self, trial, topics, seen_by_observer):
        topic = topics.team(f"m/d/{topics.device_id}/d2c")
        trial.publish(topic, retain=True, witness=seen_by_observer).expect(Outcome.POLICY_DISCONNECT)

    def test_quality_of_service_0(self, trial, topics, seen_by_observer):
        """No acknowledgement could be missing here: only the hang-up tells."""
        trial.publish(topics.team("a/harness"), qos=0, witness=seen_by_observer).expect(Outcome.POLICY_DISCONNECT)


class TestSubscribe:
    def test_another_devices_shadow(self, trial, bystander):
        trial.subscribe(f"$aws/things/{bystander.device_id}/shadow/update/delta", trigger=None).expect(
            Outcome.POLICY_DISCONNECT
        )

    def test_foreign_tenant(self, trial, topics):
        trial.subscribe(topics.foreign("m/#"), trigger=None).expect(Outcome.POLICY_DISCONNECT)

    def test_one_level_too_high(self, trial, topics, observer_sends):
        trigger = observer_sends(topics.team("harness"))
        trial.subscribe(topics.team("#"), trigger=trigger).expect(Outcome.POLICY_DISCONNECT)

    def test_whole_shadow(self, trial, topics, desired_changes):
        trial.subscribe(f"{topics.shadow}/#", trigger=desired_changes).expect(Outcome.POLICY_DISCONNECT)

    def test_publish_only_topic(self, trial, topics):
        trial.subscribe(f"{topics.shadow}/get", trigger=None).expect(Outcome.POLICY_DISCONNECT)

    def test_everything(self, trial, topics, observer_sends):
        trial.subscribe("#", trigger=observer_sends(topics.team("harness"))).expect(Outcome.POLICY_DISCONNECT)
