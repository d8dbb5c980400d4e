"""Ctrl-C, SIGTERM and SIGHUP as the ordinary end of a command that runs until it is told to end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.hang_up import ending_signals, let_go_of_terminal


@contextmanager
def told_to_end(*, second_interrupts: bool = False) -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C, SIGTERM and SIGHUP set; inside the block they have no other effect.

    ``second_interrupts``: the second one raises KeyboardInterrupt, for whoever does not want to wait for a tidy end.
    """
    told = threading.Event()

    def tell(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            let_go_of_terminal()
        if told.is_set() and second_interrupts:
            raise KeyboardInterrupt
        told.set()

    former = {number: signal.signal(number, tell) for number in ending_signals()}
    try:
        yield told
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
