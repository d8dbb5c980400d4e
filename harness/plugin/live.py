"""The progress of several boards during a run: on a terminal one line for each, elsewhere one line for each event."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import pytest

from harness.report import RunRecord, fit, progress_line

_REDRAW = 0.1  # seconds
_TELL = 60.0  # seconds between two summaries of all boards without a terminal
_UP, _CLEAR = "\x1b[{}A", "\x1b[2K"


class Live:
    """pytest's hooks that show progress in place of pytest's letters, which cannot show several boards."""

    def __init__(self, record: RunRecord, reporter: pytest.TerminalReporter) -> None:
        self._record = record
        self._reporter = reporter
        self._terminal = reporter.isatty
        self._drawn = 0
        self._last = time.monotonic()
        self._troubles = 0
        self._told: set[str] = set()
        self._over = False
        reporter.showfspath = False

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """Count a test as pytest does, and print no letter."""
        category, letter, word = yield
        return (category, letter, word) if self._over else (category, "", "")

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self) -> None:
        """From now on pytest's words are shown: its last lines begin with them."""
        self._over = True

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logstart(self) -> None:
        """A test begins."""
        self._show()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self) -> None:
        """A phase has ended."""
        self._show()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Show the last state."""
        if self._terminal:
            self._draw()
        else:
            self._tell()

    def _show(self) -> None:
        now = time.monotonic()
        if self._terminal:
            if now - self._last >= _REDRAW:
                self._last = now
                self._draw()
            return
        self._tell()
        if now - self._last >= _TELL:
            self._last = now
            for board in self._record.boards.values():
                if not board.complete:
                    self._reporter.write_line(progress_line(board))

    def _draw(self) -> None:
        width = self._reporter._tw.fullwidth - 1
        lines = fit(map(progress_line, self._record.boards.values()), width)
        up = _UP.format(self._drawn) if self._drawn else ""
        self._reporter.write(up + "".join(f"{_CLEAR}{line}\n" for line in lines), flush=True)
        self._drawn = len(lines)

    def _tell(self) -> None:
        for trouble in self._record.troubles[self._troubles :]:
            word = "FAILED" if trouble.result == "failed" else "ERROR"
            message = trouble.message.partition("\n")[0]
            whom = f" ({trouble.party})" if trouble.party else ""
            self._reporter.write_line(f"{word} {trouble.test}{whom}: {message}")
        self._troubles = len(self._record.troubles)
        for board in self._record.boards.values():
            if board.complete and board.name not in self._told:
                self._told.add(board.name)
                self._reporter.write_line(progress_line(board))
