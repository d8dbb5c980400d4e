"""Whether a run goes on: its process has a lock on the run's folder, and the lock ends with it, however that ends."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class GoingOn:
    """Says that the run of ``folder`` goes on, until :meth:`end`. Raises OSError: there is no such folder."""

    def __init__(self, folder: Path) -> None:
        self._folder: int | None = os.open(folder, _FLAGS)
        with suppress(OSError):  # a file system without locks: then goes_on cannot tell
            fcntl.flock(self._folder, fcntl.LOCK_EX)

    def end(self) -> None:
        """Say it no more. A second call does nothing."""
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None


def goes_on(folder: Path) -> bool:
    """Return whether the run of ``folder`` goes on, or cannot be asked: then it may."""
    try:
        asked = os.open(folder, _FLAGS)
    except OSError:
        return True
    try:
        fcntl.flock(asked, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who asks disturbs nobody else who does
    except OSError:
        return True
    finally:
        os.close(asked)
    return False
