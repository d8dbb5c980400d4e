"""AWS IoT Jobs over the team's firmware updates: its documents, its versions, its refusals."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.services import aws_jobs
from harness.virtual.cloud.services.aws_jobs import JobsRejected, answer, pending
from harness.virtual.cloud.services.fota import ExecutionStatus, FotaJobs

from .cloud_makers import NOON, make_bundle

NOW = int(NOON.timestamp())
BUNDLE = make_bundle()


@pytest.fixture
def jobs():
    return FotaJobs(lambda: NOON)


def ask(jobs, action, **request):
    return answer(jobs, "a", action, request, NOW)


def rejected(jobs, action, **request):
    with pytest.raises(JobsRejected) as caught:
        ask(jobs, action, **request)
    return caught.value.document(NOW, None)


def summary(job, **changed):
    number = job.executions["a"].number
    known = {"jobId": job.job_id, "queuedAt": NOW, "lastUpdatedAt": NOW, "executionNumber": number, "versionNumber": 1}
    return {**known, **changed}


def test_nothing_to_do(jobs):
    assert ask(jobs, "get", clientToken="t") == {
        "inProgressJobs": [],
        "queuedJobs": [],
        "timestamp": NOW,
        "clientToken": "t",
    }
    assert ask(jobs, "start-next") == ask(jobs, "$next/get") == {"timestamp": NOW}


def test_an_update_from_queued_to_done():
    seconds = 0
    jobs = FotaJobs(lambda: NOON + timedelta(seconds=seconds))
    job = jobs.create(BUNDLE, ["a"])
    assert ask(jobs, "get")["queuedJobs"] == [summary(job)]
    assert ask(jobs, "$next/get", includeJobDocument=False)["execution"] == {
        **summary(job),
        "thingName": "a",
        "status": "QUEUED",
    }
    seconds = 5
    started = ask(jobs, "start-next", statusDetails={"step": "1"})["execution"]
    assert started == {
        **summary(job, startedAt=NOW + 5, lastUpdatedAt=NOW + 5, versionNumber=2),
        "thingName": "a",
        "status": "IN_PROGRESS",
        "statusDetails": {"step": "1"},
        "jobDocument": job.firmware(),
    }
    assert ask(jobs, "start-next")["execution"] == started
    assert [item["jobId"] for item in ask(jobs, "get")["inProgressJobs"]] == [job.job_id]
    assert ask(jobs, f"{job.job_id}/get")["execution"] == started
    done = ask(jobs, f"{job.job_id}/update", status="SUCCEEDED", expectedVersion="2", includeJobExecutionState=True)
    state = {"status": "SUCCEEDED", "statusDetails": {"step": "1"}, "versionNumber": 3}
    assert done == {"executionState": state, "timestamp": NOW}
    assert jobs.current("a") is None
    assert rejected(jobs, f"{job.job_id}/get")["code"] == "TerminalStateReached"


def test_an_update_answers_with_what_was_asked_for(jobs):
    job = jobs.create(BUNDLE, ["a"])
    assert ask(jobs, f"{job.job_id}/update", status="IN_PROGRESS", clientToken="t") == {
        "timestamp": NOW,
        "clientToken": "t",
    }
    assert ask(jobs, f"{job.job_id}/update", status="IN_PROGRESS", includeJobDocument=True) == {
        "jobDocument": job.firmware(),
        "timestamp": NOW,
    }


def test_what_is_started_comes_before_what_is_queued(jobs):
    first, second = jobs.create(BUNDLE, ["a"]), jobs.create(BUNDLE, ["a", "b"])
    ask(jobs, f"{second.job_id}/update", status="IN_PROGRESS")
    assert [job for job, _ in pending(jobs, "a")] == [second, first]
    assert ask(jobs, "$next/get")["execution"]["jobId"] == second.job_id
    assert second.executions["b"].status is ExecutionStatus.QUEUED


def test_nrf_clouds_own_states_in_awss_words(jobs):
    job = jobs.create(BUNDLE, ["a"])
    jobs.update(job, job.executions["a"], ExecutionStatus.DOWNLOADING, "42")
    shown = ask(jobs, "$next/get")["execution"]
    assert (shown["status"], shown["statusDetails"]) == ("IN_PROGRESS", {"detail": "42"})
    jobs.cancel(job)
    answered = rejected(jobs, f"{job.job_id}/update", status="SUCCEEDED")
    assert (answered["code"], answered["executionState"]["status"]) == ("InvalidStateTransition", "CANCELED")


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("{job}/update", {}, "InvalidRequest"),
        ("{job}/update", {"status": "QUEUED"}, "InvalidRequest"),
        ("{job}/update", {"status": ["FAILED"]}, "InvalidRequest"),
        ("{job}/update", {"status": "FAILED", "expectedVersion": True}, "InvalidRequest"),
        ("{job}/update", {"status": "FAILED", "expectedVersion": "x"}, "InvalidRequest"),
        ("{job}/update", {"status": "FAILED", "expectedVersion": 2}, "VersionMismatch"),
        ("{job}/update", {"status": "FAILED", "statusDetails": {"a": 1}}, "InvalidRequest"),
        ("start-next", {"statusDetails": "x"}, "InvalidRequest"),
        ("get", {"clientToken": 5}, "InvalidRequest"),
        ("get", {"clientToken": "x" * 65}, "InvalidRequest"),
        ("{other}/get", {}, "ResourceNotFound"),
        ("{other}/update", {"status": "FAILED"}, "ResourceNotFound"),
        ("nothing/get", {}, "ResourceNotFound"),
        ("$next/update", {"status": "FAILED"}, "ResourceNotFound"),
        ("{job}/delete", {}, "InvalidTopic"),
        ("harness", {}, "InvalidTopic"),
    ],
)
def test_refusals_change_nothing(jobs, action, request_, code):
    job, other = jobs.create(BUNDLE, ["a"]), jobs.create(BUNDLE, ["b"])
    answered = rejected(jobs, action.format(job=job.job_id, other=other.job_id), **request_)
    assert (answered["code"], answered["timestamp"]) == (code, NOW)
    assert ("executionState" in answered) == (code == "VersionMismatch")
    assert (job.executions["a"].status, job.executions["a"].version) == (ExecutionStatus.QUEUED, 1)


@pytest.mark.parametrize(
    ("payload", "code"), [(b"{", "InvalidJson"), (b"\xff", "InvalidJson"), (b"[]", "InvalidRequest")]
)
def test_payloads_that_are_no_request(payload, code):
    with pytest.raises(JobsRejected) as caught:
        aws_jobs.parse(payload)
    assert caught.value.document(NOW, "t")["code"] == code


def test_an_empty_payload_is_a_request():
    assert aws_jobs.parse(b"") == aws_jobs.parse(b"{}") == {}


def test_notifications(jobs):
    assert aws_jobs.list_notification([], NOW) == {"jobs": {}, "timestamp": NOW}
    assert aws_jobs.next_notification([], "a", NOW) == {"timestamp": NOW}
    made = [jobs.create(BUNDLE, ["a"]) for _ in range(20)]
    ask(jobs, f"{made[3].job_id}/update", status="IN_PROGRESS")
    listed = aws_jobs.list_notification(pending(jobs, "a"), NOW)["jobs"]
    assert [item["jobId"] for item in listed["IN_PROGRESS"]] == [made[3].job_id]
    assert [item["jobId"] for item in listed["QUEUED"]] == [job.job_id for job in (*made[:3], *made[4:15])]
    due = aws_jobs.next_notification(pending(jobs, "a"), "a", NOW)["execution"]
    assert (due["jobId"], due["jobDocument"]) == (made[3].job_id, made[3].firmware())


_MEMBERS = st.sampled_from(["status", "statusDetails", "expectedVersion", "clientToken", "includeJobDocument"])
_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from(["FAILED", "QUEUED", "1"]), st.lists(st.none())
)


@given(
    st.sampled_from(["get", "start-next", "job/get", "job/update", "$next/get", "x"]),
    st.dictionaries(_MEMBERS, _VALUES),
)
def test_any_request_is_answered_in_json_or_refused(action, request_):
    jobs = FotaJobs(lambda: NOON)
    job = jobs.create(BUNDLE, ["a"])
    try:
        answered = answer(jobs, "a", action.replace("job", job.job_id), request_, NOW)
    except JobsRejected as refusal:
        answered = refusal.document(NOW, None)
    assert json.loads(json.dumps(answered))["timestamp"] == NOW
