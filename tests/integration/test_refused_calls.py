"""Calls that pytest refuses before it knows a test: the report of the former run does not pass for theirs."""

from __future__ import annotations

import pytest

from tests.integration.runs import PLUGIN, run
from tests.integration.test_interrupted_runs import FORMER, ONE, counts
from tests.integration.test_parallel_boards import TWO

OURS = FORMER.replace('tests="0"/>', 'tests="0"><properties><property name="run" value="x"/></properties></testsuite>')
BOARD = "def test_it(board): pass"
REFUSED = {
    "path": ("no_such_test.py",),
    "test": ("test_inner.py::test_no_such",),
    "number": ("--wait", "-3"),
    "choice": ("--key-origin", "nowhere"),
    "unknown": ("--bogus",),
}


@pytest.fixture
def former(tmp_path):
    """The report of a former run of the harness."""
    return _put(tmp_path / "reports" / "junit.xml", OURS)


def _put(report, text):
    report.parent.mkdir(parents=True)
    report.write_text(text)
    return report


def _says_so(result):
    (case,) = result.cases
    assert (case.name, case.message) == ("run", "pytest ended, its output says why, before the first test")
    assert counts(result.folder / "reports" / "junit.xml") == (1, 1, 0, 0)
    assert result.properties["run"] == result.run_folder.name


@pytest.mark.parametrize("boards", [ONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_a_refused_call_leaves_no_former_report(tmp_path, former, words, boards):
    """CI read the report of the night before as that of this night, which was green."""
    result = run(tmp_path, boards, BOARD, *words)
    assert result.exit_code == 4, result.output
    _says_so(result)


def test_a_conftest_that_cannot_be_imported_leaves_no_former_report(tmp_path, former):
    result = run(tmp_path, ONE, BOARD, conftest="import no_such_module")
    assert result.exit_code == 4, result.output
    _says_so(result)


@pytest.mark.parametrize("place", ["arguments", "addopts"])
def test_the_report_stands_in_the_folder_that_was_named(tmp_path, former, place):
    """Although pytest has not read the options, of which it refused one."""
    named = _put(tmp_path / "elsewhere" / "junit.xml", OURS)
    words = ["--reports", str(named.parent)]
    if place == "addopts":
        (tmp_path / "pytest.ini").write_text(f"[pytest]\naddopts = {' '.join(words)}\n")
        words = []
    result = run(tmp_path, ONE, BOARD, "--wait", "-3", *words)
    assert result.exit_code == 4, result.output
    assert counts(named) == (1, 1, 0, 0)
    assert former.read_text() == OURS


@pytest.mark.parametrize("words", [REFUSED["path"], REFUSED["number"]], ids=["path", "number"])
def test_where_no_report_of_the_harness_stands_nothing_is_written(tmp_path, words):
    """Other projects have the plug-in too, and reports of their own."""
    theirs = _put(tmp_path / "reports" / "junit.xml", FORMER)
    assert run(tmp_path, ONE, "def test_it(): pass", *words).exit_code == 4
    assert (theirs.read_text(), list(theirs.parent.iterdir())) == (FORMER, [theirs])
    theirs.unlink()
    theirs.parent.rmdir()
    assert run(tmp_path, ONE, "def test_it(): pass", *words).exit_code == 4
    assert not theirs.parent.exists()


@pytest.mark.parametrize(
    ("words", "conftest", "code"),
    [
        (("-k", "and and"), PLUGIN, 4),
        (("--collect-only", "no_such_test.py"), PLUGIN, 4),
        (("--help",), "import no_such_module", 0),
        ((), PLUGIN, 0),
    ],
    ids=["tests of no board", "collect only", "help", "no mistake"],
)
def test_who_runs_no_test_of_boards_leaves_the_former_report(tmp_path, former, words, conftest, code):
    result = run(tmp_path, ONE, "def test_it(): pass", *words, conftest=conftest)
    assert result.exit_code == code, result.output
    assert former.read_text() == OURS
    assert list(former.parent.iterdir()) == [former]
