"""How far a run is, for whoever shows it: fed by the thread that runs or hears the tests, read by another one."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.report.causes import FailureCause, causes_of
from harness.report.live.earlier_runs import Usual
from harness.report.ran_tests import RanTest, attempts_of, ran_test, runs_again

_SLOW_AT_LEAST = 60.0  # seconds
_SLOW_TIMES = 3.0  # the usual time


@dataclass(frozen=True, slots=True)
class LiveBoard:
    """One board now. ``results``: as the page counts them; ``running``: its test, "" between tests, ``since`` when.

    ``slow``: its test takes far longer than usual.
    """

    name: str
    planned: int
    results: Mapping[str, int]
    running: str = ""
    since: float = 0.0
    out: str = ""
    slow: bool = False

    @property
    def done(self) -> int:
        """How many of its tests have ended."""
        return sum(self.results.values())

    @property
    def complete(self) -> bool:
        """All of them have."""
        return self.done >= self.planned


@dataclass(frozen=True, slots=True)
class LiveCause:
    """One cause so far. ``tests``: in the order in which they ended; ``age``: new, since when, or ""."""

    cause: FailureCause
    tests: Sequence[RanTest]
    age: str = ""

    @property
    def failed(self) -> bool:
        """True if it made tests fail; otherwise it kept them from being proved."""
        return any(test.result == "failed" for test in self.tests)

    @property
    def boards(self) -> list[str]:
        """Where it was met."""
        return list(dict.fromkeys(test.board for test in self.tests if test.board))


@dataclass(frozen=True, slots=True)
class LiveView:
    """A run at one moment. ``left``: seconds until its end, None: nobody knows."""

    planned: int
    seconds: float
    boards: Sequence[LiveBoard]
    causes: Sequence[LiveCause]
    done: int = 0
    left: float | None = None

    @property
    def state(self) -> str:
        """Red: something failed; amber: something was not proved; green so far."""
        if any(row.failed for row in self.causes):
            return "red"
        return "amber" if self.causes or any(board.out for board in self.boards) else "green"


@dataclass(slots=True)
class _Board:
    """``expected``: seconds of the tests that have not ended and whose usual time is known; ``unknown``: the others."""

    planned: int
    results: Counter[str] = field(default_factory=Counter)
    running: str = ""
    since: float = 0.0
    out: str = ""
    seconds: float = 0.0
    expected: float = 0.0
    unknown: int = 0

    def left(self, now: float) -> float | None:
        """Return how long the rest will take, judged by earlier runs, and otherwise by this one; None: nobody knows."""
        if self.out:
            return 0.0
        done = self.results.total()
        if self.unknown and not done:
            return None
        rest = self.expected + (self.unknown * self.seconds / done if self.unknown else 0.0)
        return max(0.0, rest - (now - self.since if self.running else 0.0))


class LiveRun:
    """``planned``: test to board, "" for none; ``began``: monotonic; ``workers``: boards at a time.

    Any thread may call any method.
    """

    def __init__(self, planned: Mapping[str, str], began: float, workers: int = 1) -> None:
        self._planned = dict(planned)
        self._began = began
        self._workers = max(workers, 1)
        self._lock = threading.Lock()
        self._boards = {name: _Board(number, unknown=number) for name, number in Counter(planned.values()).items()}
        self._phases: dict[str, list[Mapping[str, Any]]] = {}
        self._ended: dict[str, RanTest] = {}
        self._bad: list[RanTest] = []
        self._causes: list[LiveCause] = []
        self._stale = False
        self._usual = Usual()
        self._seconds: dict[str, float] = {}  # test to what it usually takes

    def know(self, usual: Usual) -> None:
        """Take what earlier runs say, as soon as they have been read."""
        found = {test: usual.seconds(test, board) for test, board in self._planned.items()}
        with self._lock:
            self._usual, self._stale = usual, True
            self._seconds = {test: seconds for test, seconds in found.items() if seconds is not None}
            for board in self._boards.values():
                board.expected, board.unknown = 0.0, 0
            for test, name in self._planned.items():
                if test not in self._ended:
                    self._count(test, self._boards[name], 1)

    def begin(self, test: str, at: float) -> None:
        """A test begins at ``at`` (monotonic)."""
        with self._lock:
            board = self._board(test)
            board.running, board.since = test, at

    def phase(self, test: str, fields: Mapping[str, Any]) -> None:
        """A phase of a test has ended; ``fields``: as the journal has them."""
        with self._lock:
            phases = self._phases.setdefault(test, [])
            phases.append(fields)
            if fields.get("out"):
                self._board(test).out = str(fields["out"])
            ended = fields.get("phase") == "teardown" and not runs_again(attempts_of(phases)[-1])
            if ended or fields.get("crashed"):
                self._end(test, self._phases.pop(test))

    def view(self, now: float) -> LiveView:
        """Return how far the run is at ``now`` (monotonic)."""
        with self._lock:
            if self._stale:
                self._causes, self._stale = self._grouped(), False
            lefts = [board.left(now) for board in self._boards.values()]
            known = [left for left in lefts if left is not None]
            left = max(max(known), sum(known) / self._workers) if known and len(known) == len(lefts) else None
            boards = [self._live(name, board, now) for name, board in self._boards.items() if name]
            return LiveView(len(self._planned), now - self._began, boards, self._causes, len(self._ended), left)

    def _board(self, test: str) -> _Board:
        return self._boards.setdefault(self._planned.get(test, ""), _Board(0))

    def _end(self, test: str, phases: Sequence[Mapping[str, Any]]) -> None:
        name, board = self._planned.get(test, ""), self._board(test)
        ran = ran_test(test, name, phases, ended=True)
        former = self._ended.get(test)
        if former is None:
            self._count(test, board, -1)
        else:  # run once more by another plug-in: its last result counts
            board.results[former.result] -= 1
            self._bad = [one for one in self._bad if one is not former]
        self._ended[test] = ran
        board.results[ran.result] += 1
        board.seconds += ran.seconds
        if board.running == test:
            board.running = ""
        bad = ran.result in ("failed", "error")
        if bad:
            self._bad.append(ran)
        self._stale = self._stale or bad or former is not None

    def _count(self, test: str, board: _Board, sign: int) -> None:
        """Take a test into (1) or out of (-1) what is left of its board."""
        if test in self._seconds:
            board.expected += sign * self._seconds[test]
        elif test in self._planned:
            board.unknown += sign

    def _grouped(self) -> list[LiveCause]:
        found = causes_of(self._bad)
        groups: dict[str, list[RanTest]] = {}
        causes: dict[str, FailureCause] = {}
        for test in self._bad:
            cause = found[test.test, test.board]
            causes[cause.hash] = cause
            groups.setdefault(cause.hash, []).append(test)
        return [LiveCause(causes[name], tests, self._usual.age(tests)) for name, tests in groups.items()]

    def _live(self, name: str, board: _Board, now: float) -> LiveBoard:
        results = {result: board.results[result] for result in ("failed", "error", "passed", "skipped")}
        took = now - board.since if board.running else 0.0
        slow = took > max(_SLOW_AT_LEAST, _SLOW_TIMES * self._seconds.get(board.running, 0.0))
        return LiveBoard(name, board.planned, results, board.running, board.since, board.out, slow)
