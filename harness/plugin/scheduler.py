"""Which worker runs which tests: all tests of a board on one worker, in order; if it dies, another one goes on.

pytest-xdist's own scheduler for groups does nothing with pytest 9.2 (pytest-xdist issue 1386), and gives the test that
killed a worker to the next one again and again (issue 1323). This one speaks the interface that pytest-xdist 3.8
documents for ``pytest_xdist_make_scheduler``.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

DEATHS: Final = 3
"""Deaths of workers in tests of one board until the board is out; so two workers are replaced."""
_LAST = 1  # a worker holds its last test back until it is given another one, or told that there is none


class BoardScheduling:
    """Gives out groups of tests; a group stays on one worker. ``groups``: that of each test, as collected.

    ``differs`` is told of a worker that collected other tests than the first one did: it gets none.
    A group that has ended :data:`DEATHS` workers is given up: what is left of it is in ``given_up``, by the test in
    which the last one died. ``config``: pytest's; pytest-rerunfailures asks the scheduler for it when a worker dies.
    """

    def __init__(self, differs: Callable[[Any], None] = lambda _node: None, config: Any = None) -> None:
        self.config = config
        self.groups: Sequence[str] = ()
        self.given_up: dict[str, list[str]] = {}
        self._deaths: Counter[str] = Counter()
        self._differs = differs
        self._tests: Sequence[str] | None = None
        self._waiting: deque[list[int]] = deque()
        self._pending: dict[Any, list[int]] = {}  # tests that a worker was given and has not ended
        self._ready: list[Any] = []
        self._closed: set[Any] = set()

    @property
    def nodes(self) -> list[Any]:
        """The workers."""
        return list(self._pending)

    @property
    def collection_is_completed(self) -> bool:
        """Tests can be given out: from the first worker on that knows them."""
        return self._tests is not None

    @property
    def tests_finished(self) -> bool:
        """Every test has been run."""
        return self.collection_is_completed and not self.has_pending

    @property
    def has_pending(self) -> bool:
        """There are tests that have not ended."""
        return bool(self._waiting) or any(self._pending.values())

    def add_node(self, node: Any) -> None:
        """A worker is there; it does not know its tests yet."""
        self._pending[node] = []

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """A worker has collected its tests."""
        if self._tests is None:
            self._tests = list(collection)
            together: dict[str, list[int]] = {}
            for index, group in enumerate(self.groups):
                together.setdefault(group, []).append(index)
            self._waiting.extend(together.values())
        elif list(collection) != self._tests:
            self._differs(node)
            self._close(node)
            return
        self._ready.append(node)

    def schedule(self) -> None:
        """Give tests to workers that have none."""
        for node in self._ready:
            if node in self._pending and len(self._pending[node]) <= _LAST:
                self._give(node)

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0.0) -> None:
        """A worker has ended a test."""
        self._pending[node].remove(item_index)
        if len(self._pending[node]) <= _LAST:
            self._give(node)

    def remove_node(self, node: Any) -> str | None:
        """A worker has ended; return the test that it was running. Its other tests wait for another worker."""
        left = self._pending.pop(node)
        if not left or self._tests is None:
            return None
        running, *rest = left
        group = self.groups[running]
        self._deaths[group] += 1
        if self._deaths[group] == DEATHS:
            rest = self._give_up(group, running, rest)
        parts = [list(part) for _, part in groupby(rest, key=lambda index: self.groups[index])]
        self._waiting.extendleft(reversed(parts))
        self.schedule()
        return self._tests[running]

    def _give_up(self, group: str, running: int, rest: Sequence[int]) -> list[int]:
        """Take a group's tests out of what is left; return what stays of ``rest``."""
        assert self._tests is not None  # noqa: S101 - only after tests were given out
        out = [index for index in rest if self.groups[index] == group]
        for part in self._waiting:
            out += [index for index in part if self.groups[index] == group]
        self._waiting = deque(part for part in self._waiting if self.groups[part[0]] != group)
        self.given_up[self._tests[running]] = [self._tests[index] for index in out]
        return [index for index in rest if self.groups[index] != group]

    def mark_test_pending(self, item: str) -> None:
        """Give a test out once more, by the wish of another plug-in."""
        assert self._tests is not None  # noqa: S101 - only after tests were given out
        self._waiting.appendleft([self._tests.index(item)])
        self.schedule()

    def remove_pending_tests_from_node(self, node: Any, indices: Sequence[int]) -> None:
        """Nothing is ever taken back from a worker."""
        raise NotImplementedError

    def _give(self, node: Any) -> None:
        if node in self._closed:
            return
        while self._waiting and len(self._pending[node]) <= _LAST:
            group = self._waiting.popleft()
            self._pending[node].extend(group)
            node.send_runtest_some(group)
        if not self._waiting:
            self._close(node)  # at once, so that it ends, and gives its board back, with its last test

    def _close(self, node: Any) -> None:
        if node not in self._closed:
            self._closed.add(node)
            node.shutdown()


class Scheduling:
    """Speaks to pytest-xdist for one of two schedulers; which, is known when the first worker has its tests.

    ``groups``: from all tests (node ids) to the group of each; none where tests need not be kept together.
    """

    def __init__(self, plain: Any, boards: BoardScheduling, groups: Callable[[Sequence[str]], Sequence[str]]) -> None:
        self._plain = plain
        self._boards = boards
        self._groups = groups
        self._chosen: Any = None

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """A worker has collected its tests; the first one that has decides."""
        if self._chosen is None:
            self._boards.groups = self._groups(collection)
            self._chosen = self._boards if self._boards.groups else self._plain
            if self._chosen is self._boards:
                for known in self._plain.nodes:
                    self._boards.add_node(known)
        self._chosen.add_node_collection(node, collection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chosen or self._plain, name)
