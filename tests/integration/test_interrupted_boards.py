"""Runs of several boards that are told to end, by signals: all workers end, and the report says what was run."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time

import pytest

from tests.integration.runs import PATIENT, START, prepare, processes_of, run, started_in
from tests.integration.test_interrupted_runs import counts
from tests.integration.test_parallel_boards import TWO

LONG = """
import time
from pathlib import Path

def test_a(board): pass

def test_long(board):
    Path(f"reached-{board.name}").touch()
    try:
        time.sleep(100)
    finally:
        Path(f"left-{board.name}").touch()

def test_never(board): pass
"""


def run_in_the_middle(tmp_path):
    """Start a run of two boards; return it when a test of each is running."""
    command, environment = prepare(tmp_path, TWO, LONG, conftest=PATIENT)
    with (tmp_path / "output").open("wb") as output:
        started = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=output)
    deadline = time.monotonic() + START
    while not all((tmp_path / f"reached-{name}").exists() for name in ("one", "two")):
        assert started.poll() is None, (tmp_path / "output").read_text()
        assert time.monotonic() < deadline, (tmp_path / "output").read_text()
        time.sleep(0.02)
    return started


def test_sigterm_reaches_all_workers_and_the_report_names_what_they_ran(tmp_path):
    started = run_in_the_middle(tmp_path)
    started.send_signal(signal.SIGTERM)
    assert started.wait(START) == 2, (tmp_path / "output").read_text()
    assert all((tmp_path / f"left-{name}").exists() for name in ("one", "two"))
    # On each board one passed and one was running; the run's own error says that one on each was not run.
    assert counts(tmp_path / "reports" / "junit.xml") == (5, 3, 0, 0)
    text = (tmp_path / "reports" / "junit.xml").read_text()
    assert "interrupted by SIGTERM: 2 tests were not run" in text
    assert processes_of(tmp_path) == []


WAITED_FOR = """
import os
import signal
import time
from pathlib import Path

def test_it(board):
    if board.name == "one":
        while not Path("reached").exists():
            time.sleep(0.02)
        assert False
    Path("reached").touch()
    try:
        time.sleep(100)
    finally:  # the controller listens to this worker
        os.kill(os.getppid(), signal.SIGTERM)
        time.sleep(0.5)
"""

BROKEN = """
import os

def pytest_runtest_logreport(report):
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        raise RuntimeError("a mistake")
"""


def test_a_run_that_is_told_to_end_while_it_waits_for_workers_keeps_its_report(tmp_path):
    """After an error of its own it waits up to ten seconds. A signal ended pytest there, without reports."""
    result = run(tmp_path, TWO, WAITED_FOR, conftest=PATIENT + BROKEN)
    assert result.exit_code == 3, result.output
    assert "interruption.py" not in result.output  # no traceback of the signal
    report = tmp_path / "reports" / "junit.xml"
    assert counts(report)[2] == 1
    assert "internal error: RuntimeError: a mistake" in report.read_text()
    assert processes_of(tmp_path) == []


INTERRUPTED = """
import os
import signal

def pytest_{moment}():
    os.{kill}(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.parametrize(
    ("moment", "kill"),
    [
        ("sessionstart", "kill"),
        ("configure_node", "kill"),
        ("xdist_newgateway", "kill"),
        ("xdist_newgateway", "killpg"),
    ],
)
def test_a_run_that_is_told_to_end_while_workers_start_says_so_and_leaves_nothing(tmp_path, moment, kill):
    """pytest ends no session that has not begun: the report stayed "in progress", with a KeyboardInterrupt."""
    conftest = PATIENT + INTERRUPTED.format(moment=moment, kill=kill)
    command, environment = prepare(tmp_path, TWO, LONG, "--boards", "boards.yaml", conftest=conftest)
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=START, start_new_session=True
    )
    output = ended.stdout + ended.stderr
    assert ended.returncode == 2, output
    assert re.search(r"^!+ interrupted by SIGTERM before the first test !+$", output, re.MULTILINE), output
    assert "KeyboardInterrupt" not in output
    assert "Traceback" not in output
    assert not list(tmp_path.glob("reached-*"))
    (folder,) = [path for path in (tmp_path / "reports").iterdir() if path.is_dir()]
    for report in (tmp_path / "reports" / "junit.xml", folder / "junit.xml"):
        assert "interrupted by SIGTERM before the first test" in report.read_text()
        assert counts(report) == (1, 1, 0, 0)
    assert started_in(tmp_path) == []


def test_workers_of_a_killed_run_end_by_themselves(tmp_path):
    started = run_in_the_middle(tmp_path)
    deadline = time.monotonic() + START
    started.kill()
    started.wait()
    while not all((tmp_path / f"left-{name}").exists() for name in ("one", "two")) or processes_of(tmp_path):
        assert time.monotonic() < deadline, processes_of(tmp_path)
        time.sleep(0.02)
    journals = list((tmp_path / "reports").glob("*/journal.jsonl"))
    assert json.loads(journals[0].read_text().partition("\n")[0])["k"] == "run"
