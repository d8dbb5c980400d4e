"""Bulk operations: they are accepted at once and carried out later, and callers ask until they are done.

Facts: nRF Cloud REST API, FetchBulkOpsRequest - PENDING, IN_PROGRESS, then SUCCEEDED or FAILED. Rows without an error
were carried out, even if the whole operation is FAILED. Every value is a string; a missing one is left out (nRF Cloud
Utils concatenates them).
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from harness.virtual.cloud.formats import iso, make_ulid, now_utc
from harness.virtual.cloud.registry.team import RestRefused


class BulkStatus(StrEnum):
    """The life cycle of an operation."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Endpoint(StrEnum):
    """The endpoint of an upload."""

    ONBOARD_DEVICES = "ONBOARD_DEVICES"
    REGISTER_CERTIFICATES = "REGISTER_CERTIFICATES"
    REGISTER_PUBLIC_KEYS = "REGISTER_PUBLIC_KEYS"


@dataclass
class BulkOperation:
    """An upload.

    ``number``: grows with each upload. ``steps``: each carries out one row, and may raise :class:`RestRefused`.
    ``errors``: lines ``[row]: text``. ``capability``: makes the URLs of its files impossible to guess.
    """

    bulk_id: str
    number: int
    endpoint: Endpoint
    base_url: str
    steps: Sequence[Callable[[], None]] = field(repr=False)
    uploaded: bytes = field(repr=False)
    requested_at: datetime
    completed_at: datetime | None = None
    status: BulkStatus = BulkStatus.PENDING
    errors: list[str] = field(default_factory=list)
    capability: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def details(self) -> dict[str, str]:
        """Return the answer to ``GET /bulk-ops-requests/{id}``."""
        files = f"{self.base_url}/{self.bulk_id}/{self.capability}"
        answer = {
            "bulkOpsRequestId": self.bulk_id,
            "endpoint": str(self.endpoint),
            "status": str(self.status),
            "requestedAt": iso(self.requested_at),
            "uploadedDataUrl": f"{files}/uploaded.csv",
        }
        if self.completed_at:
            answer["completedAt"] = iso(self.completed_at)
        if self.errors:
            answer["errorSummaryUrl"] = f"{files}/errors.json"
        return answer


class BulkOperations:
    """All operations of this process.

    ``schedule``: calls :meth:`advance` a little later, once for each change of status.
    """

    def __init__(
        self, *, schedule: Callable[[Callable[[], None]], object], now: Callable[[], datetime] = now_utc
    ) -> None:
        self._schedule = schedule
        self._now = now
        self._operations: dict[str, BulkOperation] = {}

    def submit(
        self, endpoint: Endpoint, steps: Sequence[Callable[[], None]], uploaded: bytes, base_url: str
    ) -> BulkOperation:
        """Accept an upload, without carrying anything out yet.

        ``endpoint``: of the request. ``steps``: one for each row, in order. ``uploaded``: the file as it came.
        ``base_url``: of the operation's files.
        """
        now = self._now()
        operation = BulkOperation(make_ulid(now), len(self._operations) + 1, endpoint, base_url, steps, uploaded, now)
        self._operations[operation.bulk_id] = operation
        self._schedule(lambda: self.advance(operation))
        return operation

    def find(self, bulk_id: str) -> BulkOperation | None:
        """Return the operation with this id."""
        return self._operations.get(bulk_id)

    def all(self) -> list[BulkOperation]:
        """Return every operation, oldest first."""
        return list(self._operations.values())

    def advance(self, operation: BulkOperation) -> None:
        """Advance the status: to IN_PROGRESS, and the next time carry out all rows and set the final status."""
        if operation.status is BulkStatus.PENDING:
            operation.status = BulkStatus.IN_PROGRESS
            self._schedule(lambda: self.advance(operation))
        elif operation.status is BulkStatus.IN_PROGRESS:
            for index, step in enumerate(operation.steps):
                try:
                    step()
                except RestRefused as refusal:
                    operation.errors.append(f"[{index}]: {refusal}")
            operation.completed_at = self._now()
            operation.status = BulkStatus.FAILED if operation.errors else BulkStatus.SUCCEEDED
