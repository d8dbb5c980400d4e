"""again.txt: pytest's arguments that run once more what did not pass, read by ``pytest @again.txt``."""

import os
from collections.abc import Sequence
from pathlib import Path


def again_arguments(given: Sequence[str], places: Sequence[str], tests: Sequence[str], root: Path) -> list[str]:
    """Return the arguments, one line each.

    ``given``: those of the run; ``places``: the files and tests among them; ``tests``: node ids that are to run, below
    ``root``. Paths are from the current folder on, because pytest takes them so.
    """
    options: list[str] = []
    left = list(places)
    for argument in _unfolded(given):
        if argument in left:
            left.remove(argument)
        else:
            options.append(argument)
    return [*options, *(_from_here(test, root) for test in tests)]


def _unfolded(given: Sequence[str]) -> list[str]:
    """Return the arguments with those of files (``@again.txt``) in their places."""
    found: list[str] = []
    for argument in given:
        if argument.startswith("@"):
            found += _unfolded(Path(argument[1:]).read_text("utf-8").splitlines())
        else:
            found.append(argument)
    return found


def _from_here(test: str, root: Path) -> str:
    path, colons, rest = test.partition("::")
    return os.path.relpath(root / path) + colons + rest
