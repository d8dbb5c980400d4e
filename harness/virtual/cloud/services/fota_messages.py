"""Reads and writes the MQTT messages about firmware updates between nRF Cloud and devices: small JSON arrays. Pure.

Facts: nRF Connect SDK, nRF Cloud FOTA: ``<prefix><id>/jobs/req`` takes ``[""]`` (the update that is due) or
``["<job>"]``, ``rcv`` brings ``["<job>", type, size, "<host>", "<path>"]``, ``update`` takes
``["<job>", status, "<error>"]``, with the progress in per cent in place of the error while downloading. UNCONFIRMED:
the numbers of SMP and CUSTOM.
"""

import json
from dataclasses import dataclass

from harness.virtual.cloud.services.fota import ExecutionStatus, Job

_TYPES = {
    "APP": 0,
    "MODEM": 1,
    "BOOT": 2,
    "BOOTLOADER": 3,
    "SOFTDEVICE": 4,
    "MDM_FULL": 5,
    "SMP": 6,
    "CUSTOM": 7,
}
_STATUSES = (
    ExecutionStatus.QUEUED,
    ExecutionStatus.IN_PROGRESS,
    ExecutionStatus.FAILED,
    ExecutionStatus.SUCCEEDED,
    ExecutionStatus.TIMED_OUT,
    ExecutionStatus.CANCELLED,
    ExecutionStatus.REJECTED,
    ExecutionStatus.DOWNLOADING,
)


class NotUnderstood(Exception):
    """The payload does not have the documented form."""


@dataclass(frozen=True)
class FotaReport:
    """A device's report on a job. ``detail``: an error, or the progress as text; None: neither."""

    job_id: str
    status: ExecutionStatus
    detail: str | None


def parse_request(payload: bytes) -> str | None:
    """Return the job that is asked for, or None for the one that is due. Raises :class:`NotUnderstood`."""
    match _array(payload):
        case [str(job_id)]:
            return job_id or None
    raise NotUnderstood('a request is [""] or ["<job>"]')


def parse_report(payload: bytes) -> FotaReport:
    """Return the report. Raises :class:`NotUnderstood`."""
    match _array(payload):
        case [str(job_id), int(status), str() | int() as detail] if _is_status(status) and not isinstance(detail, bool):
            return FotaReport(job_id, _STATUSES[status], None if detail == "" else str(detail))
    raise NotUnderstood('a report is ["<job>", <status 0 to 7>, "<error>" or <progress>]')


def encode_job(job: Job) -> bytes:
    """Return a job as a device receives it."""
    firmware = job.firmware()
    fields = [job.job_id, _TYPES[job.firmware_type], firmware["fileSize"], firmware["host"], firmware["path"]]
    return json.dumps(fields, separators=(",", ":")).encode()


def _is_status(number: int) -> bool:
    return not isinstance(number, bool) and 0 <= number < len(_STATUSES)


def _array(payload: bytes) -> list[object]:
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        raise NotUnderstood("the payload is not JSON") from None
    if not isinstance(content, list):
        raise NotUnderstood("the payload is not an array")
    return content
