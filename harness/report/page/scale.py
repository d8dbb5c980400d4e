"""Maps times to places on the axis. Long waits are shortened, so that what happens has room.

A wait that is longer than the part :data:`LONGEST` of the trial's time is drawn as if it were that long. What was
before the trial takes a sixth of the axis at most. Example: a trial takes 10 s, of which 9 s are one wait, and LONGEST
is 0.1. The wait is drawn like 1 s, so it takes half of the axis, and the other second takes the other half.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

LONGEST: Final = 0.13
BEFORE: Final = 1 / 6
WIDE: Final = 98.0
"""How much of the drawing the axis takes, in per cent. The rest is for the mark at its end."""


class Cut(NamedTuple):
    """A wait that is drawn shorter than it was: its place (per cent of the drawing), and its seconds."""

    left: float
    right: float
    seconds: float


class Scale:
    """``times``: of the events, ascending. ``begin``: of the trial; what is before it is set-up."""

    def __init__(self, times: Sequence[float], begin: float) -> None:
        self._times = sorted(set(times)) or [0.0]
        gaps = [later - earlier for earlier, later in zip(self._times, self._times[1:], strict=False)]
        limit = LONGEST * sum(gap for gap, end in zip(gaps, self._times[1:], strict=True) if end > begin)
        widths = [min(gap, limit) if limit else gap for gap in gaps]
        before = [end <= begin for end in self._times[1:]]
        early = sum(width for width, is_early in zip(widths, before, strict=True) if is_early)
        late = sum(widths) - early
        squeeze = min(1.0, late * BEFORE / (1 - BEFORE) / early) if early and late else 1.0
        widths = [width * squeeze if is_early else width for width, is_early in zip(widths, before, strict=True)]
        total = sum(widths) or 1.0
        self._places = [0.0]
        for width in widths:
            self._places.append(self._places[-1] + WIDE * width / total)
        self.cuts = [
            Cut(left, right, gap)
            for left, right, gap, is_early in zip(self._places, self._places[1:], gaps, before, strict=False)
            if limit and gap > limit * 1.001 and not is_early
        ]

    def place(self, time: float) -> float:
        """Return the place of ``time``, in per cent of the drawing."""
        times, places = self._times, self._places
        after = bisect_right(times, time)
        if after == 0:
            return 0.0
        if after == len(times):
            return places[-1]
        share = (time - times[after - 1]) / (times[after] - times[after - 1])
        return places[after - 1] + share * (places[after] - places[after - 1])

    def points(self) -> list[tuple[float, float]]:
        """Return places and times, from the first to the last, between which the scale is even."""
        pairs = list(zip(self._places, self._times, strict=True))
        kept = pairs[:1]
        for before, (place, time), after in zip(pairs, pairs[1:], pairs[2:], strict=False):
            one, other = (time - before[1]) * (after[0] - place), (after[1] - time) * (place - before[0])
            if abs(one - other) > 1e-6 * max(abs(one), abs(other)):
                kept.append((place, time))
        return [*kept, *pairs[1:][-1:]]

    def time(self, place: float) -> float:
        """Return the time at a place."""
        times, places = self._times, self._places
        after = bisect_right(places, place)
        if after == 0:
            return times[0]
        if after == len(places):
            return times[-1]
        share = (place - places[after - 1]) / (places[after] - places[after - 1])
        return times[after - 1] + share * (times[after] - times[after - 1])
