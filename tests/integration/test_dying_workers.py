"""Boards side by side: a worker dies, and the one in its place cannot go on."""

from __future__ import annotations

from tests.integration.runs import run
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
