"""Boards side by side: each worker collects its own board's tests, and the run is what one worker would collect."""

from __future__ import annotations

import json
import subprocess

from tests.integration.runs import PLUGIN, TIMEOUT, prepare, run
from tests.integration.test_interrupted_runs import counts

TWO = """
boards:
  - {name: one, virtual: {}}
  - {name: two, virtual: {}}
"""

TESTS = """
import pytest

@pytest.fixture(scope="module", params=["p", "q"])
def letter(request): return request.param

def test_plain(): pass

def test_a(board): pass

def test_b(board, letter): pass

def test_letter(letter): pass

class TestMore:
    def test_c(self, board): pass

    def test_derived(self, board, derived): pass

def test_last(): pass
"""

# Each process that collects says what.
SAYING = f"""
import json

{PLUGIN}
def pytest_collection_finish(session):
    with open("collected", "a") as file:
        print(json.dumps([item.nodeid for item in session.items]), file=file)
"""

CHOOSING = """
def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "test_a" in item.name][1:]
"""

# Workers of a board, or of a name, are killed before they have collected.
DYING = f"""
import os
import signal

from harness.plugin.state import OWN_BOARD

{PLUGIN}
def pytest_collection(session):
    if %r in (session.config.stash.get(OWN_BOARD, ""), os.environ.get("PYTEST_XDIST_WORKER")):
        os.kill(os.getpid(), signal.SIGKILL)
"""

# Board one fails when two has begun, and two goes on when one's worker has ended.
FAILING = """
import time
from pathlib import Path

def wait_for(path):
    deadline = time.monotonic() + 60
    while not Path(path).exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)

def test_a(board):
    Path(f"began-{board.name}").touch()
    if board.name == "one":
        wait_for("began-two")
        assert False, "the first failure"
    wait_for("ended")

def test_b(board): pass
"""

ENDING = f"""
from pathlib import Path

{PLUGIN}
def pytest_testnodedown():
    Path("ended").touch()
"""

STARTED = """
def pytest_configure_node():
    with open("started", "a") as file:
        file.write("x")
"""


def collected(folder):
    return [json.loads(line) for line in (folder / "collected").read_text().splitlines()]


def test_each_worker_collects_its_boards_tests_and_the_run_has_all_in_one_workers_order(tmp_path):
    command, environment = prepare(tmp_path, TWO, TESTS, "--co", conftest=SAYING)
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=TIMEOUT)
    (whole,) = collected(tmp_path)
    (tmp_path / "collected").unlink()
    result = run(tmp_path, TWO, TESTS, "-k", "not derived or connect", conftest=SAYING)
    assert result.exit_code == 0, result.output
    whole = [test for test in whole if "derived" not in test or "connect" in test]
    parts = [[test for test in whole if other not in test] for other in ("two", "one")]
    assert sorted(collected(tmp_path)) == sorted(parts)
    assert list(result.journal[0]["tests"]) == whole
    assert counts(tmp_path / "reports" / "junit.xml")[0] == len(whole)
    assert f"{len(whole)} passed" in result.output


def test_a_test_that_is_named_with_its_board_is_found_although_other_workers_have_another_board(tmp_path):
    result = run(tmp_path, TWO, TESTS, "test_inner.py::test_a[one]", "test_inner.py::test_b[q-two]")
    assert result.exit_code == 0, result.output
    assert {case.name for case in result.cases} == {"test_a[one]", "test_b[q-two]"}


def test_a_plug_in_that_chooses_among_all_tests_has_all(tmp_path):
    result = run(tmp_path, TWO, TESTS, conftest=SAYING + CHOOSING)
    assert result.exit_code == 0, result.output
    assert collected(tmp_path) == [["test_inner.py::test_a[two]"]] * 2


def test_a_worker_that_dies_before_it_has_collected_costs_no_test(tmp_path):
    result = run(tmp_path, TWO, TESTS, "-k", "not derived", conftest=DYING % "gw0")
    assert result.exit_code == 0, result.output
    assert "[gw0] node down" in result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (12, 0, 0, 0)


def test_a_board_whose_workers_never_collect_is_an_error_and_the_others_are_run(tmp_path):
    """Its workers were replaced until pytest-xdist's limit, which then ended the other board's tests too."""
    result = run(tmp_path, TWO, TESTS, "-k", "not derived", conftest=DYING % "one" + STARTED)
    assert result.exit_code == 1, result.output
    assert (tmp_path / "started").read_text() == "x" * 4  # one for each board, and two replacements
    assert counts(tmp_path / "reports" / "junit.xml") == (9, 1, 0, 0)
    assert {case.name for case in result.cases if case.result == "passed" and "two" in case.name} == {
        "test_a[two]",
        "test_b[p-two]",
        "test_b[q-two]",
        "test_c[two]",
    }
    lost = "not all tests were found, because of one"
    assert result.journal[-1]["interrupted"] == lost
    assert lost in result.output
    assert "one: its workers ended before they had collected its tests" in result.output
    assert "GREEN" not in result.output


def test_a_run_that_ends_at_its_first_failure_gives_waiting_boards_to_nobody(tmp_path):
    """A worker got them behind its end, and pytest-xdist ended in INTERNALERROR."""
    boards = TWO + "  - {name: three, virtual: {}}\n"
    result = run(tmp_path, boards, FAILING, "-x", "--jobs", "2", conftest=ENDING)
    assert "INTERNALERROR" not in result.output, result.output
    assert result.exit_code == 1, result.output
    assert {case.name: case.result for case in result.cases} == {"test_a[one]": "failed", "test_a[two]": "passed"}
    assert not (tmp_path / "began-three").exists()


NO_BOARDS = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_plain(number): pass
"""

LEAVING = f"""
import pytest

from harness.plugin.state import OWN_BOARD

{PLUGIN}
def pytest_collection(session):
    if session.config.stash.get(OWN_BOARD, "") in %r:
        pytest.exit("enough", returncode=1)
"""


def test_tests_that_use_no_board_are_run_although_a_boards_worker_ends_by_itself(tmp_path):
    """pytest-xdist waited for its tests for ever."""
    result = run(tmp_path, TWO, NO_BOARDS, conftest=LEAVING % ["one"])
    assert result.exit_code == 1, result.output
    assert "4 passed, 1 error" in result.output
    assert "one: its workers ended before they had collected its tests" in result.output


def test_a_run_all_of_whose_workers_end_by_themselves_is_the_labs_trouble(tmp_path):
    """It was INTERNALERROR: no active workers."""
    result = run(tmp_path, TWO, TESTS, "--boards", "boards.yaml", conftest=LEAVING % ["one", "two"])
    assert "INTERNALERROR" not in result.output, result.output
    assert result.exit_code == 1, result.output
    assert result.cases[0].message.startswith("workers ended by themselves before they knew their tests")
