"""One good board among a mute one, a garbling one and one that is not plugged in: each bad one is one error."""

from __future__ import annotations

import os
import pty
import threading
import tty

import pytest

from tests.integration.runs import IMPATIENT, run, started_in
from tests.integration.test_interrupted_runs import counts

TESTS = """
import pytest
from harness.trial import Outcome

def test_connected(trial, provisioned):
    trial.verify_connection().expect(Outcome.TOLERATED)

@pytest.mark.parametrize("n", range(20))
def test_board(board, n): pass

@pytest.mark.parametrize("n", range(20))
def test_modem(modem, n): pass
"""
BAD = ("mute", "garbling", "unplugged")
PLANNED = 41


@pytest.fixture
def garbling():
    """The name of a port whose far end answers every byte with noise."""
    far, near = pty.openpty()
    tty.setraw(near)

    def answer():
        try:
            while heard := os.read(far, 1024):
                os.write(far, bytes((byte ^ 0xA5) | 0x80 for byte in heard) + b"\r\n")
        except OSError:
            return  # closed

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield os.ttyname(near)
    os.close(near)
    thread.join(30)
    os.close(far)


def test_the_good_board_is_green_and_each_bad_one_is_one_error_in_few_lines(tmp_path, garbling):
    boards = f"""
boards:
  - {{name: good, virtual: {{}}}}
  - {{name: mute, virtual: {{model: mute}}, return_within: 1}}
  - {{name: garbling, port: {garbling}, cloud: nrfcloud, return_within: 1}}
  - {{name: unplugged, port: {tmp_path}/no-port, cloud: nrfcloud}}
"""
    env = {"NRFCLOUD_API_KEY": "none"}
    result = run(tmp_path, boards, TESTS, "--jobs", "2", env=env, conftest=IMPATIENT)
    assert result.exit_code == 1, result.output
    assert counts(tmp_path / "reports" / "junit.xml") == (4 * PLANNED, 3, 0, 3 * (PLANNED - 1))
    found = {board: [case for case in result.cases if f"[{board}" in case.name] for board in ("good", *BAD)}
    assert {case.result for case in found["good"]} == {"passed"}
    for board in BAD:
        (error,) = [case for case in found[board] if case.result == "error"]
        skipped = {case.message for case in found[board] if case.result == "skipped"}
        assert skipped == {f"{board} is out: see the error of test_inner.py::{error.name}"}
    lines = result.output.splitlines()
    assert len(lines) < 40, result.output
    for board in BAD:
        assert sum(line.startswith(f"{board} ") and "out before its first test" in line for line in lines) == 1
    assert any(line.startswith("good ") and f"{PLANNED} passed" in line for line in lines), result.output
    assert "Traceback" not in result.output
    assert started_in(tmp_path) == []


def test_a_mistake_in_the_boards_file_is_one_line_where_workers_were_asked_for(tmp_path):
    result = run(tmp_path, "boards: []\n", "def test_it(board): pass", "-n2")
    assert result.exit_code == 4, result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("ERROR")]
    assert line.endswith("boards.yaml:1:9: 'boards' is an empty list; add a board to it")
    assert "INTERNALERROR" not in result.output
    (case,) = result.cases
    assert (case.result, case.message) == ("error", line.removeprefix("ERROR: "))


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_boards_file_that_is_a_pipe_is_one_line_and_not_waited_for(tmp_path, workers):
    os.mkfifo(tmp_path / "lab.yaml")
    result = run(tmp_path, "", "def test_it(board): pass", "--boards", "lab.yaml", workers)
    assert result.exit_code == 4, result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("ERROR")]
    assert "lab.yaml: cannot read the boards file: it is a pipe, not a file; it would be read more than" in line
    assert "INTERNALERROR" not in result.output
    (case,) = result.cases
    assert (case.result, case.message) == ("error", line.removeprefix("ERROR: "))


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_lab_ca_that_is_no_folder_ends_a_run_whose_reports_say_so(tmp_path, workers):
    (tmp_path / "ca").write_text("a plain file")
    boards = "boards: [{name: a, virtual: {}}, {name: b, virtual: {}}]\n"
    result = run(tmp_path, boards, "def test_it(board): pass", "--lab-ca", "ca", workers)
    assert result.exit_code == 4, result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("ERROR")]
    assert line.endswith(
        "/ca is not a folder: the lab CA needs a folder, readable and writable; name another with --lab-ca DIR"
    )
    (case,) = result.cases
    assert (case.result, case.message) == ("error", line.removeprefix("ERROR: "))
    assert [path.name for path in result.run_folder.iterdir()] == ["junit.xml"]
    assert (result.run_folder / "junit.xml").read_text() == (tmp_path / "reports" / "junit.xml").read_text()


def test_a_lab_ca_of_the_boards_file_that_is_no_folder_ends_a_run(tmp_path):
    (tmp_path / "ca").write_text("a plain file")
    result = run(tmp_path, "lab_ca: ca\nboards: [{name: a, virtual: {}}]\n", "def test_it(board): pass", "-n0")
    assert result.exit_code == 4, result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("ERROR")]
    assert line.endswith(
        ".yaml:1:9: " + f"{tmp_path}/ca is not a folder; the lab CA needs a folder, which the first run makes"
    )
