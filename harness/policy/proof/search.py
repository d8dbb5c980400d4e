"""Finds the shortest texts that lead patterns, read side by side, to a wanted place, among all that MQTT accepts.

A text grows by one character at a time, and the text that may end soonest grows first. Two texts that lead to the same
place can be continued in the same ways, so one of them is enough. That is also so if one of them has room for more
levels than the other: then that one is kept.

Example: is there a text that ``a*`` matches and ``a*b`` does not? ``a`` leads to such a place, so it is the answer. Is
there one that ``a*b`` matches and ``a*`` does not? From ``a`` on, ``x`` and ``y`` lead to the same place as ``a``
itself and are not followed. Only ``b`` leads to another place, where both match. No place is left, so there is no such
text.
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Final, NamedTuple

from harness.policy.proof.automaton import Automaton

MOST_PLACES: Final = 20_000  # how many different places end a search; they take a fraction of a second
MOST_IN_ALL: Final = 400_000  # the same, for all searches of a plan together
_MOST_SLASHES: Final = 7
_NOT_COUNTED: Final = 3  # slashes of $aws/rules/NAME/, which do not count
_MOST_CHARACTERS: Final = 256
_SPECIAL: Final = frozenset("/+#$\0")
_FILLERS: Final = "xyztesanoiruklm0123456789"


class Effort:
    """How many places all searches together may look at. ``left``: how many are left."""

    def __init__(self, places: int = MOST_IN_ALL) -> None:
        self.left = places


class _Place(NamedTuple):
    """Where a search is. ``after``: the part of the last level that matters: empty at its beginning, ``x`` inside it,
    ``+`` or ``#`` behind these. ``reserved``: the text began with ``$``.
    """

    places: int
    after: str = ""
    reserved: bool = False


class _Text(NamedTuple):
    """A text that led to a place: its last character and the text before. ``soonest``: characters needed at least."""

    place: _Place
    slashes: int = 0
    length: int = 0
    soonest: int = 0
    before: "_Text | None" = None
    character: str = ""

    def __str__(self) -> str:
        characters = []
        text: _Text | None = self
        while text is not None:
            characters.append(text.character)
            text = text.before
        return "".join(reversed(characters))


class TextSearch:
    """A search for topics, or with ``wildcards`` for topic filters.

    ``automaton``: the patterns. ``effort``: how many places may be looked at.
    ``through``: patterns by number, of which a wanted text matches at least one; None: it need not match any.
    ``reserved``: of texts that begin with ``$`` only those count that match one of these patterns.
    """

    def __init__(
        self,
        automaton: Automaton,
        effort: Effort,
        *,
        wildcards: bool,
        through: frozenset[int] | None,
        reserved: frozenset[int],
    ) -> None:
        self.cut_off = False
        self._automaton, self._effort, self._wildcards = automaton, effort, wildcards
        self._remaining = None if through is None else automaton.remaining(through)
        self._reserved_ends = sum(automaton.ends[number] for number in reserved)
        self._reserved_spans = sum(automaton.spans[number] for number in reserved)
        self._spelt: dict[int, list[str]] = {}

    def texts(self, wanted: Callable[[int], bool], *, tidy: bool) -> Iterator[str]:
        """Yield a text for each wanted place, the shortest first. ``tidy``: only texts without empty levels.

        At the end all places were looked at, unless the search was ``cut_off``.
        """
        start = _Text(_Place(self._automaton.start))
        known: dict[_Place, list[tuple[int, int]]] = {}
        told: set[_Place] = set()
        order = count()
        waiting = [(0, 0, next(order), start)]
        left = MOST_PLACES
        while waiting:
            *_, text = heappop(waiting)
            if text.place not in told and self._ends(text.place, tidy=tidy) and wanted(text.place.places):
                told.add(text.place)
                yield str(text)
            for character, slashes, place in self._following(text, tidy=tidy):
                soonest = self._soonest(place, text.soonest)
                length = text.length + 1
                if soonest is None or length + soonest > _MOST_CHARACTERS:
                    continue
                reached = known.setdefault(place, [])
                if any(fewer <= slashes and shorter <= length for fewer, shorter in reached):
                    continue
                if min(left, self._effort.left) <= 0:
                    self.cut_off = True
                    return
                left -= 1
                self._effort.left -= 1
                longer = _Text(place, slashes, length, soonest, text, character)
                reached.append((slashes, length))
                heappush(waiting, (length + soonest, -length, next(order), longer))

    def _ends(self, place: _Place, *, tidy: bool) -> bool:
        """Tell whether a text may end here."""
        return (place.after != "" or not tidy) and (not place.reserved or place.places & self._reserved_ends != 0)

    def _soonest(self, place: _Place, before: int) -> int | None:
        """Return the least number of characters from here to a wanted text, or None if none can be reached."""
        if place.reserved and not place.places & self._reserved_spans:
            return None
        if self._remaining is None:
            return 0
        numbers = range(max(0, before - 1), len(self._remaining))  # one character brings a text at most one step nearer
        return next((number for number in numbers if self._remaining[number] & place.places), None)

    def _following(self, text: _Text, *, tidy: bool) -> Iterator[tuple[str, int, _Place]]:
        """Yield each character that may follow, and where it leads. Of characters that all lead alike, yield one."""
        places, after, reserved = text.place
        slashes, step = text.slashes, self._automaton.step
        if after == "#":
            return
        if after != "+":
            begin = not after and not slashes
            spelt = self._letters(places)
            filler = next((letter for letter in _FILLERS if letter not in spelt), "~")
            for letter in [filler, *(letter for letter in spelt if letter not in _SPECIAL)]:
                yield letter, slashes, _Place(step(places, letter), "x", reserved)
            if begin and self._reserved_spans:
                yield "$", 0, _Place(step(places, "$"), "x", True)
            elif "$" in spelt and not begin:
                yield "$", slashes, _Place(step(places, "$"), "x", reserved)
            if self._wildcards and not after:
                for wildcard in "+#":
                    yield wildcard, slashes, _Place(step(places, wildcard), wildcard, reserved)
        if slashes < _MOST_SLASHES + _NOT_COUNTED * reserved and (after or not tidy):
            yield "/", slashes + 1, _Place(step(places, "/"), "", reserved)

    def _letters(self, places: int) -> list[str]:
        if places not in self._spelt:
            self._spelt[places] = self._automaton.spelt(places)
        return self._spelt[places]
