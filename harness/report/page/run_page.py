"""report.html of one run: what is on it, within a limited size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.report.assessment import Assessment, CauseRow, board_history
from harness.report.history import WINDOW, ResultState
from harness.report.page.detail import Detail, brief, detail
from harness.report.page.recorded import Recordings
from harness.report.page.render import render
from harness.report.ran_tests import RanTest
from harness.report.run_summary import BoardResult

LARGEST: Final = 2_000_000
"""How many bytes a page may have."""
_FULL: Final = 12  # tests with drawing and transcript, besides the first one of each cause
_LISTED: Final = 60  # tests of a cause that are listed by name
_SLOWEST: Final = 8


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """A cause with its tests: those in full, those in brief, and how many are in the table only."""

    row: CauseRow
    full: Sequence[Detail]
    brief: Sequence[Detail]
    more: int


def run_page(
    assessment: Assessment, tests: Sequence[RanTest], folders: Mapping[str, Path], boards: str
) -> tuple[str, list[str]]:
    """Return the page of a run, and a line for each file that could not be read.

    ``assessment``: the causes, and the state of each test. ``tests``: of the journal. ``folders``: of the runs that
    still have one. ``boards``: the boards file.
    """
    recordings = Recordings()
    for full in (_FULL, 4, 0):
        groups = _groups(assessment, tests, recordings, folders, boards, full)
        page = render("run.html", **_values(assessment, tests, groups, recordings))
        if len(page.encode("utf-8", "replace")) <= LARGEST:
            break
    return page, recordings.notes


def _values(
    assessment: Assessment, tests: Sequence[RanTest], groups: Sequence[CauseGroup], recordings: Recordings
) -> dict[str, Any]:
    run = assessment.run
    by_key = {(test.board, test.key): test for test in tests}
    anchors = {(one.test.board, one.test.key): one.anchor for group in groups for one in [*group.full, *group.brief]}
    slowest = sorted(run.results, key=lambda one: -one.seconds)[:_SLOWEST]
    return {
        "a": assessment,
        "run": run,
        "before": assessment.before[-1] if assessment.before else None,
        "groups": groups,
        "boards": [
            _board(assessment, name) for name in sorted(run.boards, key=lambda name: _urgency(assessment, name))
        ],
        "fixed": assessment.in_state(ResultState.FIXED),
        "flaky": sorted(assessment.in_state(ResultState.FLAKY), key=lambda one: -_lower(assessment, one)),
        "skipped": _skipped(tests),
        "slowest": [(one, _usual(assessment, one)) for one in slowest if one.seconds > 0],
        "tests": by_key,
        "anchors": anchors,
        "notes": [*run.notes, *recordings.notes],
    }


def _skipped(tests: Sequence[RanTest]) -> list[tuple[str, int, list[str]]]:
    """Return each reason for skipping with the number of its tests and its boards, the most frequent first."""
    found: dict[str, list[RanTest]] = {}
    for test in tests:
        if test.result == "skipped":
            found.setdefault(test.message.partition("\n")[0] or "no reason", []).append(test)
    rows = [
        (reason, len(those), [*dict.fromkeys(one.board for one in those if one.board)])
        for reason, those in found.items()
    ]
    return sorted(rows, key=lambda row: -row[1])


def _groups(
    assessment: Assessment,
    tests: Sequence[RanTest],
    recordings: Recordings,
    folders: Mapping[str, Path],
    boards: str,
    full: int,
) -> list[CauseGroup]:
    by_key = {(test.board, test.key): test for test in tests}
    groups: list[CauseGroup] = []
    number, left = 0, full
    for row in assessment.causes:
        found = [by_key[one.board, one.key] for one in _order(assessment, row) if (one.board, one.key) in by_key]
        shown: list[Detail] = []
        told: list[Detail] = []
        for test in found[:_LISTED]:
            number += 1
            # A test that was not run because its board was out has one line only: nothing happened in it.
            if not shown or (left > 0 and not test.board_out):
                left -= bool(shown)
                shown.append(detail(test, f"t{number}", assessment, recordings, folders, boards))
            else:
                told.append(brief(test, f"t{number}", assessment, boards))
        groups.append(CauseGroup(row, shown, told, len(found) - len(shown) - len(told)))
    return groups


def _order(assessment: Assessment, row: CauseRow) -> list[BoardResult]:
    """Return the results, that to look at first as the first: new and short ones; of the lab's trouble the oldest."""
    if row.state == "lab":
        return list(row.results)
    fresh = (ResultState.NEW, ResultState.FIRST)
    return sorted(
        row.results, key=lambda one: (assessment.standings[one.board, one.key].state not in fresh, one.seconds)
    )


def _board(assessment: Assessment, name: str) -> dict[str, Any]:
    run = assessment.run
    counts = dict.fromkeys(("failed", "error", "passed", "skipped"), 0)
    for one in run.results:
        if one.board == name:
            counts[one.result] += 1
    green = next(
        (old for old in reversed(assessment.before) if name in old.boards and old.board_state(name) == "green"), None
    )
    former = {} if green is None else green.boards[name].properties
    properties = run.boards[name].properties
    shown = [
        (label, properties[key], former.get(key, "") if former.get(key, properties[key]) != properties[key] else "")
        for key, label in (
            ("model", "board"),
            ("modem_firmware", "modem"),
            ("firmware", "firmware"),
            ("cloud", "cloud"),
            ("imei", "IMEI"),
        )
        if properties.get(key)
    ]
    return {
        "name": name,
        "state": run.board_state(name),
        "out": run.boards[name].out.removeprefix(f"{name}: "),
        "counts": counts,
        "total": sum(counts.values()),
        "properties": shown,
        "history": board_history(assessment, name, WINDOW),
    }


def _urgency(assessment: Assessment, name: str) -> tuple[int, str]:
    return ("red", "amber", "green").index(assessment.run.board_state(name)), name


def _lower(assessment: Assessment, one: BoardResult) -> float:
    return assessment.standings[one.board, one.key].rate.low


def _usual(assessment: Assessment, one: BoardResult) -> float | None:
    """Return the median time of the runs before."""
    times = sorted(entry.seconds for entry in assessment.standings[one.board, one.key].entries[:-1] if entry.proved)
    return times[len(times) // 2] if times else None
