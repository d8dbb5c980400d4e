"""Holds back bytes until their time has come, and keeps them in order. Pure."""

import math
from collections import deque

from harness.faults.fault import Direction
from harness.faults.script import Pass


class DelayLine:
    """Both directions of one connection. Bytes that are held for ever (a black hole) are forgotten at once."""

    def __init__(self) -> None:
        self._waiting: dict[Direction, deque[Pass]] = {direction: deque() for direction in Direction}

    def put(self, act: Pass) -> None:
        """Take in what may pass at ``act.at``."""
        if act.at != math.inf:
            self._waiting[act.direction].append(act)

    def due(self, now: float) -> list[Pass]:
        """Take out what may pass now. Nothing overtakes what was put in before it."""
        found = []
        for waiting in self._waiting.values():
            while waiting and waiting[0].at <= now:
                found.append(waiting.popleft())
        return found

    def next_at(self) -> float:
        """Return when the next one is due; infinite: nothing waits."""
        return min((waiting[0].at for waiting in self._waiting.values() if waiting), default=math.inf)
