"""What the runs before say of the tests of this one: how long each usually takes, and since when it fails."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from harness.report.assessment import short_run
from harness.report.history import WINDOW, HistoryEntry, standing
from harness.report.keys import key_of
from harness.report.ran_tests import RanTest
from harness.report.run_summary import RunSummary


@dataclass(frozen=True, slots=True)
class Usual:
    """By board and key: the median of the seconds it took, and its results, oldest first."""

    medians: dict[tuple[str, str], float] = field(default_factory=dict)
    entries: dict[tuple[str, str], list[HistoryEntry]] = field(default_factory=dict)

    def seconds(self, test: str, board: str) -> float | None:
        """Return how long a test (its node id) usually takes; None: it was never run."""
        return self.medians.get((board, key_of(test, board)))

    def age(self, tests: Sequence[RanTest]) -> str:
        """Return since when ``tests`` fail, of which one is enough: ``since 24 Nov 02:00``, ``new``, ""."""
        since = ""
        for test in tests:
            before = self.entries.get((test.board, test.key), [])
            if test.result != "failed" or not before:
                continue
            found = standing([*before, HistoryEntry("", "failed", before[-1].version)])
            if found.streak > 1:
                return f"since {short_run(found.since)}"
            since = since or "new"
        return since


def usual_of(runs: Sequence[RunSummary], lab: str) -> Usual:
    """Return what ``runs`` (oldest first) of the lab ``lab`` say; only the last :data:`WINDOW` of them count."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    entries: dict[tuple[str, str], list[HistoryEntry]] = defaultdict(list)
    for run in [one for one in runs if one.lab == lab][-WINDOW:]:
        for one in run.results:
            version = run.boards[one.board].version if one.board in run.boards else ""
            entries[one.board, one.key].append(HistoryEntry(run.run, one.result, version, one.attempts, one.seconds))
            if one.result == "passed":
                times[one.board, one.key].append(one.seconds)
    return Usual({key: median(seconds) for key, seconds in times.items()}, dict(entries))
