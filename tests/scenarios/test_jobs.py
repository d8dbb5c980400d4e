"""Firmware updates over MQTT, from the offer to the end. No firmware is sent: the board only reports how it went.

Firmware uses nRF Cloud's own topics below the team's prefix; AWS IoT's jobs topics are allowed too.
"""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from harness.cloud import StillPending
from harness.trial import Outcome, nonce
from tests.scenarios.answers import Answers
from tests.scenarios.expected import allowed, hear, publish

APP = 0  # nRF Connect SDK's number of the type
IN_PROGRESS, SUCCEEDED, REJECTED, DOWNLOADING = 1, 3, 6, 7
_TOKEN = b'{"clientToken":"%NONCE%"}'


def bundle_of(version: str) -> bytes:
    """A firmware bundle as nRF Cloud takes it, with a few bytes in place of firmware."""
    image, content = "harness.bin", b"nRF91 harness: no firmware"
    manifest = {
        "name": "nrf91-harness",
        "fwversion": version,
        "format-version": 1,
        "files": [{"file": image, "type": "application", "size": len(content)}],
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr(image, content)
    return packed.getvalue()


@pytest.fixture
def bundle_id(cloud):
    version = f"harness-{nonce()}"
    bundle_id = cloud.updates.upload_bundle(bundle_of(version), version)
    yield bundle_id
    cloud.updates.delete_bundle(bundle_id)


@pytest.fixture
def make_job(cloud, provisioned, bundle_id):
    """Offer the board's device a firmware update and return the job's id; the job is deleted afterwards."""
    device_id, made = provisioned.device_id, []

    def make() -> str:
        made.append(cloud.updates.create_job(device_id, bundle_id, name="nrf91-harness"))
        return made[-1]

    # nRF Cloud offers updates to devices that have reported what they can take.
    cloud.patch_state(device_id, reported={"device": {"serviceInfo": {"fota_v2": ["APP"]}}})
    yield make
    for job_id in made:
        cloud.updates.delete_job(job_id)
    cloud.patch_state(device_id, reported={"device": {"serviceInfo": {"fota_v2": None}}})


class TestUpdates:
    @pytest.fixture
    def report(self, trial, topics, cloud):
        """Report a status; REST must show it."""

        def check(job_id: str, number: int, detail: str | int, shown: str) -> None:
            def witness(_token: str, timeout: float) -> bool:
                try:
                    cloud.updates.wait_status(topics.device_id, job_id, shown, timeout=timeout)
                except StillPending:
                    return False
                return True

            payload = json.dumps([job_id, number, detail]).encode()
            topic = topics.team(f"{topics.device_id}/jobs/update")
            trial.publish(topic, payload, witness=witness).expect(Outcome.TOLERATED)

        return check

    def test_from_offer_to_success(self, board, trial, topics, device, subscribed, cloud, make_job, report):
        req, rcv, update = (topics.team(f"{topics.device_id}/jobs/{leaf}") for leaf in ("req", "rcv", "update"))
        allowed(board, publish(req), hear(rcv), publish(update))
        subscribed(rcv)
        job_id = make_job()
        # UNCONFIRMED: is a new update also sent unasked?
        offer = Answers(device, {rcv: job_id})
        trial.publish(req, b'[""]', witness=offer).expect(Outcome.TOLERATED)
        offered, kind, size, host, path = offer[rcv]
        assert (offered, kind) == (job_id, APP)
        assert size > 0
        assert host
        assert path

        report(job_id, DOWNLOADING, 42, "DOWNLOADING")
        report(job_id, IN_PROGRESS, "", "IN_PROGRESS")
        report(job_id, SUCCEEDED, "", "SUCCEEDED")
        # UNCONFIRMED: when is a job over whose last device is done?
        assert (cloud.updates.job(job_id) or {})["status"] in ("IN_PROGRESS", "COMPLETED")

    def test_refused_by_the_device(self, board, topics, make_job, report):
        allowed(board, publish(topics.team(f"{topics.device_id}/jobs/update")))
        report(make_job(), REJECTED, "FOTA type not supported", "REJECTED")


class TestAwsJobs:
    def test_update_as_aws_iot_shows_it(self, board, trial, topics, device, subscribed, make_job, evidence):
        get, start, notify = (f"{topics.jobs}/{leaf}" for leaf in ("get", "start-next", "notify-next"))
        allowed(board, publish(get), publish(start), publish(f"{topics.jobs}/any/update"), hear(notify))
        subscribed(notify)
        mark, job_id = device.mark(), make_job()

        # Told once for each job, so a trial, which repeats what it sends, cannot ask for it.
        named = job_id.encode()
        told = device.wait(lambda event: event.topic == notify and named in event.payload, since=mark, timeout=5.0)

        def ask(topic: str, payload: bytes = _TOKEN):
            answers = Answers(device, {f"{topic}/accepted": "%NONCE%"}, since=mark)
            trial.publish(topic, payload, witness=answers).expect(Outcome.TOLERATED)
            return answers[f"{topic}/accepted"]

        if job_id not in [job["jobId"] for job in ask(get)["queuedJobs"]]:
            # UNCONFIRMED whether nRF Cloud's updates can be seen so; its firmware does not ask.
            evidence("AWS IoT answered, and does not show nRF Cloud's updates.")
            return
        evidence(f"{notify} {'told' if told else 'did not tell'} of the update.")
        execution = ask(start)["execution"]
        assert (execution["jobId"], execution["status"]) == (job_id, "IN_PROGRESS")
        ask(f"{topics.jobs}/{job_id}/update", b'{"status":"SUCCEEDED","clientToken":"%NONCE%"}')
        assert job_id not in json.dumps(ask(get))

    def test_unknown_job_is_rejected(self, board, trial, topics, device):
        topic = f"{topics.jobs}/{nonce()}/get"
        allowed(board, publish(topic))
        refusal = Answers(device, {f"{topic}/rejected": "%NONCE%"})
        trial.publish(topic, _TOKEN, witness=refusal).expect(Outcome.TOLERATED)
        assert refusal[f"{topic}/rejected"]["code"] == "ResourceNotFound"
