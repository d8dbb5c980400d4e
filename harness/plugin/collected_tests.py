"""The tests of a whole run, put together from what its workers have collected.

Each part of it is collected by one worker, and anew by each that takes its place: a board's tests, with those that use
no board; or everything, where there is one part only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

_Key: TypeAlias = tuple[str, int]  # a test's id, and how often it came before (--keep-duplicates)

Part: TypeAlias = str | None
"""A part of a run, by its board; None where there is one only, whose workers collect all tests."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a worker has collected: ``tests`` (node ids), and for each its board, "" for one that uses none."""

    tests: Sequence[str]
    boards: Sequence[str]

    def shared(self) -> dict[_Key, int]:
        """Return where tests stand that use no board."""
        seen: Counter[str] = Counter()
        places: dict[_Key, int] = {}
        for place, (test, board) in enumerate(zip(self.tests, self.boards, strict=True)):
            if not board:
                places[test, seen[test]] = place
                seen[test] += 1
        return places


@dataclass(frozen=True, slots=True)
class Whole:
    """All tests of a run, with their boards, in its order: as one worker would have collected them.

    ``found``: by part, what was collected. ``own``: by part, from a place in ``tests`` to the place in which its
    workers have that test. ``odd``: parts whose tests without a board are not those of the first part; their
    workers run their board's tests only.
    """

    tests: list[str]
    boards: list[str]
    found: Mapping[Part, Found]
    own: Mapping[Part, dict[int, int]]
    odd: Sequence[str] = ()


@dataclass(slots=True)
class Collected:
    """What is known so far of the run's ``parts``, which are in its order."""

    parts: Sequence[Part]
    found: dict[Part, Found] = field(default_factory=dict)
    lost: set[Part] = field(default_factory=set)

    def add(self, part: Part, found: Found) -> None:
        """Note what the first worker of a part has collected."""
        self.found.setdefault(part, found)

    def lose(self, part: Part) -> None:
        """Note that a part has no worker any more, whatever one before had collected."""
        self.lost.add(part)
        self.found.pop(part, None)

    @property
    def complete(self) -> bool:
        """Whether nothing more is to come, and there is something."""
        return bool(self.found) and all(part in self.found or part in self.lost for part in self.parts)

    @property
    def unknown(self) -> list[str]:
        """The boards of whose tests nobody has collected any."""
        return [part for part in self.parts if part is not None and part not in self.found]

    def whole(self) -> Whole:
        """Return all tests. Between two that use no board stand those of the first board, of the second, and so on."""
        parts = [part for part in self.parts if part in self.found]
        shared = {part: self.found[part].shared() for part in parts}
        keys = list(shared[parts[0]])
        odd = [part for part in parts if part is not None and shared[part].keys() != set(keys)]
        regular = [part for part in parts if part not in odd]
        whole = Whole([], [], {part: self.found[part] for part in parts}, {part: {} for part in parts}, odd)
        for turn, rank, place in self._rows(parts, shared):
            mine = parts[rank - 1] if rank else parts[0]
            for part in [mine] if rank else regular:
                whole.own[part][len(whole.tests)] = place if rank else shared[part][keys[turn]]
            whole.tests.append(self.found[mine].tests[place])
            whole.boards.append(self.found[mine].boards[place])
        return whole

    def _rows(self, parts: Sequence[Part], shared: Mapping[Part, Mapping[_Key, int]]) -> list[tuple[int, int, int]]:
        """Return for each test of the run, in its order: the last test without a board, rank of its part, its place.

        The rank of a test without a board is 0, and its place is that in the first part.
        """
        turns = {key: turn for turn, key in enumerate(shared[parts[0]])}
        rows = [(turns[key], 0, place) for key, place in shared[parts[0]].items()]
        for rank, part in enumerate(parts, 1):
            at = {place: turns.get(key) for key, place in shared[part].items()}
            turn = -1
            for place in range(len(self.found[part].tests)):
                if place not in at:
                    rows.append((turn, rank, place))
                elif (known := at[place]) is not None:
                    turn = known
        return sorted(rows)
