"""Tells a board's timeline and the journal of each test: where it begins, how its phases went, how it ended."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from harness.errors import LabError, Misuse, branch_of, party_of
from harness.plugin.reporting import TIMEOUT
from harness.plugin.state import CASE, PHASES, READING, WINDOW
from harness.report.decisive_trial import decisive_of
from harness.report.keys import key_of
from harness.timeline import Event, Kind, Window, now, utc_now
from harness.trial.verdict_record import TestRecord

if TYPE_CHECKING:
    from harness.run import Board

_SOURCE = "pytest"
_ONLY_IN_CALL = frozenset({"verdict", "evidence", "attempts"})
# Where a run's log is, on the CI services that say so.
_CI = (
    "GITHUB_SERVER_URL",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ID",
    "GITHUB_SHA",
    "CI_JOB_URL",
    "CI_COMMIT_SHA",
    "BUILD_URL",
)


class PhaseResult(NamedTuple):
    """How a phase of a test went. ``raised``, ``branch``, ``party``: of its error, empty without one."""

    result: str
    seconds: float
    raised: str = ""
    branch: str = ""
    party: str = ""
    place: str = ""


def begin_test(item: pytest.Item, board: Board) -> Window:
    """Open the window of a test on the board's timeline; its first event says which test it is."""
    window = Window(board.timeline)
    clocks = {"began": utc_now(), "mono": now()}
    key = key_of(item.nodeid, board.name)
    window.add(Kind.TEST, _SOURCE, item.nodeid, key=key, names=board.known_names(), **clocks)
    item.stash[PHASES] = {}
    return window


def phase_ended(item: pytest.Item, phase: str, result: str, call: pytest.CallInfo[None]) -> dict[str, Any]:
    """Return the journal's entry for a phase of a test, less what pytest's report says of it.

    ``item``: the test. ``phase``, ``call``: its phase, and what pytest says of that. ``result``: passed, failed, error
    or skipped. With its last phase the test ends on the timeline too.
    """
    case, window, phases = item.stash[CASE], item.stash[WINDOW], item.stash[PHASES]
    phases[phase] = found = _phase(result, call)
    entry: dict[str, Any] = {
        "key": key_of(item.nodeid, case.board),
        "phase": phase,
        "at": datetime.fromtimestamp(call.start, UTC).isoformat(timespec="milliseconds"),
        "result": result,
    }
    if found.raised:
        entry |= {"raised": found.raised, "branch": found.branch, "party": found.party}
    if phase == "call":
        entry |= {"decisive": decisive_of(window.since())} if found.raised else {}
        return entry | {"expected": expected_of(window.since()), "properties": case.properties}
    if phase == "teardown":
        entry |= {"trials": trials.as_data()} if (trials := item.stash[READING].record) != TestRecord() else {}
        _end_test(window, case.result, phases)
    return entry | {"properties": {name: v for name, v in case.properties.items() if name not in _ONLY_IN_CALL}}


def expected_of(events: Sequence[Event]) -> list[list[str]]:
    """Return the expected outcomes of each of a test's trials, in order."""
    return [list(event.data.get("wanted", ())) for event in events if event.kind is Kind.EXPECT]


def run_began(tests: Mapping[str, str], boards_file: Path, lab: str, folder: Path) -> dict[str, Any]:
    """Return what the journal's first entry says of the run: how many ``tests`` each board is to go through.

    ``tests``: node id to board, "" for none; ``boards_file``: which one was used; ``lab``: its name, "" for none;
    ``folder``: of the run.
    """
    planned = Counter(board for board in tests.values() if board)
    return {
        "boards_file": {
            "name": boards_file.name,
            "path": _from_here(boards_file),
            "sha256": hashlib.sha256(boards_file.read_bytes()).hexdigest(),
        },
        "planned": dict(planned),
        "lab": lab,
        "folder": _from_here(folder),
        "ci": {name: os.environ[name] for name in _CI if name in os.environ},
    }


def _from_here(path: Path) -> str:
    """Return ``path`` from the present folder on, "" where it lies elsewhere: a report names no folders above."""
    whole, here = path.resolve(), Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else ""


def timed_out(error: BaseException | None) -> bool:
    """Tell whether pytest-timeout ended a test: the radio may be slow, so that proves nothing about the product."""
    return isinstance(error, pytest.fail.Exception) and "from pytest-timeout" in str(error)


def _phase(result: str, call: pytest.CallInfo[None]) -> PhaseResult:
    if call.excinfo is None or result == "skipped":
        return PhaseResult(result, call.duration)
    error, last = call.excinfo.value, call.excinfo.traceback[-1]
    place = f"{Path(last.path).name}:{last.lineno + 1}"
    if timed_out(error):
        return PhaseResult(result, call.duration, TIMEOUT, LabError.__name__, str(LabError.party), place)
    if isinstance(error, pytest.FixtureLookupError):
        return PhaseResult(result, call.duration, type(error).__name__, Misuse.__name__, str(Misuse.party), place)
    return PhaseResult(result, call.duration, type(error).__name__, branch_of(error), str(party_of(error)), place)


def _end_test(window: Window, result: str, phases: Mapping[str, PhaseResult]) -> None:
    decisive = next((phase for phase in phases.values() if phase.raised), PhaseResult(result, 0.0))
    window.add(
        Kind.END,
        _SOURCE,
        result,
        result=result,
        error=decisive.raised,
        branch=decisive.branch,
        party=decisive.party,
        place=decisive.place,
        seconds={name: round(phase.seconds, 6) for name, phase in phases.items()},
    )
