"""Each family of topic filters that the provisioned and the associated policy allow, proved by a received message."""

from __future__ import annotations

from harness.trial import Outcome


class TestProvisionedPolicy:
    def test_own_shadow_get(self, trial, topics, asks_for_shadow):
        trial.subscribe(f"{topics.shadow}/get/accepted", trigger=asks_for_shadow).expect(Outcome.TOLERATED)

    def test_own_shadow_get_wildcard(self, trial, topics, asks_for_shadow):
        trial.subscribe(f"{topics.shadow}/get/#", trigger=asks_for_shadow).expect(Outcome.TOLERATED)

    def test_own_shadow_update(self, trial, topics, desired_changes):
        trial.subscribe(f"{topics.shadow}/update/delta", trigger=desired_changes).expect(Outcome.TOLERATED)

    def test_trimmed_shadow_get(self, trial, topics, asks_for_shadow):
        trial.subscribe(f"{topics.device_id}/shadow/get/accepted", trigger=asks_for_shadow).expect(Outcome.TOLERATED)

    def test_trimmed_shadow_update(self, trial, topics, desired_changes):
        trial.subscribe(f"{topics.device_id}/shadow/update/delta", trigger=desired_changes).expect(Outcome.TOLERATED)

    def test_own_jobs(self, trial, topics):
        # AWS IoT sends job answers to whoever asked, subscribed or not, and notify-next needs a job: no trigger.
        trial.subscribe(f"{topics.jobs}/notify-next", trigger=None).expect(Outcome.TOLERATED)


class TestAssociatedPolicy:
    def test_team_messages(self, trial, topics, observer_sends):
        topic = topics.team(f"m/d/{topics.device_id}/c2d")
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)

    def test_team_messages_wildcard(self, trial, topics, observer_sends):
        topic = topics.team(f"m/d/{topics.device_id}/c2d/r")
        trial.subscribe(topics.team(f"m/d/{topics.device_id}/+/r"), trigger=observer_sends(topic)).expect(
            Outcome.TOLERATED
        )

    def test_account_topics(self, trial, topics, observer_sends):
        topic = topics.team("a/harness")
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)

    def test_fota_jobs(self, trial, topics, observer_sends):
        topic = topics.team(f"{topics.device_id}/jobs/rcv")
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)

    def test_ble_fota_jobs(self, trial, topics, observer_sends):
        topic = topics.team(f"{topics.device_id}/jobs/ble/rcv")
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)
