"""``nrf91-harness matrix``: what it says of the project's own scenarios, and that the documentation keeps it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOARDS = "tests/boards/all-firmwares.yaml"


def matrix(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", "matrix", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def said():
    done = matrix("--boards", BOARDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(text: str) -> dict[str, list[str]]:
    """The table's rows by scenario, each cell as the reason that its number stands for."""
    reasons = dict(line.split(". ", 1) for line in text.splitlines() if line[:1].isdigit())
    found = {}
    for line in text.splitlines():
        if line.startswith("| "):
            name, *cells = line.strip("| ").split(" | ")
            found[name] = [reasons.get(cell.removeprefix("- ").removeprefix("? "), cell) for cell in cells]
    return found


def test_the_documentation_keeps_it(said):
    """Row by row: a scenario that is new is missed only if its whole file is, so that two changes do not collide."""
    kept, now = rows((ROOT / "docs" / "matrix.md").read_text()), rows(said)
    cure = f"run: .venv/bin/nrf91-harness matrix --boards {BOARDS}, and put it into docs/matrix.md"
    assert {name: cells for name, cells in kept.items() if now.get(name) != cells} == {}, cure
    assert {name.partition("::")[0] for name in now} == {name.partition("::")[0] for name in kept}, cure


def test_a_reason_stands_for_every_board_that_a_scenario_does_not_run_on(said):
    done = json.loads(matrix("--boards", BOARDS, "--json", "tests/scenarios/test_own_connection.py").stdout)
    named = done["scenarios"][
        "tests/scenarios/test_own_connection.py::TestPairing::test_violation_pairing_topics_of_another_team"
    ]
    assert named["modem-shell"] == named["cloud-client"] == "runs"
    assert named["at-client"] == "AT client has no connection of its own to the cloud"
    assert named["asset-tracker-template"] == "asset_tracker_template has no pairing that it takes from its shadow"


def test_a_board_whose_firmware_is_found_out_is_told_apart(tmp_path):
    file = tmp_path / "boards.yaml"
    file.write_text("boards:\n  - {name: a, port: /dev/null, cloud: nrfcloud}\n")
    done = matrix("--boards", str(file), "tests/scenarios/test_publish.py")
    assert "| ? 1 |" in done.stdout
    assert "1. not known before the board is opened" in done.stdout


def test_no_tests_are_a_mistake_of_one_line(tmp_path):
    done = matrix("--boards", BOARDS, str(tmp_path / "none"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
