"""Tries again until a service has caught up, a bounded and counted number of times."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import HarnessError, Party, Refusal


class NotProvisioned(Refusal):
    """The cloud did not make the device (JITP) within the attempts and the time for it."""

    party = Party.CLOUD


@dataclass(frozen=True, slots=True)
class Rounds:
    """``most``: attempts. ``gap``: seconds between two. ``deadline``: seconds for all of them together."""

    most: int
    gap: float
    deadline: float

    def until(
        self,
        attempt: Callable[[int], str | None],
        what: str,
        error: Callable[[str], HarnessError] = NotProvisioned,
        *,
        advice: str = "look at the device in the account, or provision the board again",
    ) -> int:
        """Call ``attempt(number)`` from 1 on until it returns None, and return how many calls that took.

        ``attempt`` returns what it met instead. Raises an ``error`` with ``what``, the last such words and ``advice``.
        """
        end = time.monotonic() + self.deadline
        for number in range(1, self.most + 1):
            met = attempt(number)
            if met is None:
                return number
            if number == self.most or time.monotonic() + self.gap > end:
                raise error(
                    f"{what}: not within {number} attempts (of {self.most}) and {self.deadline:g} s, the last one met:"
                    f" {met}; {advice}"
                )
            # The cloud gives no sign when it has caught up: the next attempt is the question, the gap its price.
            threading.Event().wait(self.gap)
        raise AssertionError("the last attempt returns or raises")
