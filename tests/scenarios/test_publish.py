"""Each family of topics that the provisioned and the associated policy allow to publish on, proved by its effect."""

from __future__ import annotations

from harness.trial import Outcome
from tests.scenarios.expected import allowed, hear, publish

_TOKEN = b'{"clientToken":"%NONCE%"}'


class TestProvisionedPolicy:
    def test_shadow_get(self, board, trial, topics, subscribed, seen_by_device):
        topic, answer = f"{topics.shadow}/get", f"{topics.shadow}/get/accepted"
        allowed(board, publish(topic), hear(answer))
        subscribed(answer)
        trial.publish(topic, _TOKEN, witness=seen_by_device).expect(Outcome.TOLERATED)

    def test_shadow_update(self, board, trial, topics, reported_in_state):
        topic = f"{topics.shadow}/update"
        allowed(board, publish(topic))
        payload = b'{"state":{"reported":{"harness":{"token":"%NONCE%"}}}}'
        trial.publish(topic, payload, witness=reported_in_state).expect(Outcome.TOLERATED)

    def test_jobs_get(self, board, trial, topics, seen_by_device):
        topic = f"{topics.jobs}/get"
        allowed(board, publish(topic))
        trial.publish(topic, _TOKEN, witness=seen_by_device).expect(Outcome.TOLERATED)


class TestAssociatedPolicy:
    def test_device_message(self, board, trial, topics, seen_by_observer):
        topic = topics.team(f"m/d/{topics.device_id}/d2c")
        allowed(board, publish(topic))
        trial.publish(topic, witness=seen_by_observer).expect(Outcome.TOLERATED)

    def test_device_message_in_data_mode(self, board, trial, topics, seen_by_observer):
        """A payload with quotes, commas and line ends, larger than a command takes."""
        payload = b'{"appId":"HARNESS","messageType":"DATA",\r\n"data":"%NONCE% ' + b"x" * 1500 + b'"}'
        topic = topics.team(f"m/d/{topics.device_id}/d2c")
        allowed(board, publish(topic))
        trial.publish(topic, payload, witness=seen_by_observer).expect(Outcome.TOLERATED)

    def test_message_of_another_device_of_the_team(self, board, trial, topics, seen_by_observer):
        """The page's policy allows every m/ topic of the team, not only the device's own."""
        topic = topics.team("m/d/another-device/d2c")
        allowed(board, publish(topic))
        trial.publish(topic, witness=seen_by_observer).expect(Outcome.TOLERATED)

    def test_fota_job_update(self, board, trial, topics, seen_by_observer):
        topic = topics.team(f"{topics.device_id}/jobs/harness")
        allowed(board, publish(topic))
        trial.publish(topic, witness=seen_by_observer).expect(Outcome.TOLERATED)

    def test_ble_fota_job_update(self, board, trial, topics, seen_by_observer):
        topic = topics.team(f"{topics.device_id}/jobs/ble/harness")
        allowed(board, publish(topic))
        trial.publish(topic, witness=seen_by_observer).expect(Outcome.TOLERATED)
