"""Boards side by side: a worker dies, and the one in its place cannot go on."""

from __future__ import annotations

from tests.integration.runs import PLUGIN, run
from tests.integration.test_interrupted_runs import counts

TWO = """
boards:
  - {name: one, virtual: {}}
  - {name: two, virtual: {}}
"""

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
