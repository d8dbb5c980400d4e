"""What is remembered of a board's link from one verdict to the next. It steers; it never proves.

Nothing of it enters a bound: a history says nothing about a fault that begins now, and seconds say nothing about a
packet counter. It only chooses the stake, the patience, and when a hang-up is too soon to be an answer.
"""

import statistics
from collections import deque
from collections.abc import Mapping
from math import inf
from typing import Any

from harness.trial.experiment.plan import Do, Observation, Plan, Saw
from harness.trial.experiment.rule import (
    FIRST_MEDIANS,
    FIRST_PATIENCE,
    FLOOR,
    FLOOR_SAMPLES,
    FORGET,
    LEAST_CEILING,
    LEAST_PATIENCE,
    MEDIANS,
    SLOWEST,
)

_RECENT = 31  # round trips; they are written down with each experiment
_ANSWERED = {Do.BASELINE, Do.SHAM, Do.FENCE}
_ROUND_TRIPS = {Do.BASELINE, Do.FENCE}
"""What has an acknowledgement of its own. A sham of QoS 0 has none: a fence goes out behind it after one round trip, so
learning from it would make the next one longer."""


class Night:
    """Shams sent and lost, round trips, hang-ups that nothing explains."""

    def __init__(self) -> None:
        self.shams = 0
        self.lost = 0
        self.seconds = 0.0
        self._fastest = float("inf")
        self._longest = 0.0
        self._samples = 0
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self.watch: dict[str, float] = {}
        """By action, in words: seconds that it must be watched when it is tried alone, after a hang-up in its group."""
        self.limit = 0
        """The slot in which connections ended twice, counted from 0; 0: no such slot."""

    @property
    def round_trip(self) -> float:
        """Median seconds of the last round trips; 0 while none is known."""
        return statistics.median(self._recent) if self._recent else 0.0

    @property
    def patience(self) -> float:
        """Seconds without an answer after which a fence is sent behind an action."""
        if not self._recent:
            return FIRST_PATIENCE
        return max(MEDIANS * self.round_trip, SLOWEST * self._longest, LEAST_PATIENCE)

    @property
    def ceiling(self) -> float:
        """Seconds above which an answer would have come; infinite while no round trip is known."""
        if not self._recent:
            return inf
        medians = MEDIANS if self._samples >= FLOOR_SAMPLES else FIRST_MEDIANS
        return max(medians * self.round_trip, SLOWEST * self._longest, LEAST_CEILING)

    @property
    def floor(self) -> float:
        """Seconds below which nothing can be an answer; 0 while too few round trips are known."""
        return FLOOR * self._fastest if self._samples >= FLOOR_SAMPLES else 0.0

    def as_data(self) -> dict[str, Any]:
        """Return what is remembered, ready for JSON; :meth:`of` takes it back."""
        return {
            "shams": self.shams,
            "lost": self.lost,
            "seconds": self.seconds,
            "fastest": self._fastest if self._samples else None,
            "longest": self._longest,
            "samples": self._samples,
            "recent": list(self._recent),
            "limit": self.limit,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Night":
        """Return a memory as it was written down. Raises KeyError for data of something else."""
        night = cls()
        night.shams, night.lost, night.seconds = data["shams"], data["lost"], data["seconds"]
        night._fastest = float("inf") if data["fastest"] is None else data["fastest"]
        night._longest, night._samples = data["longest"], data["samples"]
        night._recent.extend(data["recent"])
        night.limit = data.get("limit", 0)  # files of judge 6 have none
        return night

    def learn(self, plan: Plan, seen: Observation) -> None:
        """Take in what one plan saw."""
        self.seconds += seen.seconds
        for step, done in zip(plan.steps, seen.done, strict=False):
            if step.do is Do.SHAM:
                self.shams += 1
                self.lost += done.saw is Saw.CLOSED
            if step.do in _ANSWERED and done.saw is Saw.ANSWERED:
                # Without the serial line: the action's command may be shorter than each that was measured.
                self._fastest = min(self._fastest, max(0.0, done.seconds - done.line))
                self._longest = max(FORGET * self._longest, done.seconds)
            if step.do in _ROUND_TRIPS and done.saw is Saw.ANSWERED:
                self._samples += 1
                self._recent.append(done.seconds)
