"""What history needs to know of a run. Made from its journal alone, so also later and on another computer."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from harness.report.causes import FailureCause, causes_of
from harness.report.ran_tests import KILLED, RanTest, ran_tests

BOARD_PROPERTIES: Final = ("imei", "model", "modem_firmware", "firmware", "device_id", "cloud")
_VERSION_OF = ("model", "modem_firmware", "firmware", "cloud")


@dataclass(frozen=True, slots=True)
class BoardResult:
    """One test on one board in one run. ``cause``: hash, empty where it passed or was skipped."""

    key: str
    board: str
    result: str
    seconds: float = 0.0
    verdicts: str = ""
    attempts: int = 1
    cause: str = ""


@dataclass(frozen=True, slots=True)
class BoardSummary:
    """``version``: the same as long as nothing under test, nor the tests, changed. ``out``: why it was lost."""

    version: str = ""
    out: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run. ``began``, ``ended``: UTC, ISO 8601. ``complete``: it ended by itself, and ran what it had planned.

    ``going_on``: it has not ended yet; such a summary is never stored. ``notes``: what a reader should know besides.
    """

    run: str
    lab: str
    began: str
    ended: str
    complete: bool
    interrupted: str
    not_run: int
    boards: Mapping[str, BoardSummary]
    causes: Sequence[FailureCause]
    results: Sequence[BoardResult]
    link: str = ""
    going_on: bool = False
    notes: Sequence[str] = ()

    @property
    def counts(self) -> Counter[str]:
        """How many tests passed, failed, error, skipped."""
        return Counter(result.result for result in self.results)

    @property
    def seconds(self) -> float:
        """How long it took, by the wall clock; never less than nothing, as clocks may jump."""
        try:
            return max(0.0, (datetime.fromisoformat(self.ended) - datetime.fromisoformat(self.began)).total_seconds())
        except ValueError:
            return 0.0

    @property
    def state(self) -> str:
        """Red: something failed; amber: something was not proved or not run, or nothing passed; green."""
        counts = self.counts
        if counts["failed"]:
            return "red"
        return "amber" if counts["error"] or not self.complete or not counts["passed"] else "green"

    def board_state(self, board: str) -> str:
        """The same for one board."""
        counts = Counter(result.result for result in self.results if result.board == board)
        if counts["failed"]:
            return "red"
        return "amber" if counts["error"] or self.boards[board].out or not counts["passed"] else "green"


def summary_of(
    run: str, journal: Sequence[Mapping[str, Any]], *, going_on: bool = False
) -> tuple[RunSummary, list[RanTest]]:
    """Return the summary of a run, and its tests with all that the journal knows.

    ``run``: its id. ``journal``: its lines. ``going_on``: it has not ended yet, so the tests that run now are left out.
    """
    begin, last = journal[0], journal[-1]
    end = next((line for line in journal if line.get("k") == "end"), None)
    tests = [test for test in ran_tests(journal) if not (going_on and test.message == KILLED)]
    found = causes_of(tests)
    killed = "" if going_on else "killed, or the computer went down"
    interrupted = killed if end is None else str(end.get("interrupted", ""))
    not_run = len(begin.get("tests", {})) - len(tests)
    boards = {
        board: _board(board, tests, begin)
        for board in dict.fromkeys([*begin.get("planned", {}), *(test.board for test in tests if test.board)])
    }
    summary = RunSummary(
        run=run,
        lab=str(begin.get("lab", "")),
        began=str(begin.get("at", "")),
        ended=str(last.get("at", "")),
        complete=going_on or (not interrupted and not not_run),
        interrupted=interrupted,
        not_run=not_run,
        boards=boards,
        causes=list({cause.hash: cause for cause in found.values()}.values()),
        results=[_result(test, found.get((test.test, test.board))) for test in tests],
        link=ci_link(begin.get("ci", {})),
        going_on=going_on,
        notes=tuple(str(line["text"]) for line in journal if line.get("k") == "note"),
    )
    return summary, tests


def ci_link(ci: Mapping[str, str]) -> str:
    """Return where the run's log is on GitHub, GitLab or Jenkins; empty where it ran on none of them."""
    if ci.get("GITHUB_SERVER_URL") and ci.get("GITHUB_REPOSITORY") and ci.get("GITHUB_RUN_ID"):
        return f"{ci['GITHUB_SERVER_URL']}/{ci['GITHUB_REPOSITORY']}/actions/runs/{ci['GITHUB_RUN_ID']}"
    return ci.get("CI_JOB_URL") or ci.get("BUILD_URL") or ""


def _result(test: RanTest, cause: FailureCause | None) -> BoardResult:
    found = "" if cause is None else cause.hash
    return BoardResult(test.key, test.board, test.result, test.seconds, test.verdicts[:200], test.attempts, found)


def _board(board: str, tests: Sequence[RanTest], begin: Mapping[str, Any]) -> BoardSummary:
    mine = [test for test in tests if test.board == board]
    properties = {
        name: next((test.properties[name] for test in mine if name in test.properties), "") for name in BOARD_PROPERTIES
    }
    told = [properties[name] for name in _VERSION_OF]
    ci = begin.get("ci", {})
    told += [str(begin.get("boards_file", {}).get("sha256", "")), ci.get("GITHUB_SHA") or ci.get("CI_COMMIT_SHA") or ""]
    version = hashlib.sha256("\0".join(told).encode("utf-8", "backslashreplace")).hexdigest()[:12]
    out = next((test.out for test in mine if test.out), "")
    return BoardSummary(version, out, {name: value for name, value in properties.items() if value})
