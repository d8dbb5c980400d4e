"""Bulk operations: the life cycle step by step, and rows that fail beside rows that do not."""

from functools import partial

from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.bulk import BulkOperations, BulkStatus, Endpoint

from .cloud_makers import NOON


class Bench:
    def __init__(self):
        self.pending = []
        self.onboarded = []
        self.operations = BulkOperations(schedule=self.pending.append, now=lambda: NOON)

    def submit(self, *names, endpoint=Endpoint.ONBOARD_DEVICES):
        steps = [partial(self.onboard, name) for name in names]
        return self.operations.submit(endpoint, steps, b"csv", "https://x/results")

    def onboard(self, name):
        if name == "bad":
            raise RestRefused(422, 42200, "no good")
        self.onboarded.append(name)

    def step(self):
        self.pending.pop()()


def test_the_life_cycle_of_a_success():
    bench = Bench()
    operation = bench.submit("a", "b")
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
    operation = bench.submit("a", "bad", "c")
    bench.step()
    bench.step()
    assert (operation.status, operation.errors, bench.onboarded) == (BulkStatus.FAILED, ["[1]: no good"], ["a", "c"])
    assert operation.details()["errorSummaryUrl"].endswith(f"/{operation.capability}/errors.json")
    assert all(isinstance(value, str) for value in operation.details().values())
    assert operation.capability not in repr(operation)


def test_operations_are_found_by_their_id():
    bench = Bench()
    first, second = (bench.submit("a") for _ in range(2))
    assert bench.operations.find(second.bulk_id) is second
    assert bench.operations.find("x") is None
    assert bench.operations.all() == [first, second]


def test_an_operation_says_what_it_is_for():
    operation = Bench().submit("a", endpoint=Endpoint.REGISTER_PUBLIC_KEYS)
    assert operation.details()["endpoint"] == "REGISTER_PUBLIC_KEYS"
