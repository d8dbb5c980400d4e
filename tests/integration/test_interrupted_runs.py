"""Runs that are ended from outside, and disks that take no report: what CI then reads is never another run's."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from junitparser import JUnitXml

from harness.cli import main
from harness.report.run_lock import goes_on
from tests.integration.runs import PATIENT, START, prepare, processes_of, run

ONE = "boards:\n  - {name: one, virtual: {}}\n"

TESTS = """
import pytest
import time
from pathlib import Path

def test_first(board): pass

def test_failing(board): assert False

def test_torn_down_badly(board, request):
    def tear_down(): raise ValueError("no")
    request.addfinalizer(tear_down)

def test_skipped(board): pytest.skip("not today")

def test_long(board):
    Path("reached").touch()
    time.sleep(100)

def test_never(board): pass
"""

FORMER = '<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="0" tests="0"/></testsuites>'


def counts(path):
    """Tests, errors, failures, skipped, which the cases must bear out."""
    (suite,) = JUnitXml.fromfile(str(path))
    kinds = [type(result).__name__ for case in suite for result in case.result]
    told = (suite.tests, suite.errors, suite.failures, suite.skipped)
    assert told == (len(list(suite)), kinds.count("Error"), kinds.count("Failure"), kinds.count("Skipped"))
    return told


def start(folder, *arguments, tests=TESTS):
    """Start a run, wait until it is in its long test; the shared report is a former run's when it begins."""
    (folder / "reports").mkdir()
    (folder / "reports" / "junit.xml").write_text(FORMER)
    command, environment = prepare(folder, ONE, tests, *arguments, conftest=PATIENT)
    with (folder / "output").open("wb") as output:
        started = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    deadline = time.monotonic() + START
    while not (folder / "reached").exists():
        assert started.poll() is None, (folder / "output").read_text()
        assert time.monotonic() < deadline, (folder / "output").read_text()
        time.sleep(0.02)
    return started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_end_says_so_and_names_what_was_not_run(tmp_path, number):
    started = start(tmp_path)
    started.send_signal(number)
    assert started.wait(START) == 2, (tmp_path / "output").read_text()
    # first, failing, torn down badly, skipped; long was running; and the run's own error
    assert counts(tmp_path / "reports" / "junit.xml") == (6, 3, 1, 1)
    text = (tmp_path / "reports" / "junit.xml").read_text()
    why = "interrupted by " + ("SIGTERM" if number == signal.SIGTERM else "Ctrl-C")
    assert why in text
    assert "test_inner.py::test_never[one]" in text
    assert processes_of(tmp_path) == []
    output = (tmp_path / "output").read_text()
    assert re.search(rf"^!+ {why} !+$", output, re.MULTILINE), output
    assert "KeyboardInterrupt" not in output
    (journal,) = (tmp_path / "reports").glob("*/journal.jsonl")
    end = json.loads(journal.read_text().splitlines()[-1])
    assert (end["k"], end["interrupted"]) == ("end", why)
    assert end["ended"] == {"passed": 1, "failed": 1, "error": 2, "skipped": 1}
    (shown,) = [line for line in journal.with_name("tests.txt").read_text().splitlines() if "test_long" in line]
    assert "ERROR" in shown
    again = [line for line in journal.with_name("again.txt").read_text().splitlines() if "::" in line]
    assert again == [f"test_inner.py::test_{name}[one]" for name in ("failing", "torn_down_badly", "long", "never")]


@pytest.mark.usefixtures("hang_up_ends")
def test_a_run_whose_terminal_is_closed_ends_as_tidily(tmp_path):
    command, environment = prepare(tmp_path, ONE, TESTS, "--boards", "boards.yaml", conftest=PATIENT)
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(command[0], command, environment)  # noqa: S606 - it must lead the terminal's session
    deadline = time.monotonic() + START
    while not (tmp_path / "reached").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
    assert "interrupted by SIGHUP: 1 test was not run" in (tmp_path / "reports" / "junit.xml").read_text()
    assert processes_of(tmp_path) == []
    (journal,) = (tmp_path / "reports").glob("*/journal.jsonl")
    assert json.loads(journal.read_text().splitlines()[-1])["interrupted"] == "interrupted by SIGHUP"


def test_a_run_that_is_told_to_end_before_it_begins_says_so_in_one_line(tmp_path):
    command, environment = prepare(tmp_path, ONE, TESTS, "--boards", "boards.yaml")
    shared = tmp_path / "reports" / "junit.xml"
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as started:
        deadline = time.monotonic() + START
        while not shared.exists():
            assert started.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.001)
        started.send_signal(signal.SIGTERM)
        _, errors = started.communicate(timeout=START)
    assert started.returncode == 2, errors
    assert "Traceback" not in errors
    assert counts(shared)[1] >= 1
    assert "interrupted by SIGTERM" in shared.read_text()


CONFIGURED = """
import os
import signal

def pytest_configure():
    os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_run_that_is_told_to_end_while_plugins_are_configured_says_so(tmp_path):
    """pytest called it an internal error: "mainloop: caught unexpected SystemExit!"."""
    result = run(tmp_path, ONE, TESTS, "--boards", "boards.yaml", conftest=PATIENT + CONFIGURED)
    assert result.exit_code == 2, result.output
    assert "INTERNALERROR" not in result.output
    assert re.search(r"^!+ interrupted by SIGTERM before the first test !+$", result.output, re.MULTILINE)
    assert result.cases[0].message == "interrupted by SIGTERM before the first test"
    assert counts(tmp_path / "reports" / "junit.xml") == (1, 1, 0, 0)


AT_ITS_END = """
import os
import signal
import time

def pytest_sessionfinish():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(100)
"""


def test_a_run_that_is_told_to_end_at_its_end_says_so(tmp_path):
    """pytest ended with a traceback, killed by the signal, and the report said that all was well."""
    result = run(tmp_path, ONE, TESTS, "-k", "first", conftest=PATIENT + AT_ITS_END)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (2, 1, 0, 0)
    assert "interrupted by SIGTERM: 0 tests were not run" in result.cases[-1].message


UNBEGUN = {
    "def pytest_sessionstart(): raise RuntimeError('a mistake')": (3, "internal error: RuntimeError: a mistake"),
    "def pytest_sessionstart(): pytest.exit('closed today', 7)": (7, "interrupted: closed today"),
    "def pytest_configure(): raise RuntimeError('a mistake')": (3, "pytest ended, its output says why,"),
    "import no_such_module": (4, "pytest ended, its output says why,"),
}


@pytest.mark.parametrize(("code", "expected"), UNBEGUN.items(), ids=["error", "exit", "configure", "import"])
def test_a_run_whose_session_never_begins_says_so(tmp_path, code, expected):
    """Its report stayed "in progress", with a former night's report lost."""
    result = run(tmp_path, ONE, TESTS, "--boards", "boards.yaml", conftest=f"import pytest\n{code}\n")
    exit_code, why = expected
    assert result.exit_code == exit_code, result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (1, 1, 0, 0)
    (case,) = result.cases
    assert case.message == f"{why} before the first test"


def test_a_run_that_finds_no_test_because_of_an_import_leaves_no_former_report(tmp_path):
    """The report of the night before came back, and said that all was well."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "junit.xml").write_text(FORMER)
    result = run(tmp_path, ONE, "import no_such_module", "--boards", "boards.yaml")
    assert result.exit_code == 2, result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (1, 1, 0, 0)
    assert "because of test_inner.py" in result.cases[0].message


def test_a_list_of_markers_leaves_a_report_alone(tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "junit.xml").write_text(FORMER)
    assert run(tmp_path, ONE, TESTS, "--boards", "boards.yaml", "--markers").exit_code == 0
    assert (tmp_path / "reports" / "junit.xml").read_text() == FORMER


IN_SET_UP = """
import pytest
import time
from pathlib import Path

@pytest.fixture
def slow(tmp_path):
    Path("reached").touch()
    time.sleep(100)

@pytest.fixture
def broken():
    yield
    raise ValueError("not torn down")

def test_it(board, broken, tmp_path, slow): pass
"""


def test_a_run_that_is_told_to_end_in_a_set_up_ends_as_tidily(tmp_path):
    """pytest's own tmp_path cannot be torn down then, and its traceback took the place of the run's end."""
    started = start(tmp_path, tests=IN_SET_UP)
    started.send_signal(signal.SIGTERM)
    output = tmp_path / "output"
    assert started.wait(START) == 2, output.read_text()
    lines = output.read_text().splitlines()
    (left,) = [line for line in lines if line.startswith("left behind")]
    assert left == ("left behind: after the interruption a fixture could not be torn down: ValueError: not torn down")
    assert any(line.startswith("one  1 interrupted in ") for line in lines), lines
    assert "Traceback" not in output.read_text()
    assert processes_of(tmp_path) == []


def test_a_killed_runs_report_is_no_other_runs_and_can_be_rebuilt(tmp_path, capsys):
    started = start(tmp_path)
    shared = tmp_path / "reports" / "junit.xml"
    assert counts(shared) == (1, 1, 0, 0)
    (folder,) = [path for path in (tmp_path / "reports").iterdir() if path.is_dir()]
    assert goes_on(folder)
    started.kill()
    started.wait()
    assert not goes_on(folder)  # so that it may be pruned
    assert counts(shared) == (1, 1, 0, 0)
    assert main(["report", "rebuild", str(folder)]) == 0
    assert "6 tests, 3 errors, 1 failures, 1 skipped" in capsys.readouterr().out
    assert counts(shared) == counts(folder / "junit.xml") == (6, 3, 1, 1)


def test_a_rebuilt_report_counts_as_pytest_did(tmp_path):
    result = run(tmp_path, ONE, TESTS, "-k", "not long")
    shared = tmp_path / "reports" / "junit.xml"
    theirs = counts(shared)
    assert theirs == (5, 1, 1, 1), result.output
    assert main(["report", "rebuild", str(result.run_folder)]) == 0
    assert counts(shared) == theirs


def test_a_run_leaves_another_runs_report_alone_that_it_does_not_replace(tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "junit.xml").write_text(FORMER)
    assert run(tmp_path, ONE, "def test_nothing(): pass", "--boards", "boards.yaml").exit_code == 0
    assert (tmp_path / "reports" / "junit.xml").read_text() == FORMER
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["junit.xml"]


def test_a_disk_that_fills_up_ends_the_run_with_one_line_and_no_torn_report(tmp_path):
    tests = """
import resource

def test_full(board):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))

def test_next(board): pass
"""
    result = run(tmp_path, ONE, tests)
    assert result.exit_code != 0
    assert sum("cannot write reports to" in line for line in result.output.splitlines()) >= 1, result.output
    assert "INTERNALERROR" not in result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (1, 1, 0, 0)


def test_a_named_junit_file_gets_the_same_report(tmp_path):
    result = run(tmp_path, ONE, TESTS, "-k", "not long", "--junitxml", str(tmp_path / "mine.xml"))
    assert counts(tmp_path / "mine.xml") == counts(tmp_path / "reports" / "junit.xml"), result.output
    assert not list(Path(tmp_path).glob(".mine*"))
