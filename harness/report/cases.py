"""A run's record of each test case, and the short table at its end."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NOTHING_PROVED = "inconclusive"
"""The verdict of a test whose result the run as a whole took back."""

_HEADINGS = ("board", "scenario", "verdict", "seconds")
_MOST_SHOWN = 4  # verdicts of one test; of more the table shows how many there are of each


@dataclass(slots=True)
class CaseRecord:
    """One test on one board. ``properties``: name to value, as they stand in JUnit."""

    board: str
    scenario: str
    result: str = "passed"
    seconds: float = 0.0
    properties: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def add_verdict(self, verdict: str, evidence: str, *, attempts: int = 1) -> None:
        """Add ``verdict`` with its ``evidence``. A test may have several, in order. ``attempts``: trials it took."""
        added = (("verdict", verdict, ", "), ("evidence", evidence, " | "), ("attempts", str(attempts), ", "))
        for name, value, joint in added:
            before = self.properties.get(name)
            self.properties[name] = f"{before}{joint}{value}" if before else value


def table(cases: Sequence[CaseRecord]) -> list[str]:
    """Return the lines of the table: board, scenario, verdict, seconds. What did not pass says so in its verdict."""
    rows = [_HEADINGS, *((case.board, case.scenario, _verdict(case), f"{case.seconds:.2f}") for case in cases)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_row(row, widths) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


def _verdict(case: CaseRecord) -> str:
    verdict = _counted(case.properties.get("verdict", ""))
    if case.result == "passed":
        return verdict or "passed"
    return f"{case.result.upper()}{': ' + verdict if verdict else ''}"


def _counted(verdicts: str) -> str:
    counts = Counter(verdicts.split(", "))
    if counts.total() <= _MOST_SHOWN:
        return verdicts
    return ", ".join(f"{count} x {verdict}" for verdict, count in counts.items())


def _row(cells: Iterable[str], widths: Sequence[int]) -> str:
    *texts, seconds = cells
    *left, right = widths
    return "  ".join([*(text.ljust(width) for text, width in zip(texts, left, strict=True)), seconds.rjust(right)])
