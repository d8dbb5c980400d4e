"""A test on a board over the runs: since when it fails, whether it comes and goes, how often it failed before.

Pure. A result is *proved* when it passed or failed; errors and skips neither break nor lengthen a streak. *Flips* are
changes between neighbouring proved results of one version: with a change of version they are a regression or a fix.
A board's run in which most of the proved tests failed says something about that run, and is left out of rates and
flips.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from harness.report.run_summary import RunSummary
from harness.report.wilson import NOTHING, Rate, wilson

WINDOW: Final = 30
"""Runs that figures are made of."""
_BROKEN: Final = 3  # failing runs in a row: not a flake any more
_QUIET: Final = 10  # proved runs without a flip: not a flake any more
_FEW: Final = 10  # proved tests of a run that can be left out for failing


class ResultState(StrEnum):
    """How a test on a board stands in a run. Exactly one holds."""

    NEW = "new"  # fails, and passed before
    FIRST = "first"  # fails, and was never proved before
    STILL = "still"  # fails, and failed before
    FLAKY = "flaky"  # comes and goes within one version, or needed another attempt
    FIXED = "fixed"  # passes, and before failed or was not proved
    HEALTHY = "healthy"  # passes, as before
    UNPROVED = "not proved"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One run's result of a test on a board. ``left_out``: most of the board's tests failed in that run."""

    run: str
    result: str
    version: str = ""
    attempts: int = 1
    seconds: float = 0.0
    left_out: bool = False

    @property
    def proved(self) -> bool:
        """It passed or failed."""
        return self.result in ("passed", "failed")


@dataclass(frozen=True, slots=True)
class Standing:
    """``since``: the run that began the present streak of failures, ``streak`` its length in proved runs.

    ``flips``: within one version. ``rate``: how often it failed, of a failing test before the streak.
    ``entries``: of the last :data:`WINDOW` runs, the present one last.
    """

    state: ResultState
    entries: Sequence[HistoryEntry]
    since: str = ""
    streak: int = 0
    flips: int = 0
    rate: Rate = NOTHING

    @property
    def broken(self) -> bool:
        """True if it has failed so often in a row that it is not a flake."""
        return self.streak >= _BROKEN

    @property
    def failing(self) -> bool:
        """It failed in the present run."""
        return bool(self.entries) and self.entries[-1].result == "failed"


def standing(entries: Sequence[HistoryEntry]) -> Standing:
    """Return how a test stands. ``entries``: of its runs, oldest first, the present one last; at least one."""
    streak = _streak(entries)
    entries = list(entries)[-WINDOW:]
    now = entries[-1]
    length = sum(entry.proved for entry in streak)
    since = streak[0].run if streak else ""
    counted = [entry for entry in entries if entry.proved and not entry.left_out]
    flips = _flips(counted)
    early = entries[: max(0, len(entries) - len(streak))]  # the streak is the last part of them
    before = [entry for entry in early if entry.proved and not entry.left_out] if now.result == "failed" else counted
    rate = wilson(sum(entry.result == "failed" for entry in before), len(before))
    state = _state(entries, length, _flaky(counted, flips, now))
    return Standing(state, entries, since, length, flips, rate)


def merge(*histories: Iterable[RunSummary]) -> list[RunSummary]:
    """Return all runs in order of time, each once: the same whatever order they come in."""
    found: dict[tuple[str, str], RunSummary] = {}
    for run in (run for history in histories for run in history):
        key = (run.lab, run.run)
        # Two summaries of one run differ only where one was made later; the fuller one wins, whichever comes first.
        found[key] = max(found[key], run, key=_fullness) if key in found else run
    return sorted(found.values(), key=lambda run: (run.began, run.lab, run.run))


class RunHistory:
    """What each test did in each run. ``runs``: oldest first."""

    def __init__(self, runs: Sequence[RunSummary]) -> None:
        self.runs = runs
        # Of each test the places of its runs and its entries in them: looked up for every run, so kept side by side.
        self._places: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._entries: dict[tuple[str, str, str], list[HistoryEntry]] = defaultdict(list)
        for place, run in enumerate(runs):
            for (board, key), entry in _entries(run).items():
                self._places[run.lab, board, key].append(place)
                self._entries[run.lab, board, key].append(entry)

    def entries(self, lab: str, board: str, key: str, position: int = -1) -> list[HistoryEntry]:
        """Return the entries of a test (``lab``, ``board``, ``key``) up to the run at ``position``, oldest first."""
        places = self._places.get((lab, board, key), [])
        end = len(places) if position == -1 else bisect_right(places, position)
        return self._entries[lab, board, key][:end] if end else []

    def standings(self, position: int = -1, *, bad_only: bool = False) -> dict[tuple[str, str], Standing]:
        """Return how the tests of the run at ``position`` stand: by board and key.

        ``bad_only``: only those that failed or proved nothing.
        """
        run = self.runs[position]
        return {
            (one.board, one.key): standing(self.entries(run.lab, one.board, one.key, position))
            for one in run.results
            if not bad_only or one.result in ("failed", "error")
        }

    def tests(self) -> set[tuple[str, str, str]]:
        """Return every test that is known: lab, board and key."""
        return set(self._places)


def standings(runs: Sequence[RunSummary]) -> Mapping[tuple[str, str], Standing]:
    """Return how each test of the last of ``runs`` stands: by board and key."""
    return RunHistory(runs).standings()


def _entries(run: RunSummary) -> dict[tuple[str, str], HistoryEntry]:
    failing = _mostly_failing(run)
    versions = {name: board.version for name, board in run.boards.items()}
    return {
        (one.board, one.key): HistoryEntry(
            run.run, one.result, versions.get(one.board, ""), one.attempts, one.seconds, one.board in failing
        )
        for one in run.results
    }


def _fullness(run: RunSummary) -> tuple[bool, int, str, str]:
    return run.complete, len(run.results), run.ended, repr(run)


def _state(entries: Sequence[HistoryEntry], streak: int, flaky: bool) -> ResultState:
    now, before = entries[-1], entries[:-1]
    if now.result == "skipped":
        return ResultState.SKIPPED
    if not now.proved:
        return ResultState.UNPROVED
    proved = [entry for entry in before if entry.proved]
    if now.result == "failed":
        if flaky and streak < _BROKEN:
            return ResultState.FLAKY
        if streak > 1:
            return ResultState.STILL
        return ResultState.NEW if proved else ResultState.FIRST
    if flaky:
        return ResultState.FLAKY
    told = [entry for entry in before if entry.result != "skipped"]
    return ResultState.FIXED if told and told[-1].result != "passed" else ResultState.HEALTHY


def _streak(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Return the present unbroken streak of failures, from its first one on; empty where the test does not fail."""
    first: int | None = None
    if entries[-1].result != "failed":
        return []
    for position in range(len(entries) - 1, -1, -1):
        if entries[position].result == "passed":
            break
        if entries[position].result == "failed":
            first = position
    return [] if first is None else list(entries[first:])


def _flips(proved: Sequence[HistoryEntry]) -> int:
    return sum(one.result != other.result and one.version == other.version for one, other in pairwise(proved))


def _flaky(proved: Sequence[HistoryEntry], flips: int, now: HistoryEntry) -> bool:
    if now.result == "passed" and now.attempts > 1:
        return True
    recent = proved[-_QUIET - 1 :]
    if len(recent) > _QUIET and not _flips(recent) and all(entry.attempts == 1 for entry in recent[1:]):
        return False
    return flips >= 2


def _mostly_failing(run: RunSummary) -> set[str]:
    proved: dict[str, list[bool]] = defaultdict(list)
    for one in run.results:
        if one.result in ("passed", "failed"):
            proved[one.board].append(one.result == "failed")
    return {board for board, failed in proved.items() if len(failed) >= _FEW and 2 * sum(failed) > len(failed)}
