"""A temporary folder of one process. If the process is killed, the next one removes it.

The folder's lock ends with the process, even if that is killed. So a folder without a lock is abandoned, or it is just
being made. A process that makes a folder therefore checks, once it has the lock, that the folder is still there.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final, Self

PREFIX: Final = "nrf91-run-"


class Scratch:
    """The folder ``path``, private to this user, until :meth:`remove`. Making it removes abandoned folders."""

    def __init__(self) -> None:
        parent = Path(tempfile.gettempdir())
        remove_abandoned(parent)
        while True:
            self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
            self.path = Path(self._folder.name)
            lock = _locked(self.path, wait=True)
            if lock is not None:
                self._lock: int | None = lock
                return
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the folder and everything in it. A second call does nothing."""
        if self._lock is not None:
            self._folder.cleanup()
            os.close(self._lock)
            self._lock = None


def remove_abandoned(parent: Path) -> None:
    """Remove the folders in ``parent`` that processes of this user made and no living process has."""
    for path in parent.glob(f"{PREFIX}*"):
        lock = _locked(path, wait=False)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _locked(path: Path, *, wait: bool) -> int | None:
    """Return the folder's lock; None: another process has it, or the folder is another user's or gone."""
    with contextlib.suppress(OSError):
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            found = os.fstat(lock)
            if found.st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                if os.path.samestat(found, path.stat()):
                    return lock
        os.close(lock)
    return None
