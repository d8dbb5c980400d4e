"""Reads several patterns side by side, a character at a time, and tells which of them match the text so far."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from harness.policy.documents.pattern import Token, Variable, Wild


class Level(Enum):
    """The two units of a topic level that is not empty: one character, then any number of them, all without ``/``."""

    FIRST = "first"
    REST = "rest"


Unit = Token | Level


class Reading(NamedTuple):
    """A pattern. ``prefix``: a text that it has read already when the reading begins."""

    units: Sequence[Unit]
    prefix: str = ""


class Automaton:
    """Places in patterns as bit sets. A bit is set if the text so far may end at its place.

    ``start``: the places before the first character. ``ends``: for each pattern, in order, the bit of its end. The
    pattern matches a text exactly if that bit is set after the text. ``spans``: for each pattern all its bits. If none
    of them is set, the pattern can no longer match.

    All ways to read the text are followed at once, so nothing is ever tried again. ``a*b`` has the places 1 (before
    ``a``), 2 (before ``*``), 4 (before ``b``) and 8, its end. The start is 1. After ``a`` it is 2 and, because ``*``
    may be empty, 4. After ``x`` the same: ``*`` takes it. After ``b`` it is 2, 4 and 8: ``axb`` matches.
    """

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._literal: dict[str, int] = {}
        self._one = self._any = self._first = self._rest = 0
        self.start = 0
        self.ends: list[int] = []
        self.spans: list[int] = []
        self._needs: list[list[int | None]] = []
        begins: list[tuple[int, str]] = []
        place = 1
        for reading in readings:
            begins.append((place, reading.prefix))
            end = self._add(reading.units, place)
            self.ends.append(end)
            self.spans.append((end << 1) - place)
            place = end << 1
        for begin, prefix in begins:
            state = self._skip(begin)
            for character in prefix:
                state = self.step(state, character)
            self.start |= state

    def step(self, state: int, character: str) -> int:
        """Return the places after one more character."""
        fits, stays = self._literal.get(character, 0) | self._one, self._any
        if character != "/":
            fits |= self._first
            stays |= self._rest
        return self._skip((state & fits) << 1 | (state & stays))

    def spelt(self, state: int) -> list[str]:
        """Return, sorted, the characters that some pattern has as its next literal."""
        return sorted(letter for letter, places in self._literal.items() if state & places)

    def remaining(self, numbers: Iterable[int]) -> list[int]:
        """Return, as bit sets, the places from which one of the patterns needs at least 0, 1, 2 ... more characters."""
        found: dict[int, int] = {}
        for number in numbers:
            place, needed = self.ends[number], 0
            found[0] = found.get(0, 0) | place
            for needs in reversed(self._needs[number]):
                if needs is None:
                    break
                place, needed = place >> 1, needed + needs
                found[needed] = found.get(needed, 0) | place
        return [found.get(number, 0) for number in range(max(found, default=-1) + 1)]

    def _add(self, units: Sequence[Unit], place: int) -> int:
        """Give the units of a pattern places from ``place`` on, and return the bit of its end."""
        previous: Unit | None = None
        needs: list[int | None] = []  # how many characters each unit needs; None: nothing fits it
        for unit in (single for token in units for single in (token if isinstance(token, str) else (token,))):
            if unit is previous is Wild.ANY:
                continue  # two mean no more than one, and one skip is enough
            match unit:
                case str():
                    self._literal[unit] = self._literal.get(unit, 0) | place
                case Wild.ONE:
                    self._one |= place
                case Wild.ANY:
                    self._any |= place
                case Level.FIRST:
                    self._first |= place
                case Level.REST:
                    self._rest |= place
                case Variable():
                    pass  # has no value, so no text gets past it
            needs.append(None if isinstance(unit, Variable) else int(unit not in (Wild.ANY, Level.REST)))
            previous = unit
            place <<= 1
        self._needs.append(needs)
        return place

    def _skip(self, state: int) -> int:
        """Add the places behind units that may be empty."""
        return state | (state & (self._any | self._rest)) << 1
