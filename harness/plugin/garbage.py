"""When a run of boards looks for garbage: not while it starts, and never in what its start has made.

What imports and the collection of tests make stays to the end. To look through it takes each process a tenth of its
start, and pytest looks through everything twice more before it ends.
"""

import gc

import pytest

_PAUSED: pytest.StashKey[bool] = pytest.StashKey()


def look_for_none(config: pytest.Config) -> None:
    """Look for no garbage until the tests begin."""
    gc.disable()
    config.stash[_PAUSED] = True


def look_for_new(config: pytest.Config, *, boards: bool) -> None:
    """Look for garbage in what is made from now on. ``boards``: some test uses a board.

    Where none does and nothing was paused, everything stays as it is: it is for others to decide.
    """
    if boards or _PAUSED in config.stash:
        gc.freeze()
    if _PAUSED in config.stash:
        gc.enable()
