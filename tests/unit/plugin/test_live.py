"""What is shown while a run goes on, on a terminal and without one."""

import io
import os
import signal
import threading
import time
from contextlib import contextmanager

import pyte
import pytest
from _pytest.config import get_config
from _pytest.terminal import TerminalReporter

import harness.plugin.live as live_module
from harness.plugin.live import Live
from harness.report import RunFolder
from harness.report.live import LiveRun

TESTS = {f"t.py::test_{number}[{board}]": board for board in ("a", "b") for number in range(2)}


class Writer(io.StringIO):
    """What a terminal, or a file, was sent."""

    def __init__(self, terminal):
        super().__init__()
        self._is = terminal
        self._written = threading.Condition()

    def isatty(self):
        return self._is

    def write(self, text):
        with self._written:
            super().write(text)
            self._written.notify_all()

    def until(self, condition):
        with self._written:
            assert self._written.wait_for(condition, 30), self.getvalue()


def after(writer, columns=80, rows=24):
    """What stands on a terminal that was sent that."""
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(writer.getvalue().replace("\n", "\r\n"))
    return [line.rstrip() for line in screen.display if line.strip()]


@contextmanager
def live(tmp_path, monkeypatch, *, terminal, page=None):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    writer = Writer(terminal)
    reporter = TerminalReporter(get_config(), writer)
    shown = Live(LiveRun(TESTS, time.monotonic()), reporter, RunFolder(tmp_path), "", page)
    shown.start()
    try:
        yield shown, reporter, writer
    finally:
        shown.stop()


class Report:
    def __init__(self, test, **found):
        self.nodeid, self.nrf91, self.outcome = test, found, "passed"


def end(shown, test, result="passed", **more):
    shown.pytest_runtest_logstart(test)
    shown.pytest_runtest_logreport(Report(test, phase="call", result=result, seconds=0.1, **more))
    shown.pytest_runtest_logreport(Report(test, phase="teardown", result="passed", seconds=0.1))


def test_a_terminal_has_a_row_for_each_board_and_each_cause(tmp_path, monkeypatch):
    with live(tmp_path, monkeypatch, terminal=True) as (shown, reporter, writer):
        end(shown, "t.py::test_0[a]")
        end(shown, "t.py::test_0[b]", "failed", message="wrong", raised="X", party="cloud", branch="Refusal")
        shown.pytest_runtest_logstart("t.py::test_1[a]")
        writer.until(lambda: any("test_1" in line for line in after(writer)))
        reporter.write_line("a line of another plug-in")
        writer.until(lambda: any("another plug-in" in line for line in after(writer)))
        lines = after(writer)
    assert lines[:2] == ["FAILED Cloud: wrong: t.py::test_0[b]", "a line of another plug-in"]
    assert lines[2].startswith(" RED  2 of 4 tests on 2 boards")
    assert lines[3].split() == ["a", "█████████░░░░░░░░░", "1/2", "✕0", "!0", "test_1"]
    assert lines[4].split() == ["b", "█████████░░░░░░░░░", "1/2", "✕1", "!0", "between", "tests"]
    assert lines[5] == "✕ Cloud: wrong  b  ×1"
    assert after(writer) == lines[:2]  # the rows are gone; what follows stands where they stood


def test_each_frame_is_one_write_that_a_terminal_shows_at_once(tmp_path, monkeypatch):
    with live(tmp_path, monkeypatch, terminal=True) as (shown, _, writer):
        end(shown, "t.py::test_0[a]")
        writer.until(lambda: any("1/2" in line for line in after(writer)))
    text = writer.getvalue()
    assert text.count("\x1b[?2026h") == text.count("\x1b[?2026l") >= 2
    assert "\x1b[2J" not in text


def test_elsewhere_each_cause_and_each_board_that_is_done_has_a_line(tmp_path, monkeypatch):
    with live(tmp_path, monkeypatch, terminal=False) as (shown, _, writer):
        for number in range(2):
            end(shown, f"t.py::test_{number}[a]", "failed", message="wrong\nevidence", party="cloud", raised="X")
        end(shown, "t.py::test_0[b]", "error", message="gone", out="b: it went away", party="lab", raised="BoardLost")
    assert writer.getvalue().splitlines() == [
        "FAILED Cloud: wrong: t.py::test_0[a]",
        "NOT PROVED Lab: b was lost (it went away): t.py::test_0[b]",
        "a: 2/2  2 failed",
    ]


def test_a_signal_asks_what_every_board_does(tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGUSR1)
    with live(tmp_path, monkeypatch, terminal=False) as (shown, _, writer):
        path = shown._folder.timeline("a")
        path.parent.mkdir(parents=True)
        lines = [f'{{"i":1,"n":{number},"t":0.5,"k":"tx","s":"a","x":"AT+{number}"}}' for number in range(20)]
        path.write_text("\n".join([*lines, '{"i":1,"n":99,"t":0.5,"k":"t']))
        end(shown, "t.py::test_0[a]")
        shown.pytest_runtest_logstart("t.py::test_1[a]")
        os.kill(os.getpid(), signal.SIGUSR1)
        writer.until(lambda: "b: 0/2" in writer.getvalue())
    said = writer.getvalue().splitlines()
    assert said[0].startswith("1 of 4 tests after ")
    assert said[1].startswith("a: 1/2  1 passed  t.py::test_1[a]  ")
    assert said[2:12] == [f"       0.500000 > AT+{number}" for number in range(10, 20)]
    assert signal.getsignal(signal.SIGUSR1) is before


def test_the_page_is_made_meanwhile_and_no_more_afterwards(tmp_path, monkeypatch):
    class Page:
        refreshed, closed = threading.Event(), False

        def refresh(self, now):
            assert not self.closed
            self.refreshed.set()

        def close(self):
            self.closed = True

    monkeypatch.setattr(live_module, "_LISTEN", 0.02)
    page = Page()
    with live(tmp_path, monkeypatch, terminal=False, page=page):
        assert page.refreshed.wait(30)
    assert page.closed


def test_letters_of_pytest_are_not_shown(tmp_path, monkeypatch):
    with live(tmp_path, monkeypatch, terminal=False) as (shown, _, _):
        hook = shown.pytest_report_teststatus()
        next(hook)
        with pytest.raises(StopIteration) as stop:
            hook.send(("passed", ".", "PASSED"))
    assert stop.value.value == ("passed", "", "")


def test_the_last_lines_begin_with_the_words_of_pytest(tmp_path, monkeypatch):
    with live(tmp_path, monkeypatch, terminal=False) as (shown, _, _):
        shown.pytest_terminal_summary()
        hook = shown.pytest_report_teststatus()
        next(hook)
        with pytest.raises(StopIteration) as stop:
            hook.send(("failed", "F", "FAILED"))
    assert stop.value.value == ("failed", "F", "FAILED")
