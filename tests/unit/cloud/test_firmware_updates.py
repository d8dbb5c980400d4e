"""Firmware bundles and update jobs: what is sent, and that our own are deleted and nobody else's."""

import base64
import re

import pytest

from harness.cloud import NotOurs, RestError, StillPending
from tests.unit.cloud.fake_rest import Reply

GONE = Reply(404, {"code": 40410, "message": "no"})
DONE = Reply(202)
BUNDLE = "APP*1a2b3c4d*7.7.7"
OURS = {"bundleId": BUNDLE, "version": "7.7.7"}
OTHERS = {"bundleId": "APP*00000000*1", "version": "1"}
DELETE_BUNDLE = "DELETE /firmwares/APP%2A1a2b3c4d%2A7.7.7"


def bundles(*items, **more):
    return Reply(200, {"items": list(items), **more})


@pytest.fixture
def updates(cloud):
    return cloud.updates


@pytest.fixture
def job_id(cloud, rest, updates):
    rest.on("POST /fota-jobs", Reply(201, {"jobId": "job-1"}))
    cloud.made.add("dev-1")
    return updates.create_job("dev-1", BUNDLE, name="harness")


@pytest.fixture
def bundle_id(rest, updates):
    rest.on("POST /firmwares", Reply(202, {"uris": ["https://firmware.nrfcloud.com/x"]}))
    rest.on("GET /firmwares", bundles(OTHERS), bundles(OTHERS, pageNextToken="t"), bundles(OURS))
    return updates.upload_bundle(b"PK", "7.7.7")


def test_a_job_is_made_for_a_device_of_ours(updates, rest, job_id):
    assert job_id == "job-1"
    sent = rest.asked[0].json
    name = sent.pop("name")
    assert sent == {"bundleId": BUNDLE, "deviceIds": ["dev-1"]}
    assert re.fullmatch(r"harness [0-9a-f]{16}", name)
    with pytest.raises(NotOurs, match="dev-2"):
        updates.create_job("dev-2", BUNDLE, name="harness")


def test_a_job_whose_id_was_never_heard_is_found_by_its_name(cloud, rest):
    cloud.made.add("dev-1")
    rest.on("POST /fota-jobs", Reply(201, {"torn": True}))
    with pytest.raises(RestError, match="jobId"):
        cloud.updates.create_job("dev-1", BUNDLE, name="harness")
    mine = {"jobId": "job-1", "name": rest.asked[0].json["name"]}
    rest.on("GET /fota-jobs", Reply(200, {"items": [{"jobId": "job-2", "name": "harness"}, mine]}))
    rest.on("DELETE /fota-jobs/job-1", DONE)
    rest.on("GET /fota-jobs/job-1", GONE)
    rest.on("DELETE /devices/dev-1", DONE)
    assert cloud.delete_all_made() == []
    assert [call for call in rest.calls() if "DELETE" in call] == ["DELETE /fota-jobs/job-1", "DELETE /devices/dev-1"]
    assert cloud.updates.made_jobs == set()


def test_a_status_is_waited_for(updates, rest, job_id):
    path = "GET /fota-job-executions/dev-1/job-1"
    rest.on(path, Reply(200, {"status": "QUEUED"}), Reply(200, {"status": "SUCCEEDED"}))
    assert updates.wait_status("dev-1", job_id, "SUCCEEDED", timeout=5.0) == {"status": "SUCCEEDED"}
    with pytest.raises(StillPending, match="job-1 to be FAILED"):
        updates.wait_status("dev-1", job_id, "FAILED", timeout=0.0)


def test_a_job_is_deleted_when_it_is_gone(updates, rest, job_id):
    rest.on("DELETE /fota-jobs/job-1", DONE)
    rest.on("GET /fota-jobs/job-1", Reply(200, {"status": "DELETION_IN_PROGRESS"}), GONE)
    assert updates.delete_job(job_id)
    assert rest.calls()[1:] == ["DELETE /fota-jobs/job-1", "GET /fota-jobs/job-1", "GET /fota-jobs/job-1"]
    with pytest.raises(NotOurs, match="job-1"):
        updates.delete_job(job_id)


def test_a_bundle_is_found_by_its_version(updates, rest, bundle_id):
    assert bundle_id == BUNDLE
    (post,) = (asked for asked in rest.asked if asked.method == "POST")
    assert (post.body, post.headers["Content-Type"]) == (base64.b64encode(b"PK"), "text/plain")
    rest.on(DELETE_BUNDLE, DONE)
    assert updates.delete_bundle(BUNDLE)
    with pytest.raises(NotOurs):
        updates.delete_bundle(BUNDLE)


def test_a_version_that_the_account_has_is_not_taken_for_ours(cloud, rest):
    rest.on("GET /firmwares", bundles(OURS))
    with pytest.raises(NotOurs, match=r"version 7\.7\.7 is in the account already"):
        cloud.updates.upload_bundle(b"PK", "7.7.7")
    assert cloud.delete_all_made() == []
    assert rest.calls() == ["GET /firmwares?pageLimit=100"]


def test_a_bundle_that_appears_late_is_deleted_at_the_end(cloud, rest):
    rest.on("POST /firmwares", Reply(202, {"uris": []}))
    rest.on("GET /firmwares", bundles(), bundles(OTHERS), bundles(OTHERS, OURS))
    with pytest.raises(StillPending, match=r"bundle 7\.7\.7 to be in the account"):
        cloud.updates.upload_bundle(b"PK", "7.7.7", timeout=0.0)
    rest.on(DELETE_BUNDLE, DONE)
    assert cloud.delete_all_made() == []
    assert rest.calls()[-1] == DELETE_BUNDLE


def test_a_bundle_that_was_refused_leaves_nothing_to_delete(cloud, rest):
    rest.on("GET /firmwares", bundles(OTHERS))
    rest.on("POST /firmwares", Reply(422, {"code": 42200, "message": "fwversion is required"}))
    with pytest.raises(RestError, match="fwversion is required"):
        cloud.updates.upload_bundle(b"PK", "7.7.7")
    assert cloud.delete_all_made() == []
    assert not [call for call in rest.calls() if call.startswith("DELETE")]


def test_what_a_test_left_is_deleted_in_an_order_that_works(cloud, rest, bundle_id, job_id):
    rest.on("DELETE /fota-jobs/job-1", DONE)
    rest.on(DELETE_BUNDLE, Reply(403, {"code": 40100}))
    rest.on("DELETE /devices/dev-1", DONE)
    (left,) = cloud.delete_all_made()
    assert left.startswith(f"{BUNDLE} is still in the account")
    deleted = [call for call in rest.calls() if call.startswith("DELETE")]
    assert deleted == ["DELETE /fota-jobs/job-1", DELETE_BUNDLE, "DELETE /devices/dev-1"]
    assert (cloud.updates.made_jobs, cloud.updates.made_bundles) == (set(), {BUNDLE})
