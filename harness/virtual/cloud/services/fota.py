"""Firmware update jobs and their executions, one for each device. No I/O.

Facts: nRF Cloud REST API, CreateFOTAJob, FetchCurrentPendingFOTAJobExecution (the oldest that is not done),
UpdateFOTAJobExecutionStatus; nRF Connect SDK, nRF Cloud FOTA (``path`` without a leading slash, several separated by
spaces). UNCONFIRMED, chosen here: a job is COMPLETED if all its executions are finished; a finished execution never
changes.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from harness.virtual.cloud.formats import iso, now_utc
from harness.virtual.cloud.services.bundles import HOST, Bundle

_DETAIL = "detail"


class ExecutionStatus(StrEnum):
    """The status of a job on a device."""

    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    DOWNLOADING = "DOWNLOADING"
    FAILED = "FAILED"
    SUCCEEDED = "SUCCEEDED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"

    @property
    def pending(self) -> bool:
        """Whether the device has not finished."""
        return self is ExecutionStatus.QUEUED or self.started

    @property
    def started(self) -> bool:
        """Whether the device has begun and not finished."""
        return self in (ExecutionStatus.IN_PROGRESS, ExecutionStatus.DOWNLOADING)


class JobStatus(StrEnum):
    """The life cycle of a job. A deleted job is gone at once."""

    CREATED = "CREATED"
    IN_PROGRESS = "IN_PROGRESS"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self in (JobStatus.CANCELLED, JobStatus.COMPLETED)


class FotaConflict(Exception):
    """The state of the job or execution does not permit this."""


@dataclass
class Execution:
    """One device's part in a job. ``number`` grows with each execution, ``version`` with each report of the device.

    ``details``: what the device reported besides the status, by name, as AWS IoT keeps it.
    """

    execution_id: str
    number: int
    device_id: str
    created_at: datetime
    updated_at: datetime
    status: ExecutionStatus = ExecutionStatus.QUEUED
    details: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    version: int = 1

    @property
    def detail(self) -> str | None:
        """The part of the details that nRF Cloud shows: the text that the device reported."""
        return self.details.get(_DETAIL)


@dataclass
class Job:
    """A job. ``number``: grows with each job."""

    job_id: str
    number: int
    bundle: Bundle
    name: str
    description: str
    device_ids: tuple[str, ...]
    tags: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    status: JobStatus = JobStatus.CREATED
    executions: dict[str, Execution] = field(default_factory=dict)
    removed: int = 0

    @property
    def firmware_type(self) -> str:
        """The type of the firmware to install."""
        return self.bundle.manifest.firmware_type

    def firmware(self) -> dict[str, Any]:
        """Return the firmware to install, as a device gets it."""
        return {
            "firmwareType": self.firmware_type,
            "fileSize": self.bundle.manifest.size,
            "host": HOST,
            "path": " ".join(self.bundle.paths),
            "version": self.bundle.manifest.version,
            "bundleId": self.bundle.bundle_id,
        }

    def stats(self) -> dict[str, int]:
        """Return ``executionStats``."""
        counts = {_camel(status): 0 for status in ExecutionStatus}
        for execution in self.executions.values():
            counts[_camel(execution.status)] += 1
        done = sum(not execution.status.pending for execution in self.executions.values())
        total = len(self.executions)
        return {**counts, "removed": self.removed, "completedExecutions": done, "executions": total, "devices": total}


class FotaJobs:
    """The jobs of one team."""

    def __init__(self, now: Callable[[], datetime] = now_utc) -> None:
        self._now = now
        self._jobs: dict[str, Job] = {}
        self._count = 0
        self.changed: Callable[[str], object] = lambda device_id: None
        """Called with the ID of each device whose pending executions change."""

    def create(
        self,
        bundle: Bundle,
        device_ids: Iterable[str],
        *,
        tags: Iterable[str] = (),
        name: str = "",
        description: str = "",
        apply: bool = True,
    ) -> Job:
        """Make a job for these devices.

        ``bundle``: to install. ``device_ids``: of the devices. ``tags``, ``name``, ``description``: shown by the API.
        ``apply``: make the executions at once.
        """
        now, number = self._now(), self._next()
        job = Job(str(uuid.uuid4()), number, bundle, name, description, tuple(device_ids), tuple(tags), now, now)
        self._jobs[job.job_id] = job
        if apply:
            self.apply(job)
        return job

    def apply(self, job: Job) -> None:
        """Queue the executions of a job that was made without. Raises FotaConflict for any other job."""
        if job.status is not JobStatus.CREATED:
            raise FotaConflict(f"the job is {job.status}")
        job.status, job.updated_at = JobStatus.IN_PROGRESS, self._now()
        for device_id in job.device_ids:
            job.executions[device_id] = Execution(
                str(uuid.uuid4()), self._next(), device_id, job.updated_at, job.updated_at
            )
        self._announce(job.device_ids)

    def cancel(self, job: Job) -> None:
        """Cancel a job and its pending executions. Raises FotaConflict if the job is over."""
        if job.status.over:
            raise FotaConflict(f"the job is {job.status}")
        job.status, job.updated_at = JobStatus.CANCELLED, self._now()
        ended = [execution for execution in job.executions.values() if execution.status.pending]
        for execution in ended:
            execution.status, execution.updated_at = ExecutionStatus.CANCELLED, job.updated_at
        self._announce(execution.device_id for execution in ended)

    def delete(self, job: Job) -> None:
        """Remove a job and its executions."""
        del self._jobs[job.job_id]
        self._announce(job.executions)

    def jobs(self) -> list[Job]:
        """Return every job, oldest first."""
        return list(self._jobs.values())

    def job(self, job_id: str) -> Job | None:
        """Return the job with this ID."""
        return self._jobs.get(job_id)

    def need(self, bundle: Bundle) -> bool:
        """Tell whether a job that is not over needs this bundle."""
        return any(job.bundle == bundle and not job.status.over for job in self._jobs.values())

    def executions(self, device_id: str) -> Iterator[tuple[Job, Execution]]:
        """Yield all executions of a device, oldest first."""
        for job in self._jobs.values():
            if device_id in job.executions:
                yield job, job.executions[device_id]

    def current(self, device_id: str) -> tuple[Job, Execution] | None:
        """Return the oldest execution that the device has not finished, or None."""
        pending = [(job, execution) for job, execution in self.executions(device_id) if execution.status.pending]
        return min(pending, key=lambda pair: pair[1].number, default=None)

    def update(self, job: Job, execution: Execution, status: ExecutionStatus, detail: str | None) -> None:
        """Note what the device reports. Raises FotaConflict if it has reported the end before.

        ``job``, ``execution``: of the report. ``status``: the new one. ``detail``: the reason in words, or None.
        """
        self.report(job, execution, status, {} if detail is None else {_DETAIL: detail})

    def report(self, job: Job, execution: Execution, status: ExecutionStatus, details: Mapping[str, str]) -> None:
        """Do the same as :meth:`update`, with all details that AWS IoT keeps.

        ``job``, ``execution``: of the report. ``status``: the new one. ``details``: texts by name.
        """
        if not execution.status.pending:
            raise FotaConflict(f"the execution is {execution.status}")
        execution.status, execution.details, execution.updated_at = status, details, self._now()
        execution.version += 1
        if status.started and execution.started_at is None:
            execution.started_at = execution.updated_at
        if not any(other.status.pending for other in job.executions.values()):
            job.status, job.updated_at = JobStatus.COMPLETED, execution.updated_at
        self._announce([execution.device_id])

    def forget(self, device_id: str) -> None:
        """Forget the executions of a deleted device."""
        for job in self._jobs.values():
            if job.executions.pop(device_id, None):
                job.removed += 1
        self._announce([device_id])

    def _announce(self, device_ids: Iterable[str]) -> None:
        for device_id in device_ids:
            self.changed(device_id)

    def _next(self) -> int:
        self._count += 1
        return self._count


def show_execution(job: Job, execution: Execution, tenant_id: str) -> dict[str, Any]:
    """Return an execution as the API shows it.

    ``job``, ``execution``: to show. ``tenant_id``: the team's.
    """
    shown = {
        "tenantId": tenant_id,
        "status": str(execution.status),
        "executionId": execution.execution_id,
        "jobId": job.job_id,
        "jobDocument": job.firmware(),
        "createdAt": iso(execution.created_at),
        "deviceId": execution.device_id,
        "lastUpdatedAt": iso(execution.updated_at),
    }
    return shown if execution.detail is None else {**shown, "statusDetail": execution.detail}


def show_job(job: Job) -> dict[str, Any]:
    """Return a job as the API shows it."""
    firmware = job.firmware()
    del firmware["path"]
    texts = {"name": job.name, "description": job.description}
    return {
        "jobId": job.job_id,
        **{name: text for name, text in texts.items() if text},
        "status": str(job.status),
        "target": {"deviceIds": list(job.device_ids), "tags": list(job.tags)},
        "executionStats": job.stats(),
        "firmware": {**firmware, "uris": list(job.bundle.paths)},
        "createdAt": iso(job.created_at),
        "lastUpdatedAt": iso(job.updated_at),
    }


def _camel(status: ExecutionStatus) -> str:
    first, *rest = status.lower().split("_")
    return first + "".join(map(str.capitalize, rest))
