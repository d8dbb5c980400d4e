"""What is in the repository, and what must not be."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="not a checkout of git")
def test_nothing_that_is_to_be_ignored_was_added():
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def test_no_recipe_of_make_ends_with_the_exit_code_of_what_shortens_its_output():
    """``false | tail`` succeeds: a broken import contract did not end `make check`."""
    recipes = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t")]
    piped = [line for line in recipes if " | " in line and "|| {" not in line]
    assert not piped, piped
