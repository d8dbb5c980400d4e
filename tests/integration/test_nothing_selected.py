"""Runs that select no test: their report says so, and the former run's does not pass for theirs."""

from __future__ import annotations

import pytest

from tests.integration.runs import processes_of, run
from tests.integration.test_interrupted_runs import FORMER, ONE, counts
from tests.integration.test_parallel_boards import TWO


@pytest.fixture
def former(tmp_path):
    """The report of a former run that stands where this run's belongs."""
    report = tmp_path / "reports" / "junit.xml"
    report.parent.mkdir()
    report.write_text(FORMER)
    return report


@pytest.mark.parametrize("named", [("--boards", "boards.yaml"), ()], ids=["named", "unnamed"])
@pytest.mark.parametrize("boards", [ONE, TWO], ids=["one", "two"])
def test_a_run_that_selects_nothing_leaves_no_former_report(tmp_path, former, boards, named):
    """CI read the report of the night before as that of this night, which was green."""
    result = run(tmp_path, boards, "def test_it(board): pass", "-k", "zzz", *named)
    assert result.exit_code == 5, result.output
    assert counts(former) == (1, 1, 0, 0)
    assert (result.cases[0].name, result.cases[0].message) == ("run", "no test was selected")
    assert (result.run_folder / "junit.xml").read_bytes() == former.read_bytes()
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("boards", [ONE, TWO], ids=["one", "two"])
def test_where_no_test_is_of_boards_the_former_report_stays(tmp_path, former, boards):
    result = run(tmp_path, boards, "def test_it(): pass", "-k", "zzz")
    assert result.exit_code == 5, result.output
    assert former.read_text() == FORMER
    assert list(former.parent.iterdir()) == [former]
