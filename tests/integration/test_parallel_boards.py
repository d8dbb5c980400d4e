"""Boards side by side: one worker process for each, one report of all."""

from __future__ import annotations

import re
import subprocess

import pytest

from harness.cli import main
from tests.integration.runs import TIMEOUT, prepare, processes_of, run, started_in
from tests.integration.test_interrupted_runs import FORMER, counts

TWO = """
boards:
  - {name: one, virtual: {}}
  - {name: two, virtual: {}}
"""

TESTS = """
import os
from pathlib import Path

def note(board, test):
    with open("notes", "a") as file:
        file.write(f"{board.name} {test} {os.getpid()} {board.cloud.endpoints.rest}\\n")

def test_a(board, cloud): note(board, "a")

def test_b(board): note(board, "b")

def test_c(board): note(board, "c")

def test_derived(board, derived): pass
"""

BEGINNINGS = """
import os

BEGAN = os.getpid()
with open("began", "a") as file:
    file.write(f"{BEGAN}\\n")

from own import log

pytest_plugins = ["harness.plugin", "own.fixtures"]
"""

LOG = """
import random
import tempfile

file = open("log", "a", buffering=1)
chance = random.Random()
scratch = tempfile.NamedTemporaryFile(dir=".", prefix="scratch-")
print(scratch.name, file=file)
"""

FORKED = """
import os
import random
from pathlib import Path

import pytest

from conftest import BEGAN
from harness.at.holders import holders
from helpers import stand_ins
from own import log

def test_it(board, answer):
    here, leader = (Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (os.getpid(), os.getppid()))
    assert here == leader
    assert BEGAN == os.getpid()
    (stand_in,) = stand_ins("board")
    port = board.opened.port._url
    assert [holder.pid for holder in holders([port])[port]] == [os.getpid()]
    assert Path(f"/proc/{stand_in}/cmdline").read_bytes() == here
    Path(f"drawn-{board.name}").write_text(f"{random.random()}\\n{log.chance.random()}\\n")
    controllers, *_ = Path("log").read_text().splitlines()
    assert Path(controllers).exists()
    print("tested", board.name, file=log.file)
    with pytest.raises(AssertionError, match="assert 1 == 2"):
        assert len("a") == len("bc")

def test_another(board): pass  # a worker with one test is given the next board's too
"""


def notes(folder):
    """By board: which tests, in which processes, on which clouds."""
    found: dict[str, list[list[str]]] = {}
    for line in (folder / "notes").read_text().splitlines():
        board, *rest = line.split()
        found.setdefault(board, []).append(rest)
    return found


def test_each_board_has_a_process_its_tests_keep_their_order_and_all_share_cloud_and_reports(tmp_path):
    result = run(tmp_path, TWO, TESTS)
    assert result.exit_code == 0, result.output
    found = notes(tmp_path)
    assert [test for lines in found.values() for test, *_ in lines] == ["a", "b", "c"] * 2
    processes = {board: {process for _, process, _ in lines} for board, lines in found.items()}
    assert all(len(of_board) == 1 for of_board in processes.values())
    assert processes["one"] != processes["two"]
    assert len({rest for lines in found.values() for _, _, rest in lines}) == 1
    total = counts(tmp_path / "reports" / "junit.xml")[0]
    assert total == len(result.cases) == 2 * (3 + sum("derived" in case.name for case in result.cases) // 2)
    assert {case.properties["board"] for case in result.cases} == {"one", "two"}
    assert all(case.properties["verdict"] == "passed" for case in result.cases)
    assert " trials, " in result.properties["policy_trials.local"]
    planned = result.journal[0]["tests"]
    assert set(planned.values()) == {"one", "two"}
    assert len(planned) == total
    assert len(list((result.run_folder / "transcripts").iterdir())) == total
    assert re.search(rf"^one  {total // 2} passed in ", result.output, re.MULTILINE)
    assert processes_of(tmp_path) == []


def test_workers_are_forked_and_begin_anew(tmp_path):
    (tmp_path / "own").mkdir()  # without __init__.py, so "from own import log" looks at what "own" has first
    (tmp_path / "own" / "log.py").write_text(LOG)
    (tmp_path / "own" / "fixtures.py").write_text("import pytest\n\n@pytest.fixture\ndef answer(): return 42\n")
    result = run(tmp_path, TWO, FORKED, conftest=BEGINNINGS)
    assert result.exit_code == 0, result.output
    assert "warning" not in result.output.lower()
    assert len(set((tmp_path / "began").read_text().split())) == 3  # each has its own conftest.py
    drawn = [(tmp_path / f"drawn-{board}").read_text().split() for board in ("one", "two")]
    assert all(first != second for first, second in zip(*drawn, strict=True))
    assert {"tested one", "tested two"} <= set((tmp_path / "log").read_text().splitlines())


def test_one_process_runs_one_board_after_the_other(tmp_path):
    result = run(tmp_path, TWO, TESTS, "-n", "0", "-k", "not derived")
    assert result.exit_code == 0, result.output
    assert len({process for lines in notes(tmp_path).values() for _, process, _ in lines}) == 1
    assert [line.split()[0] for line in (tmp_path / "notes").read_text().splitlines()] == ["one"] * 3 + ["two"] * 3


def test_tests_are_shared_out_by_board_whatever_way_pytest_xdist_is_told(tmp_path):
    """With another one the run had no report: a repository's addopts have one for its other tests."""
    result = run(tmp_path, TWO, TESTS, "-k", "not derived", "--boards", "boards.yaml", "--dist", "loadscope")
    assert result.exit_code == 0, result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (6, 0, 0, 0)
    assert all(len({process for _, process, _ in lines}) == 1 for lines in notes(tmp_path).values())


def test_fewer_jobs_than_boards(tmp_path):
    boards = TWO + "  - {name: three, virtual: {}}\n"
    result = run(tmp_path, boards, TESTS, "--jobs", "2", "-k", "not derived")
    assert result.exit_code == 0, result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (9, 0, 0, 0)
    assert len({process for lines in notes(tmp_path).values() for _, process, _ in lines}) == 2
    assert run(tmp_path, boards, TESTS, "--jobs", "0").exit_code == 4


MISTAKES = {
    "file or directory not found: no_such_test.py": ["no_such_test.py"],
    "Wrong expression passed to '-k': ((: at column 3": ["-k", "(("],
}


@pytest.mark.parametrize(("said", "arguments"), MISTAKES.items(), ids=["file", "expression"])
def test_a_mistake_in_the_call_is_one_line_although_only_workers_see_it(tmp_path, said, arguments):
    """pytest-xdist says "no tests ran" of the file, with exit code 5, and ends in INTERNALERROR for the expression."""
    result = run(tmp_path, TWO, TESTS, "--boards", "boards.yaml", *arguments)
    assert result.exit_code == 4, result.output
    assert sum(line.startswith(f"ERROR: {said}") for line in result.output.splitlines()) == 1, result.output
    assert "INTERNALERROR" not in result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (1, 1, 0, 0)
    assert result.cases[0].message.startswith(said)
    assert processes_of(tmp_path) == []


def test_a_file_that_cannot_be_imported_keeps_a_run_from_being_green(tmp_path):
    """Workers run the other tests, and the run was "GREEN: All 2 tests passed"."""
    (tmp_path / "test_broken.py").write_text("import no_such_module")
    result = run(tmp_path, TWO, TESTS, "-k", "test_b")
    assert result.exit_code == 1, result.output
    said = "NOT PROVED: The run was interrupted (not all tests were found, because of test_broken.py)."
    assert said in result.output, result.output
    report = tmp_path / "reports" / "junit.xml"
    assert counts(report) == (3, 1, 0, 0)
    assert main(["report", "rebuild", str(result.run_folder)]) == 0
    assert counts(report) == (3, 1, 0, 0)


@pytest.mark.parametrize("option", ["--fixtures", "--setup-plan"])
def test_a_list_needs_no_workers_and_reports_nothing(tmp_path, option):
    """It was reported as a run: of --setup-plan, which runs nothing, that all tests passed."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "junit.xml").write_text(FORMER)
    result = run(tmp_path, TWO, TESTS, "--boards", "boards.yaml", option, "-k", "test_b")
    assert result.exit_code == 0, result.output
    assert "workers" not in result.output
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["junit.xml"]
    assert (tmp_path / "reports" / "junit.xml").read_text() == FORMER


def test_too_few_open_files_for_several_boards_are_one_line(tmp_path):
    """pytest ended in INTERNALERROR, or each test with a traceback."""
    command, environment = prepare(tmp_path, TWO, TESTS, "--boards", "boards.yaml")
    limited = ["bash", "-c", 'ulimit -n 32; exec "$@"', "bash", *command]
    done = subprocess.run(limited, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    said = "only 32 files may be open, 2 boards side by side need 64: ulimit -n 64"
    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stderr.strip() == f"ERROR: {said}"
    assert counts(tmp_path / "reports" / "junit.xml") == (1, 1, 0, 0)
    assert said in (tmp_path / "reports" / "junit.xml").read_text()
    assert started_in(tmp_path) == []
