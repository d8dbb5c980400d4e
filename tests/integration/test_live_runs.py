"""What is seen of a run while it goes on: on a terminal, and on the page."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time

import pyte

from tests.integration.runs import START, TIMEOUT, prepare
from tests.integration.warm_start import run_python

BOARDS = "boards:\n  - {name: dk, virtual: {}}\n  - {name: rack-3, virtual: {}}\n"
TESTS = """
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", range(3))
def test_command(modem, board, number):
    modem.identity()
    if number == 1:
        (Path(__file__).parent / f"reached-{board.name}").touch()
        deadline = time.monotonic() + 120
        while not (Path(__file__).parent / "go").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert number != 2 or board.name != "dk", "two is not three"
"""


class Terminal:
    """A run on a pty, and what stands on its screen."""

    def __init__(self, command, folder, environment):
        self.screen = pyte.HistoryScreen(110, 24, history=2000)
        self._stream = pyte.ByteStream(self.screen)
        near, far = pty.openpty()
        environment = {**environment, "TERM": "xterm-256color", "COLUMNS": "110", "LINES": "24"}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=far, stdout=far, stderr=far, start_new_session=True
        )
        os.close(far)
        self._near = near

    def until(self, condition, seconds=START):
        deadline = time.monotonic() + seconds
        while not condition(self.lines):
            assert time.monotonic() < deadline, self.lines
            if not self._read(deadline):
                assert condition(self.lines), self.lines
                return

    def to_the_end(self):
        while self._read(time.monotonic() + START):
            pass
        os.close(self._near)
        return self.process.wait(START)

    def _read(self, deadline):
        ready, _, _ = select.select([self._near], [], [], max(0.0, deadline - time.monotonic()))
        try:
            data = os.read(self._near, 65536) if ready else b""
        except OSError:  # the other end is closed
            return False
        self._stream.feed(data)
        return bool(data)

    @property
    def lines(self):
        above = ["".join(row[column].data for column in range(110)).rstrip() for row in self.screen.history.top]
        return [line for line in [*above, *(line.rstrip() for line in self.screen.display)] if line]


def row(lines, name):
    return next((line for line in lines if line.startswith(f" {name} ")), "")


def test_a_run_on_a_terminal_with_workers_and_its_page_meanwhile(tmp_path):
    command, environment = prepare(tmp_path, BOARDS, TESTS, "--live-page")
    terminal = Terminal(command, tmp_path, environment)
    try:
        terminal.until(lambda lines: all("1/3" in row(lines, name) for name in ("dk", "rack-3")))
        terminal.until(lambda lines: " s" in row(lines, "dk").partition("test_command[1]")[2])
        (folder,) = (path for path in (tmp_path / "reports").iterdir() if path.is_dir())
        page = folder / "report.html"
        deadline = time.monotonic() + START
        while not page.exists() or "So far: All 2 tests passed." not in page.read_text():  # one of each board
            assert time.monotonic() < deadline
            terminal._read(time.monotonic() + 0.2)
        meanwhile = page.read_text()
        (tmp_path / "go").touch()
        assert terminal.to_the_end() == 1, terminal.lines
    finally:
        terminal.process.kill()
    assert "test_command[0]" in meanwhile
    assert '<meta http-equiv="refresh" content="10">' in meanwhile
    final = page.read_text()
    assert 'http-equiv="refresh"' not in final
    assert "1 failure points at nobody yet" in final
    assert "So far" not in final
    lines = terminal.lines
    assert not any(row(lines, name) for name in ("dk", "rack-3")), "rows are left behind"
    assert sum(line.startswith("FAILED Unclear: two is not three") for line in lines) == 1, lines
    assert any(line.startswith("    1  Unclear") for line in lines)
    assert any("AssertionError: two is not three" in line for line in lines)  # nobody's cause: its traceback stays
    assert lines[-1].startswith("1 failed, 5 passed")
    assert not list(folder.glob(".*")), "half a page is left"


def test_pytest_s_own_lines_say_how_many_tests_all_workers_have(tmp_path):
    """They said how many the first one had."""
    command, environment = prepare(tmp_path, BOARDS, TESTS, "-vv", "-k", "not 1")  # one of them counts against -q
    terminal = Terminal(command, tmp_path, environment)
    try:
        assert terminal.to_the_end() == 1, terminal.lines
    finally:
        terminal.process.kill()
    told = [line for line in terminal.lines if line.startswith("2 workers [")]
    assert told == ["2 workers [4 items]"], terminal.lines


def test_what_did_not_pass_runs_again_by_the_file_that_names_it(tmp_path):
    (tmp_path / "go").touch()
    command, environment = prepare(tmp_path, BOARDS, TESTS, "-n", "0")
    run_python(command, tmp_path, environment, TIMEOUT)
    (folder,) = (path for path in (tmp_path / "reports").iterdir() if path.is_dir())
    again = [*command[: command.index("-q")], f"@reports/{folder.name}/again.txt"]
    done = run_python(again, tmp_path, environment, TIMEOUT)
    assert done.stdout.splitlines()[-1].startswith("1 failed in "), done.stdout
