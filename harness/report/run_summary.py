"""run.json: what history needs to know of a run. Made from its journal alone, so also later and on another computer."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from harness.errors import Misuse
from harness.report.causes import Cause, causes_of
from harness.report.ran_tests import RanTest, ran_tests

SCHEMA: Final = 1
"""Rises when a meaning changes. Fields that are not known are ignored."""

BOARD_PROPERTIES: Final = ("imei", "model", "modem_firmware", "firmware", "device_id", "cloud")
_VERSION_OF = ("model", "modem_firmware", "firmware", "cloud")


@dataclass(frozen=True, slots=True)
class Result:
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
    """One run. ``began``, ``ended``: UTC, ISO 8601. ``complete``: it ended by itself, and ran what it had planned."""

    run: str
    lab: str
    began: str
    ended: str
    complete: bool
    interrupted: str
    not_run: int
    boards: Mapping[str, BoardSummary]
    causes: Sequence[Cause]
    results: Sequence[Result]
    link: str = ""

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
        """Red: something failed; amber: something was not proved or not run; green."""
        counts = self.counts
        return "red" if counts["failed"] else "amber" if counts["error"] or not self.complete else "green"

    def board_state(self, board: str) -> str:
        """The same for one board."""
        counts = Counter(result.result for result in self.results if result.board == board)
        if counts["failed"]:
            return "red"
        return "amber" if counts["error"] or self.boards[board].out or not counts["passed"] else "green"


def summary_of(run: str, journal: Sequence[Mapping[str, Any]]) -> tuple[RunSummary, list[RanTest]]:
    """Return the summary of a run, and its tests with all that the journal knows. ``run``: its id."""
    begin, last = journal[0], journal[-1]
    end = next((line for line in journal if line.get("k") == "end"), None)
    tests = ran_tests(journal)
    found = causes_of(tests)
    interrupted = "killed, or the computer went down" if end is None else str(end.get("interrupted", ""))
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
        complete=not interrupted and not not_run,
        interrupted=interrupted,
        not_run=not_run,
        boards=boards,
        causes=list({cause.hash: cause for cause in found.values()}.values()),
        results=[_result(test, found.get((test.test, test.board))) for test in tests],
        link=ci_link(begin.get("ci", {})),
    )
    return summary, tests


def ci_link(ci: Mapping[str, str]) -> str:
    """Return where the run's log is on GitHub, GitLab or Jenkins; empty where it ran on none of them."""
    if ci.get("GITHUB_SERVER_URL") and ci.get("GITHUB_REPOSITORY") and ci.get("GITHUB_RUN_ID"):
        return f"{ci['GITHUB_SERVER_URL']}/{ci['GITHUB_REPOSITORY']}/actions/runs/{ci['GITHUB_RUN_ID']}"
    return ci.get("CI_JOB_URL") or ci.get("BUILD_URL") or ""


def to_json(summary: RunSummary) -> str:
    """Return the text of run.json."""
    counts = {name: summary.counts[name] for name in ("passed", "failed", "error", "skipped")}
    sizes = Counter(result.cause for result in summary.results)
    document = {
        "schema": SCHEMA,
        **{name: getattr(summary, name) for name in ("run", "lab", "began", "ended", "complete", "interrupted")},
        "link": summary.link,
        "counts": {**counts, "not_run": summary.not_run},
        "boards": {
            name: {"version": board.version, "out": board.out, **board.properties}
            for name, board in summary.boards.items()
        },
        "causes": [
            {name: getattr(cause, name) for name in ("hash", "party", "title", "detail", "why", "proved")}
            | {"tests": sizes[cause.hash]}
            for cause in summary.causes
        ],
        "tests": [_row(result) for result in summary.results],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def from_json(text: str, where: str) -> RunSummary:
    """Return what run.json says. ``where``: its path, for the message. Raises Misuse: it is none, or too new."""
    try:
        document = json.loads(text)
        if document["schema"] > SCHEMA:
            raise Misuse(f"{where}: schema {document['schema']} is newer than this harness reads (up to {SCHEMA})")
        return _summary(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise Misuse(f"{where}: no summary of a run ({what}); delete it, and it is made anew") from error


def _summary(document: Mapping[str, Any]) -> RunSummary:
    names = ("hash", "party", "title", "detail", "why", "proved")
    return RunSummary(
        run=str(document["run"]),
        lab=str(document.get("lab", "")),
        began=str(document["began"]),
        ended=str(document["ended"]),
        complete=bool(document["complete"]),
        interrupted=str(document.get("interrupted", "")),
        not_run=int(document["counts"].get("not_run", 0)),
        boards={
            str(name): BoardSummary(
                str(board.get("version", "")),
                str(board.get("out", "")),
                {key: str(board[key]) for key in BOARD_PROPERTIES if key in board},
            )
            for name, board in document["boards"].items()
        },
        causes=[Cause(**{name: cause[name] for name in names if name in cause}) for cause in document["causes"]],
        results=[
            Result(
                str(row["t"]),
                str(row["b"]),
                str(row["r"]),
                float(row.get("s", 0.0)),
                str(row.get("v", "")),
                int(row.get("a", 1)),
                str(row.get("c", "")),
            )
            for row in document["tests"]
        ],
        link=str(document.get("link", "")),
    )


def _row(result: Result) -> dict[str, Any]:
    row: dict[str, Any] = {"t": result.key, "b": result.board, "r": result.result, "s": round(result.seconds, 3)}
    optional = {"v": result.verdicts, "a": result.attempts if result.attempts > 1 else 0, "c": result.cause}
    return row | {name: value for name, value in optional.items() if value}


def _result(test: RanTest, cause: Cause | None) -> Result:
    found = "" if cause is None else cause.hash
    return Result(test.key, test.board, test.result, test.seconds, test.verdicts[:200], test.attempts, found)


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
