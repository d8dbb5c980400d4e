"""Smallest set cover: the fewest sets that together hold every element. Exact and proved, unless it is cut off.

Sets are bit masks: bit ``n`` of a mask is element ``n``. Three facts shrink the problem and lose no smallest cover. A
set that lies in another one is never needed. An element that only one set holds makes that set necessary. An element
that is in every set of another element is covered whenever that one is. What remains is searched by branch and bound.
The bound: if no two of some elements share a set, each of them needs a set of its own.

Example: A = {0, 1}, B = {1, 2}, C = {2}. C lies in B and is dropped. Only A holds 0, so A is chosen, and covers 1 too.
Only B is left to hold 2. Elements 0 and 2 share no set, so every cover has at least two sets: {A, B} is a smallest one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cover:
    """Chosen sets, by position. Every cover has at least ``at_least`` sets.

    ``apart``: elements of which no two are in one set. They prove, in a way that is easy to check, that ``len(apart)``
    sets are needed. ``nodes``: how many partial covers were looked at.
    """

    chosen: tuple[int, ...]
    apart: tuple[int, ...]
    at_least: int
    nodes: int

    @property
    def exact(self) -> bool:
        """Whether it is proved that no cover is smaller."""
        return self.at_least == len(self.chosen)


def smallest_cover(sets: Sequence[int], *, max_nodes: int = 20_000) -> Cover:
    """Return the fewest of ``sets`` that together hold every element of any set. Of equal sets the first is taken.

    After ``max_nodes`` partial covers the search ends with the best cover so far. It begins with a greedy one.
    """
    needed = 0
    for mask in sets:
        needed |= mask
    root = _Partial(dict(enumerate(sets)), needed)
    apart = (*root.deciding, *root.apart())
    search = _Search(_greedy(root), max_nodes)
    search.visit(root)
    at_least = len(search.best) if search.nodes <= max_nodes else len(apart)
    return Cover(tuple(sorted(search.best)), tuple(sorted(apart)), at_least, search.nodes)


class _Partial:
    """A partial cover, reduced: sets ``chosen`` so far, ``sets`` still worth choosing, elements still ``needed``.

    ``deciding``: the elements that made a set necessary on the way here.
    """

    def __init__(self, sets: dict[int, int], needed: int, chosen: tuple[int, ...] = ()) -> None:
        self.sets, self.needed, self.chosen = sets, needed, chosen
        self.deciding: list[int] = []
        while self._drop_sets() or self._decide() or self._drop_elements():
            pass

    def holders(self) -> dict[int, frozenset[int]]:
        """Return, for each needed element, the sets that hold it."""
        return {e: frozenset(i for i, mask in self.sets.items() if mask >> e & 1) for e in _elements(self.needed)}

    def apart(self) -> list[int]:
        """Return needed elements of which no two share a set, chosen greedily. Each needs a set of its own."""
        holders = self.holders()
        found: list[int] = []
        taken: set[int] = set()
        for element in sorted(holders, key=lambda e: len(holders[e])):
            if taken.isdisjoint(holders[element]):
                found.append(element)
                taken |= holders[element]
        return found

    def choose(self, number: int) -> "_Partial":
        """Return the partial cover with one more set."""
        return _Partial(self.sets, self.needed & ~self.sets[number], (*self.chosen, number))

    def _drop_sets(self) -> bool:
        """Drop sets that lie in another one. Of equal sets keep the first."""
        before = self.sets
        kept: dict[int, int] = {}
        # By size, so that a set can only lie in one that is kept already.
        for number, mask in sorted(before.items(), key=lambda item: (-(item[1] & self.needed).bit_count(), item[0])):
            mask &= self.needed
            if mask and not any(mask & ~larger == 0 for larger in kept.values()):
                kept[number] = mask
        self.sets = kept
        return len(kept) < len(before)

    def _decide(self) -> bool:
        for element, holders in self.holders().items():
            if len(holders) == 1:
                (number,) = holders
                self.deciding.append(element)
                self.chosen += (number,)
                self.needed &= ~self.sets[number]
                return True
        return False

    def _drop_elements(self) -> bool:
        """Drop elements that are in every set of another element. Of elements in the same sets keep the first."""
        before = self.needed
        kept: list[frozenset[int]] = []
        for element, holders in sorted(self.holders().items(), key=lambda item: len(item[1])):
            if any(fewer <= holders for fewer in kept):
                self.needed &= ~(1 << element)
            else:
                kept.append(holders)
        return self.needed != before


class _Search:
    def __init__(self, best: tuple[int, ...], max_nodes: int) -> None:
        self.best, self.nodes, self._max = best, 0, max_nodes

    def visit(self, partial: _Partial) -> None:
        self.nodes += 1
        if self.nodes > self._max:
            return
        if not partial.needed:
            if len(partial.chosen) < len(self.best):
                self.best = partial.chosen
            return
        if len(partial.chosen) + len(partial.apart()) >= len(self.best):
            return
        hardest = min(partial.holders().values(), key=len)
        for number in sorted(hardest, key=lambda n: (-partial.sets[n].bit_count(), n)):
            self.visit(partial.choose(number))


def _greedy(partial: _Partial) -> tuple[int, ...]:
    while partial.needed:
        partial = partial.choose(max(partial.sets, key=lambda n: (partial.sets[n].bit_count(), -n)))
    return partial.chosen


def _elements(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
