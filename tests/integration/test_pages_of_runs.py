"""The page at the end of real runs, on virtual boards."""

from __future__ import annotations

import json

from tests.integration.runs import run
from tests.made_up_nights import Told, write_night

KILLED = """
import pytest
import os
import signal
from helpers import stand_ins


@pytest.mark.parametrize("number", range(6))
def test_command(modem, board, number):
    if number == 2 and board.name == "rack-3":
        for pid in stand_ins("board"):
            os.kill(pid, signal.SIGKILL)
    modem.identity()
"""


def document(result):
    return json.loads((result.run_folder / "run.json").read_text())


def page(result):
    return (result.run_folder / "report.html").read_text()


def test_a_board_that_was_killed_half_way_is_amber_and_nobody_else_is_blamed(tmp_path):
    boards = "boards:\n  - {name: dk, virtual: {}}\n  - {name: rack-3, virtual: {}}\n"
    result = run(tmp_path, boards, KILLED)
    found = document(result)
    assert [(cause["party"], cause["title"]) for cause in found["causes"]] == [("lab", "rack-3 was lost")]
    assert found["counts"]["failed"] == 0
    assert found["boards"]["rack-3"]["out"]
    assert not found["boards"]["dk"]["out"]
    text = page(result)
    assert "Nothing failed, but 4 tests proved nothing: rack-3 was lost." in text
    assert 'class="card amber" aria-label="board rack-3"' in text
    assert 'class="card green" aria-label="board dk"' in text
    bad = [case for case in result.cases if case.result in ("error", "skipped")]
    assert len(bad) == 4
    for case in bad:
        assert (case.properties["cause"], case.properties["points_at"]) == ("rack-3 was lost", "lab")
        assert f'id="{case.properties["page"].partition("#")[2]}"' in text
    headline = "NOT PROVED: Nothing failed, but 4 tests proved nothing: rack-3 was lost."
    assert f"{headline} Page: reports/{result.run_folder.name}/report.html" in result.output


def test_a_page_that_cannot_be_made_is_one_line_and_does_not_fail_the_run(tmp_path):
    tests = """
import os

def test_command(modem, request):
    from harness.plugin.state import folder_of
    os.mkdir(folder_of(request.config).path / "report.html")
    modem.identity()
"""
    result = run(tmp_path, "boards:\n  - {name: dk, virtual: {}}\n", tests)
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("no report.html: ")]
    assert "nrf91-harness report html" in line
    assert [case.result for case in result.cases] == ["passed"]


def test_the_summary_is_appended_to_that_of_the_ci_job(tmp_path):
    summary = tmp_path / "step"
    summary.write_text("before\n")
    tests = "def test_command(modem):\n    modem.identity()\n"
    env = {"GITHUB_STEP_SUMMARY": str(summary)}
    result = run(tmp_path, "boards:\n  - {name: dk, virtual: {}}\n", tests, env=env)
    assert result.exit_code == 0, result.output
    text = summary.read_text()
    assert text.startswith("before\n## GREEN: The one test passed.\n")
    assert (result.folder / "reports" / "index.html").exists()


def test_old_runs_are_shrunk_as_the_boards_file_says(tmp_path):
    for number in (1, 2, 3):
        write_night(tmp_path / "reports", number, lambda *_: Told(), boards=("old",), tests=1)
    boards = "reports: {keep_runs: 2}\nboards:\n  - {name: dk, virtual: {}}\n"
    result = run(tmp_path, boards, "def test_command(modem):\n    modem.identity()\n")
    assert result.exit_code == 0, result.output
    left = sorted(path.name[:8] for path in (tmp_path / "reports").iterdir() if (path / "journal.jsonl").exists())
    assert left[0] == "20261116"  # the last green run of a board that was not there tonight
    assert len(left) == 2
    assert len(list((tmp_path / "reports" / "history").iterdir())) == 2
