"""Counts what comes within a second. No clock."""

from collections import deque


class RateLimit:
    """A limit of ``most`` in any second; 0: no limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._recent: deque[float] = deque()

    def exceeded(self, now: float) -> bool:
        """Count one at ``now``, and tell whether it is one too many."""
        if not self._most:
            return False
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        self._recent.append(now)
        return len(self._recent) > self._most
