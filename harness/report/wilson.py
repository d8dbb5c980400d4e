"""How sure a rate is: Wilson's score interval, which also makes sense for 0 of 3 and 3 of 3."""

from math import sqrt
from typing import NamedTuple

_Z = 1.96  # 95 %


class Rate(NamedTuple):
    """``failed`` of ``number``; ``low`` and ``high`` bound the true rate with 95 %."""

    failed: int
    number: int
    low: float
    high: float

    def __str__(self) -> str:
        if not self.number:
            return "in no run"
        share, low, high = (100 * part for part in (self.failed / self.number, self.low, self.high))
        return f"in {self.failed} of {self.number} runs, {share:.0f} % (95 %: {low:.0f} to {high:.0f} %)"


NOTHING = Rate(0, 0, 0.0, 1.0)


def wilson(count: int, number: int) -> Rate:
    """Return the rate ``count`` of ``number`` with its interval; of nothing at all: from 0 to 1. Raises ValueError.

    Wilson, E. B.: Probable inference, the law of succession, and statistical inference. JASA 22 (1927), 209-212.
    """
    if not 0 <= count <= number:
        raise ValueError(f"{count} of {number}")
    if not number:
        return NOTHING
    share, spread = count / number, _Z * _Z / number
    centre = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * sqrt(share * (1 - share) / number + spread / (4 * number))
    # Rounding may step over the ends, or over the share itself where it is 0 or 1.
    return Rate(count, number, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)))
