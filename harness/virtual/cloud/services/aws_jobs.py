"""The firmware updates in the form of AWS IoT Jobs: requests of a device in, documents out. No I/O.

Facts: AWS IoT Core Developer Guide, "Jobs device MQTT and HTTPS APIs", its data types and ErrorResponse, "Jobs
notifications" (in progress before queued, each in the order they were queued). UNCONFIRMED, because no firmware of nRF
Cloud asks: that its updates can be seen in this way, and with which job document. Here it is the one that REST shows.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from harness.virtual.cloud.services.fota import Execution, ExecutionStatus, FotaJobs, Job

Tree = dict[str, Any]
Pending = list[tuple[Job, Execution]]

NEXT = "$next"
_LONGEST_TOKEN = 64
_MOST_LISTED = 15
_REPORTS = ("IN_PROGRESS", "FAILED", "SUCCEEDED", "REJECTED")  # the statuses that a device may report
_CODES = {"inProgressJobs": "IN_PROGRESS", "queuedJobs": "QUEUED"}


class JobsRejected(Exception):
    """The request is refused. ``code``: AWS's word. ``message``: why. ``execution``: whose state the answer shows."""

    def __init__(self, code: str, message: str, execution: Execution | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.execution = execution

    def document(self, now: int, token: str | None) -> Tree:
        """Return the document for ``rejected``. ``now``: seconds since 1970."""
        state = {} if self.execution is None else {"executionState": _state(self.execution)}
        return _signed({"code": self.code, "message": str(self), **state}, now, token)


def parse(payload: bytes) -> Tree:
    """Return a request's members; an empty payload has none. Raises :class:`JobsRejected`."""
    if not payload:
        return {}
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        raise JobsRejected("InvalidJson", "The payload is not JSON") from None
    if not isinstance(document, dict):
        raise JobsRejected("InvalidRequest", "The payload must be an object")
    return document


def client_token(request: Mapping[str, Any]) -> str | None:
    """Return the token that the answer has to repeat. Raises :class:`JobsRejected`."""
    token = request.get("clientToken")
    if token is not None and (not isinstance(token, str) or len(token.encode(errors="replace")) > _LONGEST_TOKEN):
        raise JobsRejected("InvalidRequest", "Invalid clientToken")
    return token


def answer(jobs: FotaJobs, thing: str, action: str, request: Tree, now: int) -> Tree:
    """Carry out ``action`` (``get``, ``start-next``, ``<job>/get``, ``<job>/update``) and return what is accepted.

    ``jobs``: of all things. ``thing``: who asks. ``request``: its payload. ``now``: seconds since 1970.
    Raises :class:`JobsRejected`.
    """
    token = client_token(request)
    if action == "get":
        content = _list(pending(jobs, thing))
    elif action == "start-next":
        content = _start_next(jobs, thing, request)
    else:
        job_id, _, verb = action.partition("/")
        if verb == "get":
            content = _describe(jobs, thing, job_id, request)
        elif verb == "update":
            content = _update(jobs, thing, job_id, request)
        else:
            raise JobsRejected("InvalidTopic", "The topic does not belong to any operation")
    return _signed(content, now, token)


def pending(jobs: FotaJobs, thing: str) -> Pending:
    """Return the executions that the device has not finished, the next one first."""
    waiting = [pair for pair in jobs.executions(thing) if pair[1].status.pending]
    return sorted(waiting, key=lambda pair: (not pair[1].status.started, pair[1].number))


def list_notification(waiting: Pending, now: int) -> Tree:
    """Return the document of ``jobs/notify``."""
    listed = _list(waiting[:_MOST_LISTED])
    return _signed({"jobs": {status: listed[name] for name, status in _CODES.items() if listed[name]}}, now, None)


def next_notification(waiting: Pending, thing: str, now: int) -> Tree:
    """Return the document of ``jobs/notify-next``. It has no execution if nothing waits.

    ``waiting``: jobs and executions that are not finished, the oldest first. ``thing``: the device. ``now``: seconds
    since 1970.
    """
    return _signed(_execution(waiting[0], thing) if waiting else {}, now, None)


def aws_status(execution: Execution) -> str:
    """Return the status in AWS's words, which have no DOWNLOADING and spell CANCELED with one L."""
    if execution.status.started:
        return "IN_PROGRESS"
    return "CANCELED" if execution.status is ExecutionStatus.CANCELLED else str(execution.status)


def _list(waiting: Pending) -> Tree:
    return {
        name: [_summary(job, execution) for job, execution in waiting if aws_status(execution) == status]
        for name, status in _CODES.items()
    }


def _start_next(jobs: FotaJobs, thing: str, request: Tree) -> Tree:
    waiting = pending(jobs, thing)
    if not waiting:
        return {}
    job, execution = waiting[0]
    if not execution.status.started:
        jobs.report(job, execution, ExecutionStatus.IN_PROGRESS, _details(request, execution))
    return _execution((job, execution), thing)


def _describe(jobs: FotaJobs, thing: str, job_id: str, request: Tree) -> Tree:
    with_document = request.get("includeJobDocument", True) is not False
    if job_id == NEXT:
        waiting = pending(jobs, thing)
        return _execution(waiting[0], thing, with_document=with_document) if waiting else {}
    job, execution = _find(jobs, thing, job_id)
    if not execution.status.pending:
        raise JobsRejected("TerminalStateReached", "The job execution is over", execution)
    return _execution((job, execution), thing, with_document=with_document)


def _update(jobs: FotaJobs, thing: str, job_id: str, request: Tree) -> Tree:
    job, execution = _find(jobs, thing, job_id)
    status = request.get("status")
    if status not in _REPORTS:
        raise JobsRejected("InvalidRequest", f"status must be one of {', '.join(_REPORTS)}")
    expected = request.get("expectedVersion")
    if expected is not None and not _is_version(expected):
        raise JobsRejected("InvalidRequest", "expectedVersion must be a number")
    if expected is not None and int(expected) != execution.version:
        raise JobsRejected("VersionMismatch", "The job execution has another version", execution)
    details = _details(request, execution)
    if not execution.status.pending:
        raise JobsRejected("InvalidStateTransition", f"The job execution is {aws_status(execution)}", execution)
    jobs.report(job, execution, ExecutionStatus(status), details)
    state = {"executionState": _state(execution)} if request.get("includeJobExecutionState") is True else {}
    document = {"jobDocument": job.firmware()} if request.get("includeJobDocument") is True else {}
    return {**state, **document}


def _find(jobs: FotaJobs, thing: str, job_id: str) -> tuple[Job, Execution]:
    job = jobs.job(job_id)
    if job is None or thing not in job.executions:
        raise JobsRejected("ResourceNotFound", "The thing has no such job")
    return job, job.executions[thing]


def _details(request: Tree, execution: Execution) -> Mapping[str, str]:
    details = request.get("statusDetails")
    if details is None:
        return execution.details
    if not isinstance(details, dict) or not all(isinstance(value, str) for value in details.values()):
        raise JobsRejected("InvalidRequest", "statusDetails must be an object of strings")
    return details


def _is_version(value: object) -> bool:
    """Tell whether ``value`` is a version. AWS shows versions as numbers, and accepts strings too."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdecimal())


def _summary(job: Job, execution: Execution) -> Tree:
    started = {} if execution.started_at is None else {"startedAt": _seconds(execution.started_at)}
    return {
        "jobId": job.job_id,
        "queuedAt": _seconds(execution.created_at),
        **started,
        "lastUpdatedAt": _seconds(execution.updated_at),
        "executionNumber": execution.number,
        "versionNumber": execution.version,
    }


def _execution(pair: tuple[Job, Execution], thing: str, *, with_document: bool = True) -> Tree:
    job, execution = pair
    document = {"jobDocument": job.firmware()} if with_document else {}
    return {"execution": {**_summary(job, execution), "thingName": thing, **_state(execution), **document}}


def _state(execution: Execution) -> Tree:
    details = {"statusDetails": dict(execution.details)} if execution.details else {}
    return {"status": aws_status(execution), **details, "versionNumber": execution.version}


def _signed(content: Tree, now: int, token: str | None) -> Tree:
    return {**content, "timestamp": now, **({} if token is None else {"clientToken": token})}


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
