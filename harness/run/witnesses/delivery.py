"""Whether the observer could have seen a message: it must see one of its own before "reached nobody" means anything."""

import threading
import time
from collections.abc import Callable
from typing import Any

from harness.cloud import Observer


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class ObserverAlive:
    """``observer``: returns the team's MQTT device. ``patience``: seconds that its own message may take. ``settle``:
    seconds that another message may come later than that; 0: the cloud keeps the order.
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

    def __call__(self) -> dict[str, Any]:
        """Have the observer hear itself, and let the settle time pass. Raises CloudUnreachable: nobody could look."""
        began = self._clock()
        seconds = self._observer().fence(timeout=self._patience)
        left = began + self._settle - self._clock()
        if left > 0:
            # This waits for no event: what is waited for is that none comes.
            self._pause(left)
        return {"own_message": round(seconds, 4), "settled": self._settle}
