"""SIGTERM and Ctrl-C: both end a run the same way, tidily and within a known time.

Each process of a run has the handler, workers too, whoever the signal is sent to. The first one raises
KeyboardInterrupt, as Ctrl-C does in Python; further ones are ignored while the run cleans up.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

TIDY_SECONDS = 15.0
"""How long a run that was told to end may take to leave boards and account clean."""


class Interruption:
    """Handles both signals from :meth:`install` to :meth:`remove`. ``overdue``: called if tidying takes too long."""

    def __init__(self, overdue: Callable[[str], None] | None = None) -> None:
        self.why = ""
        self._overdue = overdue
        self._tidying = False
        self._former: dict[int, object] = {}
        self._timer: threading.Timer | None = None

    def install(self) -> None:
        """Handle the signals. Does nothing outside the main thread, and leaves an ignored Ctrl-C ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._former[number] = signal.signal(number, self._on_signal)

    def tidy(self) -> None:
        """Note that the run cleans up: a signal from now on only limits the time for it."""
        self._tidying = True

    def remove(self) -> None:
        """Handle them no more."""
        if self._timer is not None:
            self._timer.cancel()
        while self._former:
            number, handler = self._former.popitem()
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.why:
            return
        self.why = (
            "interrupted by Ctrl-C" if number == signal.SIGINT else f"interrupted by {signal.Signals(number).name}"
        )
        self._timer = threading.Timer(TIDY_SECONDS, self._end_hard)
        self._timer.daemon = True
        self._timer.start()
        if not self._tidying:
            raise KeyboardInterrupt

    def _end_hard(self) -> None:
        why = f"{self.why}, and not tidy within {TIDY_SECONDS:g} s"
        try:
            if self._overdue is not None:
                self._overdue(why)
        finally:
            print(f"{why}: ended; the next run cleans up", file=sys.stderr, flush=True)
            os._exit(2)
