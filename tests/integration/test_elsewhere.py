"""In another repository: the installed plug-in serves board tests and leaves all others alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.runs import LEAN

PAGE = Path(__file__).parents[2] / "docs" / "your-own-tests.md"
TIMEOUT = 120

PLAIN = "def test_plain():\n    assert True\n"
UNTOUCHED = "import gc\n\ndef test_plain():\n    assert gc.isenabled() and not gc.get_freeze_count()\n"
GARBAGE = """
import gc

WHILE_COLLECTED = gc.isenabled()

def test_garbage():
    assert (WHILE_COLLECTED, gc.isenabled(), gc.get_freeze_count() > 0) == (False, True, True)
"""
BOARD = "def test_modem(modem):\n    assert len(modem.imei()) == 15\n"

# Notes what a session does to the computer: folders that it makes, programs that it starts.
WATCH = """
import sys
from pathlib import Path

done = []
sys.addaudithook(lambda event, given: done.append(event) if event in ("os.mkdir", "subprocess.Popen") else None)

def pytest_unconfigure():
    Path("done").write_text(" ".join(done))
"""


def run(folder: Path, files: dict[str, str], *arguments: str, root: bool = True) -> tuple[int, str]:
    """Write ``files``, run pytest there, return its exit code and output. ``root``: tell it its root folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    temporary = folder.with_name(f"{folder.name}-tmp")
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("PYTEST_ADDOPTS", "PYTHONPATH"):
        environment.pop(name, None)
    told = ["--rootdir", str(folder)] if root else []
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *LEAN, "-p", "no:cacheprovider", *told, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    left = [path.name for path in temporary.iterdir() if not path.name.startswith("pytest-of-")]  # xdist's workers
    assert left == []
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [(), ("-p", "no:timeout"), ("-n", "2")], ids=["alone", "no-timeout", "xdist"])
def test_plain_tests_leave_nothing(tmp_path, arguments):
    code, output = run(tmp_path, {"test_plain.py": UNTOUCHED}, *arguments)
    assert code == 0, output
    assert [path.name for path in tmp_path.iterdir()] == ["test_plain.py"]
    assert "nRF91" not in output
    assert "xml" not in output


@pytest.mark.parametrize(
    ("files", "arguments", "expected"),
    [
        ({"test_plain.py": "def test_plain():\n    assert False\n"}, (), 1),
        ({"test_plain.py": "import no_such_module\n"}, (), 2),
        ({"test_plain.py": PLAIN}, ("no_such_file.py",), 4),
        ({"test_plain.py": PLAIN}, ("-k", "nothing"), 5),
        ({"test_plain.py": PLAIN, "boards.yaml": "boards: broken\n"}, (), 0),
        ({"test_plain.py": PLAIN, "test_modem.py": BOARD}, ("-k", "plain"), 0),
    ],
    ids=["failed", "not-imported", "no-file", "none-selected", "broken-boards-file", "board-test-not-selected"],
)
def test_exit_codes_of_plain_tests_stay_and_no_folder_comes(tmp_path, files, arguments, expected):
    code, output = run(tmp_path, files, *arguments)
    assert code == expected, output
    assert {path.name for path in tmp_path.iterdir()} == set(files)


@pytest.mark.parametrize("conftest", [None, 'pytest_plugins = ["harness.plugin"]\n'], ids=["alone", "conftest"])
def test_board_test_runs_on_the_built_in_lab(tmp_path, conftest):
    files = {"test_modem.py": BOARD} | ({"conftest.py": conftest} if conftest else {})
    code, output = run(tmp_path, files, "-p", "no:timeout")
    assert code == 0, output
    assert "virtual-1  1 passed in " in output
    assert f"the built-in virtual one, because there is no {tmp_path}/boards.yaml" in output
    assert (tmp_path / "reports" / "junit.xml").exists()


def test_a_report_that_the_user_named_is_the_only_one(tmp_path):
    code, output = run(tmp_path, {"test_plain.py": PLAIN}, "--junitxml", "mine.xml")
    assert code == 0, output
    assert {path.name for path in tmp_path.iterdir()} == {"test_plain.py", "mine.xml"}


def test_listing_tests_needs_nothing(tmp_path):
    code, output = run(tmp_path, {"test_modem.py": BOARD, "conftest.py": WATCH}, "--co")
    assert code == 0, output
    assert "test_modem.py::test_modem[virtual-1]" in output
    assert (tmp_path / "done").read_text() == ""


def test_listing_tests_with_a_mistake_in_the_boards_file_leaves_nothing(tmp_path):
    files = {"test_modem.py": BOARD, "boards.yaml": "boards: []\n"}
    code, output = run(tmp_path, files, "--co")
    assert code == 4, output
    assert "boards.yaml:1:" in output
    assert {path.name for path in tmp_path.iterdir()} == set(files)


def test_reports_that_cannot_be_written_are_one_line(tmp_path):
    code, output = run(tmp_path, {"test_modem.py": BOARD, "reports": "a file, not a folder"})
    assert code == 4
    (line,) = [line for line in output.splitlines() if line.startswith("ERROR")]
    assert line.startswith(f"ERROR: {tmp_path}/reports/")
    assert line.endswith("name folders that can be written with --reports DIR and --lab-ca DIR")
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    code, output = run(tmp_path, {}, "--reports", "elsewhere")
    assert code == 0, output


def test_board_tests_are_reported_although_another_file_cannot_be_imported(tmp_path):
    code, output = run(tmp_path, {"test_modem.py": BOARD, "test_other.py": "import no_such_module\n"})
    assert code == 2, output
    (report,) = (tmp_path / "reports").glob("*/junit.xml")
    assert "no_such_module" in report.read_text()


def test_a_boards_file_in_another_folder_moves_no_reports_and_no_garbage_is_looked_for_at_the_start(tmp_path):
    """Without a configuration file pytest's root folder is above everything on the command line, also above it."""
    lab = tmp_path / "my lab.yaml"
    lab.write_text("boards:\n  - {name: dk, virtual: {}}\n")
    folder = tmp_path / "tests"
    folder.mkdir()
    files = {"test_modem.py": BOARD, "test_garbage.py": GARBAGE}
    code, output = run(folder, files, "--boards", "../my lab.yaml", root=False)
    assert code == 0, output
    assert (folder / "reports" / "junit.xml").exists()
    assert not (tmp_path / "reports").exists()


def test_the_example_of_the_page_runs(tmp_path):
    files = dict(re.findall(r"^`([^`\n]+\.py)`:\n\n```python\n(.*?)```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    assert sorted(files) == ["tests/test_board.py", "tests/test_topics.py"]
    code, output = run(tmp_path, files)
    assert code == 0, output
    assert "4 passed" in output
    report = (tmp_path / "reports" / "junit.xml").read_text()
    for verdict in ("tolerated", "policy disconnect"):
        assert f'name="verdict" value="{verdict}"' in report
