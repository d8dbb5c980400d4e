"""Which worker runs which tests: all tests of a board on one worker, in order; if it dies, another one goes on.

pytest-xdist's own scheduler for groups does nothing with pytest 9.2 (pytest-xdist issue 1386), and gives the test that
killed a worker to the next one again and again (issue 1323). This one speaks the interface that pytest-xdist 3.8
documents for ``pytest_xdist_make_scheduler``.

pytest-xdist speaks to a worker of tests by their places among those that it has collected. Here a test's number is its
place in the whole run.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any, Final, Protocol

from harness.plugin.collected_tests import Collected, Found, Part, Whole

DEATHS: Final = 3
"""Deaths of workers in tests of one board until the board is out; so two workers are replaced."""
_LAST = 1  # a worker holds its last test back until it is given another one, or told that there is none
_INTERRUPTED = 2  # pytest's exit code; pytest-xdist replaces such a worker


class BoardScheduling:
    """Gives out groups of tests: those of a board, or of a file where they use none. A group stays on one worker.

    A worker that collected other tests than the first one of its part did gets none.
    A group that has ended :data:`DEATHS` workers is given up: what is left of it is in ``given_up``, by the test in
    which the last one died. So is a group that nobody is left to run; the ``leader`` is told of it.
    ``whole``: all tests of the run. ``config``: pytest's; pytest-rerunfailures asks the scheduler for it when a worker
    dies.
    """

    collection_is_completed = True

    def __init__(self, whole: Whole, leader: Workers, config: Any = None) -> None:
        self.config = config
        self.given_up: dict[str, list[str]] = {}
        self._whole = whole
        self._leader = leader
        self._part_of = leader.part_of
        self._numbers = {part: {place: test for test, place in own.items()} for part, own in whole.own.items()}
        self._groups = [board or test.partition("::")[0] for test, board in zip(whole.tests, whole.boards, strict=True)]
        self._deaths: Counter[str] = Counter()  # by group
        self._early_deaths: Counter[Part] = Counter()  # by part, of workers that had not collected
        self._pending: dict[Any, list[int]] = {}  # tests that a worker was given and has not ended
        self._ready: list[Any] = []
        together: dict[str, list[int]] = {}
        for number, group in enumerate(self._groups):
            together.setdefault(group, []).append(number)
        self._waiting = deque(together.values())

    @property
    def nodes(self) -> list[Any]:
        """The workers."""
        return list(self._pending)

    @property
    def tests_finished(self) -> bool:
        """Every test has been run."""
        return not self.has_pending

    @property
    def has_pending(self) -> bool:
        """There are tests that have not ended."""
        return bool(self._waiting) or any(self._pending.values())

    def add_node(self, node: Any) -> None:
        """A worker is there; it does not know its tests yet."""
        self._pending[node] = []

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """A worker has collected its tests."""
        found = self._whole.found.get(self._part_of(node))
        if found is None:
            node.shutdown()  # its part was lost before, which has been said
        elif list(collection) != list(found.tests):
            self._leader.differs(node)
            node.shutdown()
            self.give_up_unreachable(node, "found other tests than the one before it")
        else:
            self._ready.append(node)

    def schedule(self) -> None:
        """Give tests to workers that have none."""
        for node in self._ready:
            if node in self._pending and len(self._pending[node]) <= _LAST:
                self._give(node)

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0.0) -> None:
        """A worker, ``node``, has ended a test. ``item_index``: its place among the tests that this worker collected.

        ``duration``: seconds that it took, which nothing here depends on.
        """
        self._pending[node].remove(self._numbers[self._part_of(node)][item_index])
        if len(self._pending[node]) <= _LAST:
            self._give(node)

    def remove_node(self, node: Any) -> str | None:
        """A worker has ended; return the test in which it died. Its other tests wait for another worker.

        One that ended by itself (``pytest.exit`` in a test) died in none: pytest-xdist takes such a test for a mistake.
        Raises KeyError, as pytest-xdist expects, for a worker that died before it was added.
        """
        left = self._pending.pop(node, None)
        crashed = self._take_back(left, in_test=died(node)) if left else None
        self.schedule()
        if not died(node):
            self.give_up_unreachable(node, "ended by itself")
        elif node not in self._ready:
            self._early_deaths[self._part_of(node)] += 1
            if not self.wait_for(self._part_of(node)):
                self.give_up_unreachable(node, f"died before it had collected, as {DEATHS - 1} before it")
        if left is None:
            raise KeyError(node)
        return crashed

    def _take_back(self, left: Sequence[int], *, in_test: bool) -> str | None:
        """Have other workers run what one has left; return the test in which it died. ``in_test``: in the first."""
        running, rest = left[0], list(left)
        if in_test:
            group, rest = self._groups[running], rest[1:]
            self._deaths[group] += 1
            if self._deaths[group] == DEATHS:
                rest = self._give_up(group, running, rest)
        parts = [list(part) for _, part in groupby(rest, key=lambda number: self._groups[number])]
        self._waiting.extendleft(reversed(parts))
        return self._whole.tests[running] if in_test else None

    def wait_for(self, part: Part) -> bool:
        """Tell whether tests wait for another worker of this part: not if too many of them die before they know any."""
        if part is not None and self._early_deaths[part] >= DEATHS:
            return False
        return any(self._has(part, group) for group in self._waiting)

    def _has(self, part: Part, group: Sequence[int]) -> bool:
        return group[0] in self._whole.own.get(part, {})

    def give_up_unreachable(self, node: Any, why: str) -> None:
        """Give up what no worker can run: none that knows it is there, or is to come. ``why`` not this one."""
        if self._leader.stopping():
            return
        able = {self._part_of(other) for other in self._leader.workers() if not other.shutting_down}
        for group in list(self._waiting):
            if not any(self._has(part, group) for part in able):
                self._waiting.remove(group)
                self._leader.cannot_run([self._whole.tests[number] for number in group], node, why)

    def _give_up(self, group: str, running: int, rest: Sequence[int]) -> list[int]:
        """Take a group's tests out of what is left; return what stays of ``rest``."""
        out = [number for number in rest if self._groups[number] == group]
        for part in self._waiting:
            out += [number for number in part if self._groups[number] == group]
        self._waiting = deque(part for part in self._waiting if self._groups[part[0]] != group)
        self.given_up[self._whole.tests[running]] = [self._whole.tests[number] for number in out]
        return [number for number in rest if self._groups[number] != group]

    def mark_test_pending(self, item: str) -> None:
        """Give a test out once more, by the wish of another plug-in."""
        self._waiting.appendleft([self._whole.tests.index(item)])
        self.schedule()

    def remove_pending_tests_from_node(self, node: Any, indices: Sequence[int]) -> None:
        """Nothing is ever taken back from a worker."""
        raise NotImplementedError

    def _give(self, node: Any) -> None:
        if node.shutting_down:  # by this scheduler, or by pytest-xdist (-x): it would never begin them
            return
        known, pending = self._whole.own[self._part_of(node)], self._pending[node]
        while (waiting := [group for group in self._waiting if group[0] in known]) and len(pending) <= _LAST:
            group = waiting[0]
            self._waiting.remove(group)
            pending.extend(group)
            node.send_runtest_some([known[number] for number in group])
        if not waiting:
            node.shutdown()  # at once, so that it ends, and gives its board back, with its last test


class Workers(Protocol):
    """Who knows the workers, and is told what they cannot do."""

    def part_of(self, node: Any) -> Part:
        """Return which part of the run a worker collects."""

    def workers(self) -> Collection[Any]:
        """Return the workers that have not ended, also those that are still starting."""

    def stopping(self) -> bool:
        """Tell whether workers are being ended before their time."""

    def differs(self, node: Any) -> None:
        """Take note of a worker that has collected other tests than the first one of its part."""

    def cannot_run(self, tests: Sequence[str], node: Any, why: str) -> None:
        """Take note that nobody is left to run ``tests``; ``node`` was the last one, and ``why`` it does not."""


class Leader(Workers, Protocol):
    """Who knows the workers, and is told what becomes of the run."""

    def found(self, node: Any, tests: Sequence[str]) -> Found:
        """Return what a worker has collected, with the board of each test."""

    def begin(self, whole: Whole, lost: Sequence[str]) -> BoardScheduling | None:
        """Take note of what will be run, and of parts that are lost; return None where no test uses a board."""

    def count(self, number: int) -> None:
        """Take note of how many tests there are."""


def died(node: Any) -> bool:
    """Tell whether a worker that has ended died, or was interrupted: pytest-xdist then starts another one."""
    said: dict[str, Any] = getattr(node, "workeroutput", {})  # one that died has said nothing
    return bool(said.get("exitstatus", _INTERRUPTED) == _INTERRUPTED)


class Scheduling:
    """Speaks to pytest-xdist for one of two schedulers; which, is known when each part has been collected.

    ``plain``: pytest-xdist's own, for a run without boards. ``parts``: of the run, which workers collect.
    ``leader``: knows the workers, and is told what they cannot do.

    A part is lost, and the others begin, when :data:`DEATHS` workers have died before they had collected it, or one has
    ended by itself. Where each worker collects everything, nothing is lost while there is another one.
    """

    def __init__(self, plain: Any, parts: Sequence[Part], leader: Leader) -> None:
        self._plain = plain
        self._leader = leader
        self._collected = Collected(parts)
        self._early: dict[Any, Sequence[str]] = {}  # workers that wait for others, with their tests
        self._deaths: Counter[Part] = Counter()  # of workers that had not collected
        self._tests = 0
        self._boards: BoardScheduling | None = None
        self._chosen: Any = None

    @property
    def tests_finished(self) -> bool:
        """Every test has been run, or nobody is left who could say which there are."""
        return not self._leader.workers() if self._chosen is None else bool(self._chosen.tests_finished)

    def needs_another(self, node: Any) -> bool:
        """Tell whether a worker has to take the place of one that died: not if nothing is left that it could run."""
        part = self._leader.part_of(node)
        if self._chosen is None:
            return part not in self._collected.lost
        return self._boards is None or self._boards.wait_for(part)

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """A worker has collected its tests."""
        if self._chosen is None:
            part = self._leader.part_of(node)
            if part not in self._collected.found:
                self._collected.add(part, self._leader.found(node, collection))
            self._early[node] = collection
            self._choose()
        else:
            self._chosen.add_node_collection(node, collection)
        self._leader.count(self._tests)

    def schedule(self) -> None:
        """Every worker has collected: give tests out."""
        self._chosen.schedule()
        self._leader.count(self._tests)  # pytest-xdist has noted the last one's tests meanwhile

    def remove_node(self, node: Any) -> str | None:
        """A worker has ended; return the test that it was running."""
        if self._chosen is not None:
            return self._remove_chosen(node)
        try:
            self._plain.remove_node(node)  # KeyError, as xdist expects, for a worker that never began
        finally:
            self._early.pop(node, None)
            if not self._leader.stopping():
                self._ended_early(node)
        return None

    def _remove_chosen(self, node: Any) -> str | None:
        crashed: str | None = self._chosen.remove_node(node)
        if self._boards is None and not died(node) and node not in self._plain.node2collection:
            self._expect_one_less()
        return crashed

    def _ended_early(self, node: Any) -> None:
        part = self._leader.part_of(node)
        self._deaths[part] += 1 if died(node) else DEATHS
        if self._deaths[part] >= DEATHS and not (part is None and died(node)):
            self._lose(part)

    def _lose(self, part: Part) -> None:
        if part is not None:
            self._collected.lose(part)
        self._choose()
        self._expect_one_less()

    def not_replaced(self, node: Any, why: str) -> None:
        """Nobody takes the place of a worker that died: what no other one can run is given up. ``why`` it ended."""
        if self._boards is not None:
            self._boards.give_up_unreachable(node, why)
        elif self._chosen is None:
            self._lose(self._leader.part_of(node))
        else:
            self._expect_one_less()

    def _expect_one_less(self) -> None:
        """Have pytest-xdist's own scheduler wait for one worker less, and begin if all others are there."""
        self._plain.numnodes -= 1
        if self._chosen is not None and self._chosen.collection_is_completed:
            self.schedule()

    def _choose(self) -> None:
        if not self._collected.complete:
            return
        whole = self._collected.whole()
        self._tests = len(whole.tests)
        self._boards = self._leader.begin(whole, self._collected.unknown)
        if self._boards is not None:
            for known in self._plain.nodes:
                self._boards.add_node(known)
        self._chosen = self._boards or self._plain
        for node, collection in self._early.items():
            self._chosen.add_node_collection(node, collection)
        self._early.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chosen or self._plain, name)
