"""Puts back what a block changed, without hiding why the block failed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.errors import HarnessError


@contextmanager
def restoring(what: str, restore: Callable[[], None]) -> Iterator[None]:
    """Call ``restore`` after the block, also after a failed one.

    When both fail, the block's error goes on, and a note on it says how restoring ``what`` failed.
    """
    try:
        yield
    except BaseException as first:
        try:
            restore()
        except HarnessError as second:
            first.add_note(f"{what} failed afterwards: {second}")
        raise
    restore()
