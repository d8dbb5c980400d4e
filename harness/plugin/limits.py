"""Whether the system lets boards run side by side: each takes files, threads and processes."""

from __future__ import annotations

import resource
import threading
from typing import Final

_FILES: Final = (40, 12)  # of the controller: so many, and for each board; with fewer, pytest ends in an internal error
_TASKS: Final = (8, 4)  # threads and processes that are still to come: so many, and for each board


def lacking(boards: int) -> str:
    """Return in one line what the system refuses to a run of so many boards side by side, "" for nothing."""
    files, wanted = resource.getrlimit(resource.RLIMIT_NOFILE)[0], _FILES[0] + boards * _FILES[1]
    if files != resource.RLIM_INFINITY and files < wanted:
        return f"only {files} files may be open, {boards} boards side by side need {wanted}: ulimit -n {wanted}"
    if not _can_start(_TASKS[0] + boards * _TASKS[1]):
        return f"the system starts too few threads and processes for {boards} boards side by side: raise ulimit -u"
    return ""


def _can_start(number: int) -> bool:
    """Try it with threads: a user's other processes count too, so no limit says how many are left."""
    over, started = threading.Event(), []
    try:
        for _ in range(number):
            thread = threading.Thread(target=over.wait)
            thread.start()
            started.append(thread)
    except RuntimeError:
        return False
    finally:
        over.set()
        for thread in started:
            thread.join()
    return True
