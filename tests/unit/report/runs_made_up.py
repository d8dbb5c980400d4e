"""Runs that never took place: summaries and whole folders, written down for tests of history and pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from harness.report.causes import FailureCause
from harness.report.run_summary import BoardResult, BoardSummary, RunSummary

FIRST_NIGHT = datetime(2026, 11, 14, 2, 0, tzinfo=UTC)


def night(number: int) -> str:
    """The id of the run of a night, counted from 1."""
    return f"{(FIRST_NIGHT + timedelta(days=number - 1)).strftime('%Y%m%dT%H%M%SZ')}-{1000 + number}"


def summary(
    number: int,
    results: Mapping[str, Mapping[str, str]],
    *,
    version: str = "v1",
    causes: Iterable[FailureCause] = (),
    cause_of: Mapping[str, str] | None = None,
    lab: str = "",
    complete: bool = True,
) -> RunSummary:
    """The run of night ``number``. ``results``: board to test to result; ``cause_of``: test to hash."""
    began = FIRST_NIGHT + timedelta(days=number - 1)
    hashes = cause_of or {}
    return RunSummary(
        run=night(number),
        lab=lab,
        began=began.isoformat(timespec="milliseconds"),
        ended=(began + timedelta(minutes=19)).isoformat(timespec="milliseconds"),
        complete=complete,
        interrupted="" if complete else "killed",
        not_run=0,
        boards={board: BoardSummary(version) for board in results},
        causes=list(causes),
        results=[
            BoardResult(test, board, result, 0.1, cause=hashes.get(test, "") if result in ("failed", "error") else "")
            for board, tests in results.items()
            for test, result in tests.items()
        ],
    )
