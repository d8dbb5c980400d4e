"""Boards side by side: workers die, and others take their places, or cannot."""

from __future__ import annotations

import pytest

from tests.integration.runs import PLUGIN, processes_of, run
from tests.integration.test_interrupted_runs import FORMER, counts
from tests.integration.test_parallel_boards import TESTS, TWO, notes

DYING = """
import os
import signal
from pathlib import Path

def note(board, test):
    with open("notes", "a") as file:
        file.write(f"{board.name} {test} {os.getpid()}\\n")

def test_a(board): note(board, "a")

def test_b(board):
    note(board, "b")
    if board.name == "one":
        os.kill(os.getpid(), signal.SIGKILL)

def test_c(board): note(board, "c")

def test_d(board): note(board, "d")
"""


def test_a_worker_that_dies_is_an_error_of_its_board_and_nothing_is_run_twice(tmp_path):
    result = run(tmp_path, TWO, DYING)
    assert result.exit_code == 1, result.output
    assert {board: [test for test, *_ in lines] for board, lines in notes(tmp_path).items()} == {
        "one": ["a", "b", "c", "d"],
        "two": ["a", "b", "c", "d"],
    }
    assert counts(tmp_path / "reports" / "junit.xml") == (8, 1, 0, 0)
    dead = result.case("test_b[one]")
    assert dead.result == "error"
    assert "one: the process that ran this test died" in dead.message
    # What pytest says first of such a report is in which worker it was.
    assert "NOT PROVED Lab: the process that ran this test died" in result.output
    assert "[gw" not in result.output.partition("= nRF91 boards =")[2]
    assert result.case("test_c[one]").result == "passed"
    assert processes_of(tmp_path) == []


def test_a_board_whose_workers_die_again_and_again_is_out(tmp_path):
    tests = DYING.replace('def test_d(board): note(board, "d")', "").replace(
        'def test_c(board): note(board, "c")',
        """
@pytest.mark.parametrize("n", range(6))
def test_all(board, n):
    note(board, n)
    if board.name == "one":
        os.kill(os.getpid(), signal.SIGKILL)
""",
    )
    result = run(tmp_path, TWO, "import pytest\n" + tests)
    assert result.exit_code == 1, result.output
    assert {board: len(lines) for board, lines in notes(tmp_path).items()} == {"one": 4, "two": 8}
    # test_b and two of test_all died on one; the rest is skipped.
    assert counts(tmp_path / "reports" / "junit.xml") == (16, 3, 0, 4)
    died = "the process that ran this test died (killed, or out of memory), as 2 before it: no other one is started"
    assert sum(f"one: {died}" in case.message for case in result.cases) == 1
    assert f"one  out after 3 tests: {died}" in result.output, result.output
    skipped = [case for case in result.cases if case.result == "skipped"]
    assert all("one is out: see the error of" in case.message for case in skipped)
    assert result.journal[-1]["not_run"] == 0
    assert processes_of(tmp_path) == []


# The worker of board one dies; in the next one there is a test more.
GROWING = """
import os
import signal
from pathlib import Path

import pytest

@pytest.mark.parametrize("number", range(3 if Path("died").exists() else 2))
def test_a(board, number):
    if board.name == "one":
        Path("died").touch()
        os.kill(os.getpid(), signal.SIGKILL)

def test_b(board): pass
"""


def test_a_board_whose_next_worker_finds_other_tests_is_out_and_the_others_go_on(tmp_path):
    """The run ended in INTERNALERROR: nobody was left for the tests that waited."""
    result = run(tmp_path, TWO, GROWING)
    assert "INTERNALERROR" not in result.output, result.output
    assert result.exit_code == 1, result.output
    results = {case.name: case.result for case in result.cases}
    assert {name: found for name, found in results.items() if "two" in name} == {
        "test_a[two-0]": "passed",
        "test_a[two-1]": "passed",
        "test_b[two]": "passed",
    }
    assert [found for name, found in results.items() if "one" in name] == ["error", "error", "skipped"]
    left = result.case("test_a[one-1]").message
    assert left.startswith("one: nobody is left to run its tests: worker gw2 found other tests"), left
    assert "one is out: see the error of" in result.case("test_b[one]").message
    assert result.journal[-1]["not_run"] == 0
    assert "because of gw2" in result.output
    assert counts(tmp_path / "reports" / "junit.xml")[0] == len(result.cases)


# The worker of board one dies when board two has begun, and meanwhile the file has got another name.
RENAMED = """
import os
import signal
import time
from pathlib import Path

def test_a(board):
    if board.name == "one":
        Path("test_inner.py").rename("test_other.py")
        os.kill(os.getpid(), signal.SIGKILL)

def test_b(board):
    deadline = time.monotonic() + 60
    while not Path("refused").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)

def test_c(board): pass
"""

REFUSING = f"""
from pathlib import Path

{PLUGIN}
def pytest_testnodedown(node, error):
    if not error:
        Path("refused").touch()
"""


def test_a_board_whose_next_worker_is_refused_is_out_and_the_others_go_on(tmp_path):
    """It ended the run of all boards, with exit code 4."""
    result = run(tmp_path, TWO, RENAMED, "test_inner.py", conftest=REFUSING)
    assert result.exit_code == 1, result.output
    results = {case.name: case.result for case in result.cases}
    assert [found for name, found in results.items() if "two" in name] == ["passed"] * 3
    assert sorted(found for name, found in results.items() if "one" in name) == ["error", "error", "skipped"]
    left = result.case("test_b[one]").message
    assert left.startswith("one: nobody is left to run its tests: worker gw2 ended by itself; file or directory"), left
    assert result.journal[-1]["not_run"] == 0


KILLED = """
import os
import signal
from pathlib import Path

def pytest_sessionstart():  # before pytest-xdist's, so while they wait
    for children in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for pid in map(int, children.read_text().split()):
            os.kill(pid, signal.SIGKILL)
"""

KILLED_LATE = """
def pytest_xdist_newgateway(gateway):
    gateway._io.popen.kill()
    gateway._io.popen.wait()
    gateway.join()
"""


def test_workers_that_are_killed_while_they_wait_are_replaced(tmp_path):
    result = run(tmp_path, TWO, TESTS, "-k", "test_b", conftest=PLUGIN + KILLED)
    assert result.exit_code == 0, result.output
    assert set(notes(tmp_path)) == {"one", "two"}


def test_a_worker_that_is_killed_while_it_starts_ends_the_run_without_a_traceback(tmp_path):
    result = run(tmp_path, TWO, TESTS, "--boards", "boards.yaml", conftest=PLUGIN + KILLED_LATE)
    assert result.exit_code == 1, result.output
    assert "Exit: the workers could not be started, or one was killed: " in result.output
    assert "INTERNALERROR" not in result.output
    assert "Traceback" not in result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (1, 1, 0, 0)
    assert "the workers could not be started" in result.cases[0].message
    assert processes_of(tmp_path) == []


LATER_KILLED = f"""
import os

{PLUGIN}
if os.environ.get("PYTEST_XDIST_WORKER") == "FIRST":
    os._exit(1)

def pytest_xdist_newgateway(gateway):
    if gateway.id not in ("gw0", "gw1"):
        gateway._io.popen.kill()
        gateway._io.popen.wait()
        gateway.join()
"""


def test_a_board_for_which_no_other_worker_can_be_started_is_out_and_the_others_go_on(tmp_path):
    """The run of all boards ended in INTERNALERROR: EOFError."""
    result = run(tmp_path, TWO, DYING, conftest=LATER_KILLED)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    assert {board: [test for test, *_ in lines] for board, lines in notes(tmp_path).items()} == {
        "one": ["a", "b"],
        "two": ["a", "b", "c", "d"],
    }
    left = result.case("test_c[one]").message
    assert left.startswith("one: nobody is left to run its tests: worker gw0 died, and none could be started"), left
    assert "one is out: see the error of" in result.case("test_d[one]").message
    assert counts(tmp_path / "reports" / "junit.xml") == (8, 2, 0, 1)
    assert result.journal[-1]["not_run"] == 0
    assert processes_of(tmp_path) == []


def test_a_board_that_nobody_can_collect_is_lost_and_the_others_are_run(tmp_path):
    result = run(tmp_path, TWO, TESTS, "-k", "not derived", conftest=LATER_KILLED.replace("FIRST", "gw0"))
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    assert set(notes(tmp_path)) == {"two"}
    assert counts(tmp_path / "reports" / "junit.xml") == (4, 1, 0, 0)
    assert "one: its workers ended before they had collected its tests" in result.output
    assert processes_of(tmp_path) == []


DEAD = """
import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os._exit(1)
"""


def test_a_run_all_of_whose_workers_die_at_their_start_is_the_labs_trouble(tmp_path):
    """It was "no tests ran", with exit code 5, and the report of the run before it came back."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "junit.xml").write_text(FORMER)
    result = run(tmp_path, TWO, TESTS, "--boards", "boards.yaml", "--max-worker-restart", "0", conftest=DEAD + PLUGIN)
    assert result.exit_code == 1, result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (1, 1, 0, 0)
    assert result.cases[0].message.startswith("workers died before they knew their tests")


EXITING = """
import pytest

@pytest.mark.parametrize("n", range(3))
def test_n(board, n):
    if board.name == "one" and n == 1:
        pytest.exit("enough", returncode=EXIT_CODE)
"""


@pytest.mark.parametrize("exit_code", ["None", "1"])
def test_a_test_that_ends_its_worker_ends_no_run_with_an_internal_error(tmp_path, exit_code):
    result = run(tmp_path, TWO, EXITING.replace("EXIT_CODE", exit_code))
    assert "INTERNALERROR" not in result.output
    assert result.exit_code in (1, 2), result.output
    assert result.case("test_n[one-0]").result == "passed"
    assert processes_of(tmp_path) == []
