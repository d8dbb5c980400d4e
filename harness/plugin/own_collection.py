"""Decides whether each worker collects the tests of its own board alone, or those of all boards.

The time that all workers together need for all tests of all boards grows with the square of the number of boards.
"""

from __future__ import annotations

from typing import Final

import pytest

from harness.errors import HarnessError
from harness.plugin.state import SIDE_BY_SIDE, run_of

_KNOWN: Final = ("_pytest", "xdist", "harness", "_hypothesis_pytestplugin")
"""Those whose hooks look at one test at a time, or at the options below."""
_OF_ALL: Final = (
    "pytest_collection_modifyitems",
    "pytest_xdist_node_collection_finished",
    "pytest_xdist_make_scheduler",
)
"""Hooks whose implementations may count on all tests: to shard them, to sort them, to deal them out."""
_BY_ALL: Final = ("lf", "failedfirst", "newfirst", "stepwise")
"""pytest's options whose choice of a test depends on what others there are."""


def own_boards(config: pytest.Config, workers: int) -> list[str]:
    """Return the boards of which each worker collects one; [] where each has to collect all tests.

    ``workers``: how many pytest-xdist starts.
    """
    boards = config.stash.get(SIDE_BY_SIDE, [])
    if len(boards) != workers or any(getattr(config.option, name, False) for name in _BY_ALL):
        return []
    if any("[" in argument.partition("::")[2] for argument in config.args):
        return []  # pytest refuses a test by its id where it does not collect it
    run = run_of(config)
    try:
        for cloud in dict.fromkeys(board.cloud for board in run.selected):
            run.documents(cloud)
    except HarnessError:
        return []  # one of these mistakes ends every worker
    hooks = (hook for name in _OF_ALL for hook in getattr(config.hook, name).get_hookimpls())
    whose = {str(getattr(hook.function, "__module__", "")).partition(".")[0] for hook in hooks}
    return boards if whose <= set(_KNOWN) else []
