"""Bulk operations: the life cycle step by step, and rows that fail beside rows that do not."""

from harness.virtual.cloud.bulk import BulkOperations, BulkStatus
from harness.virtual.cloud.onboarding import OnboardingRow
from harness.virtual.cloud.team import Refused

from .cloud_makers import NOON


def rows(*names):
    return [OnboardingRow(name, "", (), (), "") for name in names]


class Bench:
    def __init__(self):
        self.pending = []
        self.onboarded = []
        self.operations = BulkOperations(self.onboard, schedule=self.pending.append, now=lambda: NOON)

    def onboard(self, row):
        if row.device_id == "bad":
            raise Refused(422, 42200, "no good")
        self.onboarded.append(row.device_id)

    def step(self):
        self.pending.pop()()


def test_the_life_cycle_of_a_success():
    bench = Bench()
    operation = bench.operations.submit(rows("a", "b"), b"csv", "https://x/results")
    assert operation.details() == {
        "bulkOpsRequestId": operation.bulk_id,
        "endpoint": "ONBOARD_DEVICES",
        "status": "PENDING",
        "requestedAt": "2030-01-01T12:00:00.000Z",
        "uploadedDataUrl": f"https://x/results/{operation.bulk_id}/{operation.capability}/uploaded.csv",
    }
    bench.step()
    assert (operation.status, bench.onboarded) == (BulkStatus.IN_PROGRESS, [])
    bench.step()
    assert (operation.status, bench.onboarded, bench.pending) == (BulkStatus.SUCCEEDED, ["a", "b"], [])
    assert operation.details()["completedAt"] == "2030-01-01T12:00:00.000Z"
    assert "errorSummaryUrl" not in operation.details()


def test_a_bad_row_fails_the_operation_and_no_other_row():
    bench = Bench()
    operation = bench.operations.submit(rows("a", "bad", "c"), b"csv", "https://x/results")
    bench.step()
    bench.step()
    assert (operation.status, operation.errors, bench.onboarded) == (BulkStatus.FAILED, ["[1]: no good"], ["a", "c"])
    assert operation.details()["errorSummaryUrl"].endswith(f"/{operation.capability}/errors.json")
    assert all(isinstance(value, str) for value in operation.details().values())
    assert operation.capability not in repr(operation)


def test_operations_are_found_by_their_id():
    bench = Bench()
    first, second = (bench.operations.submit(rows("a"), b"", "u") for _ in range(2))
    assert bench.operations.find(second.bulk_id) is second
    assert bench.operations.find("x") is None
    assert bench.operations.all() == [first, second]
