"""Smallest set cover: the fewest sets that together hold every element. Exact, with a proof, unless cut off.

Sets are bit masks: bit ``n`` of a mask is element ``n``. Three facts shrink the problem without losing an optimum: a
set that lies in another is never needed; an element in one set only decides for that set; an element that is in all
sets of another element comes for free with it. What remains is searched by branch and bound, with the bound that
elements no two of which share a set need one set each.

Example: A = {0, 1}, B = {1, 2}, C = {2}. C lies in B and goes. Then 0 is in A alone, which is chosen; 1 came with it,
and 2 is left to B. Elements 0 and 2 share no set, so no cover has fewer than two: {A, B} is a smallest one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cover:
    """Chosen sets, by position. No cover has fewer than ``at_least`` sets.

    ``apart``: elements no two of which are in one set: a proof, easy to check, that ``len(apart)`` sets are needed.
    ``nodes``: how many partial covers were looked at.
    """

    chosen: tuple[int, ...]
    apart: tuple[int, ...]
    at_least: int
    nodes: int

    @property
    def exact(self) -> bool:
        """Whether it is proved that none is smaller."""
        return self.at_least == len(self.chosen)


def smallest_cover(sets: Sequence[int], *, max_nodes: int = 20_000) -> Cover:
    """Return a smallest choice of ``sets`` that holds every element of any. Of equal sets the first is taken.

    After ``max_nodes`` partial covers the search ends with the best cover so far; the first one is greedy.
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

    ``deciding``: the elements that each decided for a set on the way here.
    """

    def __init__(self, sets: dict[int, int], needed: int, chosen: tuple[int, ...] = ()) -> None:
        self.sets, self.needed, self.chosen = sets, needed, chosen
        self.deciding: list[int] = []
        while self._drop_sets() or self._decide() or self._drop_elements():
            pass

    def holders(self) -> dict[int, frozenset[int]]:
        """Return which sets each needed element is in."""
        return {e: frozenset(i for i, mask in self.sets.items() if mask >> e & 1) for e in _elements(self.needed)}

    def apart(self) -> list[int]:
        """Return needed elements no two of which share a set, chosen greedily: each needs a set of its own."""
        holders = self.holders()
        found: list[int] = []
        taken: set[int] = set()
        for element in sorted(holders, key=lambda e: len(holders[e])):
            if taken.isdisjoint(holders[element]):
                found.append(element)
                taken |= holders[element]
        return found

    def choose(self, number: int) -> "_Partial":
        """Return the partial cover with one set more."""
        return _Partial(self.sets, self.needed & ~self.sets[number], (*self.chosen, number))

    def _drop_sets(self) -> bool:
        """Drop sets that lie in another one; of equal ones keep the first."""
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
        """Drop elements that are in every set of another element; of those in the same sets keep the first."""
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
