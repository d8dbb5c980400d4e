"""Counts restarts, so that the modem's reset-loop restriction is never reached.

From modem firmware 1.3.1 on, seven restarts without AT+CFUN=0, each within 60 s of the one before, make the modem
refuse LTE for a while: how long is UNCONFIRMED, half an hour was seen (Nordic nWP042, "Reset loop restriction").
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from harness.errors import LabError

MOST: Final = 6
WITHIN: Final = 60.0


def in_a_row(times: Sequence[float], now: float) -> int:
    """Return how many restarts the modem counts at ``now``: each of them came less than 60 s before the next.

    >>> in_a_row([0.0, 100.0, 150.0, 200.0], 210.0)
    3
    """
    count, later = 0, now
    for at in reversed(times):
        if not 0 <= later - at <= WITHIN:
            break
        count, later = count + 1, at
    return count


class ResetLoop:
    """The restarts of one board without AT+CFUN=0 before. They are kept in the file ``path``."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def check(self, board: str) -> None:
        """Raise LabError if one more restart may make the modem refuse LTE."""
        now, times = self._clock(), self._times()
        if in_a_row(times, now) >= MOST:
            wait = WITHIN - (now - times[-1])
            raise LabError(
                f"{board}: {MOST} restarts without AT+CFUN=0 in a row, and one more may lock its modem out of LTE for "
                f"half an hour; wait {wait:.0f} s"
            )

    def count(self) -> None:
        """Record a restart without AT+CFUN=0. Call it before the restart."""
        times = [*self._times(), self._clock()][-MOST:]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(times))
        new.replace(self._path)

    def _times(self) -> list[float]:
        try:
            found = json.loads(self._path.read_text())
            return [float(at) for at in found]
        except (OSError, ValueError, TypeError, OverflowError):
            return []
