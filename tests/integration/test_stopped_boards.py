"""Boards side by side: what a board's failure or a test's ``pytest.exit`` does to the run of all of them."""

from __future__ import annotations

import re

import pytest

from tests.integration.runs import processes_of, run
from tests.integration.test_interrupted_runs import counts
from tests.integration.test_parallel_boards import TWO

# Board one fails while test_a of board two runs, which goes on until the workers have been told to stop.
FAILING = """
import os
import signal
import time
from pathlib import Path

import pytest

def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)

def test_a(board):
    if board.name == "one":
        wait_for(Path("running").exists)
        FAIL
    else:
        Path("running").touch()
        wait_for(Path("stopping").exists)

@pytest.mark.parametrize("number", range(4))
def test_b(board, number): pass
"""

# pytest-xdist has told the workers to end.
STOPPING = """
from pathlib import Path

import pytest

pytest_plugins = ["harness.plugin"]

@pytest.hookimpl(wrapper=True)
def pytest_xdist_make_scheduler(config):
    made = yield
    session = config.pluginmanager.get_plugin("dsession")
    let_end = session.triggershutdown

    def stop():
        let_end()
        Path("stopping").touch()

    session.triggershutdown = stop
    return made
"""

FAILURES = {"failure": "assert False", "death": "os.kill(os.getpid(), signal.SIGKILL)"}


@pytest.mark.parametrize("how", FAILURES)
def test_at_the_first_failure_other_boards_end_with_the_test_that_they_run(tmp_path, how):
    """They ran all their tests, and the exit code was 2. A worker's death did not count, and its board went on."""
    result = run(tmp_path, TWO, FAILING.replace("FAIL", FAILURES[how]), "-x", conftest=STOPPING)
    assert result.exit_code == 1, result.output
    assert "stopping after 1 failures" in result.output
    assert {case.name: case.result for case in result.cases} == {
        "test_a[one]": "failed" if how == "failure" else "error",
        "test_a[two]": "passed",
    }
    end = result.journal[-1]
    assert (end["interrupted"], end["not_run"]) == ("", 8)
    assert processes_of(tmp_path) == []


def test_what_cannot_be_torn_down_behind_the_last_test_of_another_board_is_its_error(tmp_path):
    """It failed at the end of the worker's session, and nobody was told."""
    torn = """
@pytest.fixture(scope="module", autouse=True)
def torn():
    yield
    assert False, "not torn down"
"""
    tests = FAILING.replace("FAIL", "assert False").replace("def wait_for", f"{torn}\ndef wait_for")
    result = run(tmp_path, TWO, tests, "-x", conftest=STOPPING)
    assert result.exit_code == 1, result.output
    other = result.case("test_a[two]")
    assert (other.result, "not torn down" in other.message) == ("error", True), result.output
    assert result.journal[-1]["not_run"] == 8


@pytest.mark.parametrize("exit_code", ["None", "1"])
def test_the_reason_for_which_a_test_ends_its_worker_is_told(tmp_path, exit_code):
    """It was "received keyboard-interrupt", or nothing."""
    tests = FAILING.replace("FAIL", f'pytest.exit("the lab is closed", {exit_code})')
    tests = tests.replace("wait_for(Path", "(Path") if exit_code == "1" else tests  # there the other board goes on
    result = run(tmp_path, TWO, tests, conftest=STOPPING)
    report = (tmp_path / "reports" / "junit.xml").read_text()
    if exit_code == "None":
        assert result.exit_code == 2, result.output
        assert "! interrupted: the lab is closed !" in result.output, result.output
        assert "interrupted: the lab is closed: 8 tests were not run" in report
        said = "one: this test ended the run by pytest.exit: the lab is closed (points at the lab)"
        assert (result.case("test_a[one]").result, result.case("test_a[one]").message) == ("error", said)
        assert result.case("test_a[two]").result == "passed"
    else:
        assert result.exit_code == 1, result.output
        left = result.case("test_a[one]").message
        said = "nobody is left to run its tests: worker gw. ended by itself; the lab is closed"
        assert re.match(f"one: {said}", left), left  # either worker may have the board: all collect everything
        assert counts(tmp_path / "reports" / "junit.xml") == (10, 1, 0, 4)
