"""Each family of topic filters that the provisioned and the associated policy allow, proved by a received message."""

from __future__ import annotations

from harness.trial import Outcome
from tests.scenarios.expected import allowed, hear, publish, subscribe


class TestProvisionedPolicy:
    def test_own_shadow_get(self, board, trial, topics, asks_for_shadow):
        topic = f"{topics.shadow}/get/accepted"
        allowed(board, publish(f"{topics.shadow}/get"), hear(topic))
        trial.subscribe(topic, trigger=asks_for_shadow).expect(Outcome.TOLERATED)

    def test_own_shadow_get_wildcard(self, board, trial, topics, asks_for_shadow):
        topic_filter = f"{topics.shadow}/get/#"
        allowed(board, publish(f"{topics.shadow}/get"), subscribe(topic_filter), hear(f"{topics.shadow}/get/accepted"))
        trial.subscribe(topic_filter, trigger=asks_for_shadow).expect(Outcome.TOLERATED)

    def test_own_shadow_update(self, board, trial, topics, desired_changes):
        topic = f"{topics.shadow}/update/delta"
        allowed(board, hear(topic))
        trial.subscribe(topic, trigger=desired_changes).expect(Outcome.TOLERATED)

    def test_trimmed_shadow_get(self, board, trial, topics, asks_for_shadow):
        topic = f"{topics.device_id}/shadow/get/accepted"
        allowed(board, publish(f"{topics.shadow}/get"), hear(topic))
        trial.subscribe(topic, trigger=asks_for_shadow).expect(Outcome.TOLERATED)

    def test_trimmed_shadow_update(self, board, trial, topics, desired_changes):
        topic = f"{topics.device_id}/shadow/update/delta"
        allowed(board, hear(topic))
        trial.subscribe(topic, trigger=desired_changes).expect(Outcome.TOLERATED)

    def test_own_jobs(self, board, trial, topics):
        # AWS IoT sends job answers to whoever asked, subscribed or not, and notify-next needs a job: no trigger.
        topic = f"{topics.jobs}/notify-next"
        allowed(board, subscribe(topic))
        trial.subscribe(topic, trigger=None).expect(Outcome.TOLERATED)


class TestAssociatedPolicy:
    def test_team_messages(self, board, trial, topics, observer_sends):
        topic = topics.team(f"m/d/{topics.device_id}/c2d")
        allowed(board, hear(topic))
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)

    def test_team_messages_wildcard(self, board, trial, topics, observer_sends):
        topic, topic_filter = topics.team(f"m/d/{topics.device_id}/c2d/r"), topics.team(f"m/d/{topics.device_id}/+/r")
        allowed(board, subscribe(topic_filter), hear(topic))
        trial.subscribe(topic_filter, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)

    def test_account_topics(self, board, trial, topics, observer_sends):
        topic = topics.team("a/harness")
        allowed(board, hear(topic))
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)

    def test_fota_jobs(self, board, trial, topics, observer_sends):
        topic = topics.team(f"{topics.device_id}/jobs/rcv")
        allowed(board, hear(topic))
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)

    def test_ble_fota_jobs(self, board, trial, topics, observer_sends):
        topic = topics.team(f"{topics.device_id}/jobs/ble/rcv")
        allowed(board, hear(topic))
        trial.subscribe(topic, trigger=observer_sends(topic)).expect(Outcome.TOLERATED)
