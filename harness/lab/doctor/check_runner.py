"""Runs checks side by side, each with its deadline, and counts the results."""

import threading
import time
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue

from harness.lab.doctor.check import Check, CheckResult, Status
from harness.lab.doctor.own_commands import OwnCommands
from harness.redact import SECRETS


def run_checks(checks: Sequence[Check]) -> Iterator[CheckResult]:
    """Yield the results in the order of the checks, each as early as that order permits.

    A check that has not ended at its deadline has failed, and so has one that raises an error. The others go on.
    """
    started = [(check, _start(check), time.monotonic()) for check in checks]
    for check, queue, began in started:
        try:
            yield from queue.get(timeout=max(0.0, check.deadline - (time.monotonic() - began)))
        except Empty:
            text = f"no result within {check.deadline:g} s"
            yield CheckResult(
                check.id, check.about, Status.FAIL, text, "nrf91-harness doctor  # again; is the system busy?"
            )


def _start(check: Check) -> SimpleQueue[list[CheckResult]]:
    queue: SimpleQueue[list[CheckResult]] = SimpleQueue()

    def look() -> None:
        try:
            found = list(check.look())
        except Exception as error:  # one broken check must not end the doctor
            text = f"the check broke: {type(error).__name__}: {SECRETS.scrub(str(error))}"
            found = [CheckResult(check.id, check.about, Status.FAIL, text)]
        queue.put(found)

    # A daemon thread, so that a call that hangs in the system does not keep the program from ending.
    threading.Thread(target=look, name=f"doctor {check.id} {check.about}", daemon=True).start()
    return queue


def verdict(results: Sequence[CheckResult], seconds: float) -> str:
    """Return the line that ends the doctor's report."""
    counts = {status: sum(result.status is status for result in results) for status in Status}
    parts = [f"{counts[status]} {status}" for status in (Status.OK, Status.SKIPPED, Status.WARN, Status.FAIL)]
    said = {Status.FAIL: "not fit for a night", Status.WARN: "fit for a night, with warnings"}
    return f"{said.get(worst(results), 'fit for a night')}: {', '.join(parts)} in {seconds:.1f} s"


def in_one_line(results: Sequence[CheckResult], commands: OwnCommands) -> str:
    """Return one line with the first failure, its remedy, and how many more there are; "" if nothing has failed."""
    failed = [result for result in results if result.status is Status.FAIL]
    if not failed:
        return ""
    first = failed[0]
    others = len(failed) - 1
    more = f" (and {others} more: {commands.complete('nrf91-harness doctor --quick')})" if others else ""
    remedy = f"; {commands.complete(first.remedy)}" if first.remedy else ""
    return f"{first.about}: {first.text}{remedy}{more}"


def worst(results: Sequence[CheckResult]) -> Status:
    """Return the worst status of the results."""
    return max((result.status for result in results), key=list(Status).index, default=Status.OK)
