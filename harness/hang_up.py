"""SIGHUP: the terminal was closed, or the way to it broke. It ends what runs as SIGTERM does, unless it is ignored.

What then writes to the terminal fails (EIO), so its descriptors lead to nowhere from then on.
"""

import os
import select
import signal
from collections.abc import Iterator
from typing import Final


def ending_signals() -> list[signal.Signals]:
    """Return the signals that end a process tidily. A SIGHUP that is ignored, as nohup does it, stays ignored."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGTERM, signal.SIGINT, *([] if ignored else [signal.SIGHUP])]


def let_go_of_terminal() -> None:
    """Lead each descriptor of the terminal that this process was started at to nowhere, if the terminal is gone."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if _device(descriptor) in _TERMINALS and _is_gone(descriptor):
            os.dup2(nowhere, descriptor, inheritable=os.get_inheritable(descriptor))
    os.close(nowhere)


def _terminals() -> Iterator[int | None]:
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # pytest puts files in the place of 0 to 2
        try:
            if os.isatty(descriptor):
                yield _device(descriptor)
        except OSError:
            continue


def _device(descriptor: int) -> int | None:
    try:
        return os.fstat(descriptor).st_rdev
    except OSError:
        return None


def _is_gone(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


# Taken when this is imported: no board's port is open yet, and a terminal that is gone is no terminal any more.
_TERMINALS: Final = frozenset(_terminals())
