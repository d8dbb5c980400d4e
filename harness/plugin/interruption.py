"""SIGTERM, SIGHUP and Ctrl-C: each ends a run the same way, tidily and within a known time.

Each process of a run has the handler, workers too, whoever the signal is sent to. The first one raises
KeyboardInterrupt, as Ctrl-C does in Python; further ones are ignored while the run cleans up.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from _pytest.tmpdir import tmppath_result_key  # pytest has no public way to it

from harness.hang_up import ending_signals, let_go_of_terminal
from harness.plugin.state import INTERRUPTION, LEFT
from harness.redact import SECRETS

TIDY_SECONDS = 15.0
"""How long a run that was told to end may take to leave boards and account clean."""


@contextmanager
def torn_down(config: pytest.Config) -> Iterator[None]:
    """Around the end of a session: a fixture that cannot be torn down after an interruption is a line of the run's end.

    pytest would end with its traceback, without a report. An interruption in it breaks it off.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        interruption = config.stash.get(INTERRUPTION, None)
        if interruption is None or not interruption.why:
            raise
        if isinstance(error, KeyboardInterrupt):
            return
        said = SECRETS.scrub(f"{type(error).__name__}: {error}").partition("\n")[0]
        line = f"after the interruption a fixture could not be torn down: {said}"
        config.stash.setdefault(LEFT, []).append(line)


def say_why(config: pytest.Config, why: str) -> None:
    """Let pytest's last lines say ``why``, in place of a KeyboardInterrupt and the line of code that it hit."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    shown = getattr(reporter, "_keyboardinterrupt_memo", None)  # pytest has no public way to it
    if shown is not None and shown.reprcrash is not None:
        shown.reprcrash.message = why


def prepare_for_interruption(item: pytest.Item) -> None:
    """Give pytest's ``tmp_path`` what it looks for when it is torn down; pytest does so only after the set-up."""
    item.stash.setdefault(tmppath_result_key, {})


class Interruption:
    """Handles these signals from :meth:`install` to :meth:`remove`. ``overdue``: called if tidying takes too long.

    ``early``: called with why the run ends, if it does so before :meth:`begin`: pytest shows a traceback until then.
    """

    def __init__(
        self, overdue: Callable[[str], None] | None = None, early: Callable[[str], None] | None = None
    ) -> None:
        self.why = ""
        self._overdue = overdue
        self._early = early
        self._tidying = False
        self._starting = False
        self._former: dict[int, object] = {}
        self._timer: threading.Timer | None = None

    def install(self) -> None:
        """Handle the signals. Does nothing outside the main thread, and leaves an ignored one ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in ending_signals():
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._former[number] = signal.signal(number, self._on_signal)

    def begin(self) -> None:
        """Note that pytest starts its session. A signal from now on waits for :meth:`started`.

        pytest ends a KeyboardInterrupt with a report only after the start.
        """
        self._starting = True
        self._early = None

    def started(self) -> None:
        """Note that the session can end from now on. Raises KeyboardInterrupt if a signal has come."""
        self._starting = False
        if self.why:
            raise KeyboardInterrupt

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
        if number == signal.SIGHUP:
            let_go_of_terminal()
        if self.why:
            return
        self.why = (
            "interrupted by Ctrl-C" if number == signal.SIGINT else f"interrupted by {signal.Signals(number).name}"
        )
        self._timer = threading.Timer(TIDY_SECONDS, self._end_hard)
        self._timer.daemon = True
        self._timer.start()
        if self._early is not None:
            why = f"{self.why} before the first test"
            print(why, file=sys.stderr, flush=True)
            self._early(why)
            raise SystemExit(2)
        if not (self._starting or self._tidying):
            raise KeyboardInterrupt

    def _end_hard(self) -> None:
        why = f"{self.why}, and not tidied up within {TIDY_SECONDS:g} s"
        try:
            if self._overdue is not None:
                self._overdue(why)
        finally:
            print(f"{why}: ended; the next run cleans up", file=sys.stderr, flush=True)
            os._exit(2)
