"""The progress of a run: on a terminal a row for each board and each cause, elsewhere a line for what is new.

A thread draws, so that a test that takes long is seen to take long. It wakes up a few times a second and spends well
under a hundredth of a core. ``SIGUSR1`` asks what every board does now.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from io import StringIO
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TextIO

import pytest
from rich.console import Console
from rich.text import Text

from harness.plugin.recorder import found_of
from harness.report.live import LiveBoard, LiveRun, PlainLines, Screen, block
from harness.report.live.block import doing_words
from harness.report.live.earlier_runs import usual_of
from harness.report.live.last_events import Latest, latest, newest_file
from harness.report.live.plain import board_line
from harness.report.stored_runs import stored_runs

if TYPE_CHECKING:
    from harness.report import RunFolder
    from harness.report.live.live_page import LivePage

_REDRAW: Final = 0.25  # seconds
_LISTEN: Final = 1.0  # seconds, without a terminal
_LINGER: Final = 1.0  # seconds that the name of a test stays, so that it can be read
_NEWEST: Final = 40  # runs that are read for what is usual
_STOP: Final = 10.0


class Live:
    """pytest's hooks. ``run``: what is known of the run so far; ``reporter``: pytest's, which writes to the terminal;
    ``folder``: of the run; ``lab``: its name, "" none; ``page``: makes the page meanwhile, None: there is none.
    """

    def __init__(
        self, run: LiveRun, reporter: pytest.TerminalReporter, folder: RunFolder, lab: str, page: LivePage | None = None
    ) -> None:
        self.run = run
        self._reporter = reporter
        self._folder = folder
        self._lab = lab
        self._page = page
        self._asked: SimpleQueue[str] = SimpleQueue()  # a signal may put something in at any moment
        self._shown: dict[str, tuple[str, float]] = {}  # board to the test in its row, and since when
        self._steps: dict[str, tuple[Latest, float]] = {}
        self._plain = PlainLines(time.monotonic())
        self._former: Any = None
        self._console = _console(reporter)
        self._former_file = reporter._tw._file  # pytest has no public way to it
        self._file = _uncaptured(self._former_file)
        self._screen = Screen(self._file, lambda: _size(self._file)) if _has_screen(reporter) else None
        self._over = False
        reporter.showfspath = False
        self._thread = threading.Thread(target=self._go_on, name="nrf91-live", daemon=True)

    def start(self) -> None:
        """Show the run from now on; listen to SIGUSR1 where this is the main thread."""
        self._reporter.ensure_newline()
        if self._screen is not None:
            self._file.write("\r\x1b[K")  # pytest-xdist leaves a line without an end
            self._reporter._tw._file = self._screen
        if threading.current_thread() is threading.main_thread():
            self._former = signal.signal(signal.SIGUSR1, self._on_signal)
        self._thread.start()

    def stop(self) -> None:
        """Show nothing more; what is said next stands where the rows stood."""
        if not self._thread.is_alive():
            return
        self._asked.put("stop")
        self._thread.join(_STOP)
        if self._former is not None:
            signal.signal(signal.SIGUSR1, self._former)
        if self._screen is not None:
            self._screen.close(keep=False)
            self._reporter._tw._file = self._former_file
        if self._page is not None:
            self._page.close()

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """Count a test as pytest does, and print no letter."""
        category, letter, word = yield
        return (category, letter, word) if self._over else (category, "", "")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self.run.begin(nodeid, time.monotonic())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase has ended."""
        self.run.phase(report.nodeid, found_of(report))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """The last test has ended, or the run was interrupted."""
        self.stop()

    def pytest_unconfigure(self) -> None:
        """Whatever came in between, leave the terminal as it was."""
        self.stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self) -> None:
        """From now on pytest's words are shown: its last lines begin with them."""
        self._over = True

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked.put("what now")

    def _go_on(self) -> None:
        with suppress(Exception):  # without history there are no usual times; nothing else needs them
            base = self._folder.base.resolve()
            self.run.know(usual_of(stored_runs([base], newest=_NEWEST, before=self._folder.name).runs, self._lab))
        asked = ""
        while asked != "stop":
            try:
                asked = self._asked.get(timeout=_LISTEN if self._screen is None else _REDRAW)
            except Empty:
                asked = ""
            now = time.monotonic()
            if asked == "what now":
                self._say(self._what_now(now))
            self._show(now)
            if self._page is not None and asked != "stop":
                with suppress(OSError):
                    self._page.refresh(now)

    def _show(self, now: float) -> None:
        view = self.run.view(now)
        lines = self._plain.new(view, now)
        if self._screen is None:
            self._say(lines)
            return
        # Causes scroll by as they come up; how far the boards are stands in their rows.
        self._say([line for line in lines if line.startswith(("FAILED", "NOT PROVED"))])
        columns, rows = _size(self._file)
        drawn = block(view, lambda board: self._doing(board, now), min(rows - 2, 40))
        self._screen.draw(self._styled(drawn, columns - 1))

    def _doing(self, board: LiveBoard, now: float) -> str:
        shown, since = self._shown.get(board.name, ("", 0.0))
        if board.running != shown:
            if now - since < _LINGER and shown:
                return doing_words(_other(board, shown), 0.0, "")
            self._shown[board.name] = (board.running, now)
        seconds = now - board.since if board.running else 0.0
        return doing_words(board, seconds, self._step(board, now) if seconds >= _LINGER else "")

    def _step(self, board: LiveBoard, now: float) -> str:
        found, at = self._steps.get(board.name, (Latest(), 0.0))
        if now - at >= _LINGER:
            found = latest(newest_file(self._folder.timeline(board.name)))
            self._steps[board.name] = (found, now)
        return found.step

    def _what_now(self, now: float) -> list[str]:
        view = self.run.view(now)
        lines = [f"{view.done} of {view.planned} tests after {view.seconds:.0f} s; what each board does:"]
        for board in view.boards:
            took = f"  {now - board.since:.1f} s" if board.running else ""
            lines.append(f"{board_line(board)}{took}")
            found = latest(newest_file(self._folder.timeline(board.name)))
            lines += [f"    {line}" for line in found.lines]
        return lines

    def _say(self, lines: list[str]) -> None:
        if self._screen is not None:
            self._screen.say(lines)
        elif lines:
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()

    def _styled(self, lines: Sequence[Text], width: int) -> list[str]:
        self._console.width = max(width, 20)
        with self._console.capture() as captured:
            self._console.print(Text("\n").join(lines), no_wrap=True, overflow="ellipsis", crop=True, end="")
        return captured.get().split("\n")


def _other(board: LiveBoard, test: str) -> LiveBoard:
    return LiveBoard(board.name, board.planned, board.results, test)


def _has_screen(reporter: pytest.TerminalReporter) -> bool:
    option = reporter.config.option
    quiet = option.verbose < -1 or option.capture in ("no", "tee-sys") or getattr(option, "usepdb", False)
    return bool(reporter.isatty) and not quiet and not Console(file=reporter._tw._file).is_dumb_terminal


def _console(reporter: pytest.TerminalReporter) -> Console:
    coloured = reporter.hasmarkup
    system = Console(file=reporter._tw._file).color_system if coloured else None
    return Console(file=StringIO(), force_terminal=coloured, color_system=system, highlight=False)  # type: ignore[arg-type]


def _uncaptured(file: TextIO) -> TextIO:
    """Return a way to where ``file`` writes now: while a test runs, pytest has its descriptor write elsewhere."""
    try:
        own = os.dup(file.fileno())
    except (OSError, ValueError):
        return file
    file.flush()
    return os.fdopen(own, "w", encoding=file.encoding, errors="replace")


def _size(file: TextIO) -> tuple[int, int]:
    try:
        found = os.get_terminal_size(file.fileno())  # not of standard output, which pytest has put aside
    except (OSError, ValueError):
        found = os.terminal_size((0, 0))
    if not (found.columns and found.lines):  # a pty whose size nobody has set
        found = shutil.get_terminal_size()
    return found.columns, found.lines
