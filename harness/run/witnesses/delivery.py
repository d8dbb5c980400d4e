"""Whether the observer could have seen a message: it must see one of its own before "reached nobody" means anything.

A message may be late by the settle time at most. That time is waited for once, after the last hang-up of a trial, and
not after each: a message that was late at the first has arrived by then.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from harness.cloud import Observer


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class ObserverAlive:
    """Proves that the observer hears, by a message that it sends to itself.

    ``observer``: returns the team's MQTT device. ``settle``: seconds that another message may come later than its own;
    0: the cloud keeps the order. ``patience``: seconds that its own message may take. ``clock``, ``pause``: tell the
    time in seconds, and wait some.
    """

    def __init__(
        self,
        observer: Callable[[], Observer],
        *,
        settle: float,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = _pause,
    ) -> None:
        self._observer = observer
        self._settle = settle
        self._patience = patience
        self._clock = clock
        self._pause = pause
        self._asked = clock()
        self._connections: set[int] = set()

    def begin(self) -> None:
        """A trial begins."""
        self._connections.clear()

    def __call__(self) -> dict[str, Any]:
        """Have the observer hear itself, after a hang-up. Raises CloudUnreachable: nobody could look."""
        self._asked = self._clock()
        return self._heard()

    def settled(self) -> dict[str, Any]:
        """Wait until no message of a hang-up can still be on its way, and have the observer hear itself once more.

        ``watched``: the observer had one connection all the time, so it missed nothing. Raises CloudUnreachable.
        """
        left = self._asked + self._settle - self._clock()
        if left > 0:
            # This waits for no event: what is waited for is that none comes.
            self._pause(left)
        return {**self._heard(), "settled": self._settle, "watched": len(self._connections) == 1}

    def _heard(self) -> dict[str, Any]:
        observer = self._observer()
        seconds = observer.fence(timeout=self._patience)
        self._connections.add(observer.connections)
        return {"own_message": round(seconds, 4)}
