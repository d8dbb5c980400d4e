"""Firmware update jobs: which execution is a device's next, and when a job is over."""

from datetime import timedelta

import pytest

from harness.virtual.cloud.services.fota import (
    ExecutionStatus,
    FotaConflict,
    FotaJobs,
    JobStatus,
    show_execution,
    show_job,
)

from .cloud_makers import NOON, make_bundle

BUNDLE = make_bundle("MDM_FULL", "mfw_nrf91x1_2.0.2")
BUNDLE_ID = "MDM_FULL*1a2b3c4d*mfw_nrf91x1_2.0.2"


class Clock:
    seconds = 0

    def __call__(self):
        return NOON + timedelta(seconds=self.seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def jobs(clock):
    return FotaJobs(clock)


def report(jobs, job, device_id, status, detail=None):
    jobs.update(job, job.executions[device_id], status, detail)


def test_an_execution_as_shown(jobs, clock):
    job = jobs.create(BUNDLE, ["a"])
    clock.seconds = 5
    report(jobs, job, "a", ExecutionStatus.DOWNLOADING, "42 %")
    current = jobs.current("a")
    assert current is not None
    job, execution = current
    assert show_execution(job, execution, "team") == {
        "tenantId": "team",
        "status": "DOWNLOADING",
        "statusDetail": "42 %",
        "executionId": job.executions["a"].execution_id,
        "jobId": job.job_id,
        "jobDocument": {
            "firmwareType": "MDM_FULL",
            "fileSize": 1000,
            "host": "firmware.nrfcloud.com",
            "path": f"team/{BUNDLE_ID}/app.bin",
            "version": "mfw_nrf91x1_2.0.2",
            "bundleId": BUNDLE_ID,
        },
        "createdAt": "2030-01-01T12:00:00.000Z",
        "deviceId": "a",
        "lastUpdatedAt": "2030-01-01T12:00:05.000Z",
    }


def test_a_job_as_shown(jobs):
    job = jobs.create(BUNDLE, ["a", "b", "c"], tags=["t"], name="n", description="d")
    report(jobs, job, "a", ExecutionStatus.IN_PROGRESS)
    report(jobs, job, "b", ExecutionStatus.TIMED_OUT)
    shown = show_job(job)
    assert shown["executionStats"] == {
        "queued": 1,
        "inProgress": 1,
        "downloading": 0,
        "failed": 0,
        "succeeded": 0,
        "timedOut": 1,
        "cancelled": 0,
        "rejected": 0,
        "removed": 0,
        "completedExecutions": 1,
        "executions": 3,
        "devices": 3,
    }
    assert (shown["name"], shown["description"], shown["status"]) == ("n", "d", "IN_PROGRESS")
    assert shown["target"] == {"deviceIds": ["a", "b", "c"], "tags": ["t"]}
    assert shown["firmware"] == {
        "firmwareType": "MDM_FULL",
        "fileSize": 1000,
        "host": "firmware.nrfcloud.com",
        "version": "mfw_nrf91x1_2.0.2",
        "bundleId": BUNDLE_ID,
        "uris": [f"team/{BUNDLE_ID}/app.bin"],
    }


def test_the_oldest_pending_execution_is_current(jobs):
    deferred = jobs.create(BUNDLE, ["a"], apply=False)
    first, second = jobs.create(BUNDLE, ["a"]), jobs.create(BUNDLE, ["a", "b"])
    jobs.apply(deferred)
    order = []
    while found := jobs.current("a"):
        order.append(found[0])
        report(jobs, found[0], "a", ExecutionStatus.SUCCEEDED)
    assert order == [first, second, deferred]
    assert jobs.current("b")[0] is second
    assert jobs.current("c") is None


@pytest.mark.parametrize("status", list(ExecutionStatus))
def test_what_is_done_stays_as_it_is(jobs, status):
    job = jobs.create(BUNDLE, ["a"])
    report(jobs, job, "a", status)
    pending = status in ("QUEUED", "IN_PROGRESS", "DOWNLOADING")
    assert (jobs.current("a") is not None) == pending
    assert job.status == (JobStatus.IN_PROGRESS if pending else JobStatus.COMPLETED)
    if not pending:
        with pytest.raises(FotaConflict, match=f"the execution is {status}"):
            report(jobs, job, "a", ExecutionStatus.QUEUED)


def test_a_job_is_complete_when_its_last_device_is_done(jobs):
    job = jobs.create(BUNDLE, ["a", "b"])
    report(jobs, job, "a", ExecutionStatus.SUCCEEDED)
    assert job.status is JobStatus.IN_PROGRESS
    report(jobs, job, "b", ExecutionStatus.FAILED, "no space")
    assert job.status is JobStatus.COMPLETED
    assert job.executions["b"].detail == "no space"


def test_cancelling_leaves_what_is_done(jobs):
    job = jobs.create(BUNDLE, ["a", "b"])
    report(jobs, job, "a", ExecutionStatus.SUCCEEDED)
    jobs.cancel(job)
    assert [execution.status for execution in job.executions.values()] == ["SUCCEEDED", "CANCELLED"]
    assert job.status is JobStatus.CANCELLED
    for change in (jobs.cancel, jobs.apply):
        with pytest.raises(FotaConflict, match="the job is CANCELLED"):
            change(job)


def test_a_deleted_device_has_no_updates(jobs):
    job = jobs.create(BUNDLE, ["a", "b"])
    jobs.forget("a")
    assert (jobs.current("a"), jobs.current("b")) == (None, (job, job.executions["b"]))
    stats = job.stats()
    assert (stats["removed"], stats["executions"]) == (1, 1)


def test_bundles_are_needed_until_the_job_is_over(jobs):
    bundle, other = make_bundle(), make_bundle(version="3.0.0")
    done, cancelled, deferred = (jobs.create(bundle, ["a"], apply=apply) for apply in (True, True, False))
    assert (jobs.need(bundle), jobs.need(other)) == (True, False)
    report(jobs, done, "a", ExecutionStatus.SUCCEEDED)
    jobs.cancel(cancelled)
    assert jobs.need(bundle)
    jobs.delete(deferred)
    assert not jobs.need(bundle)


def test_a_deleted_job_is_gone(jobs):
    job, other = jobs.create(BUNDLE, ["a"]), jobs.create(BUNDLE, ["a"])
    jobs.delete(job)
    assert jobs.jobs() == [other]
    assert jobs.job(job.job_id) is None
    assert [found for found, _ in jobs.executions("a")] == [other]


def test_reports_are_counted_and_the_start_is_kept(jobs, clock):
    execution = jobs.create(BUNDLE, ["a"]).executions["a"]
    assert (execution.version, execution.started_at) == (1, None)
    for status in (ExecutionStatus.DOWNLOADING, ExecutionStatus.IN_PROGRESS):
        clock.seconds += 5
        report(jobs, jobs.current("a")[0], "a", status)
    assert (execution.version, execution.started_at) == (3, NOON + timedelta(seconds=5))


def test_details_as_aws_iot_keeps_them(jobs):
    job = jobs.create(BUNDLE, ["a"])
    jobs.report(job, job.executions["a"], ExecutionStatus.IN_PROGRESS, {"step": "2"})
    assert (job.executions["a"].details, job.executions["a"].detail) == ({"step": "2"}, None)
    report(jobs, job, "a", ExecutionStatus.FAILED, "no space")
    assert (job.executions["a"].details, job.executions["a"].detail) == ({"detail": "no space"}, "no space")


def test_who_has_something_else_to_do_is_announced(jobs):
    changed = []
    jobs.changed = changed.append

    def announced():
        found = list(changed)
        changed.clear()
        return found

    job, later = jobs.create(BUNDLE, ["a", "b"]), jobs.create(BUNDLE, ["c"], apply=False)
    assert announced() == ["a", "b"]
    jobs.apply(later)
    assert announced() == ["c"]
    report(jobs, job, "a", ExecutionStatus.SUCCEEDED)
    assert announced() == ["a"]
    jobs.cancel(job)
    assert announced() == ["b"]
    jobs.forget("c")
    assert announced() == ["c"]
    jobs.delete(jobs.create(BUNDLE, ["d"]))
    assert announced() == ["d", "d"]
