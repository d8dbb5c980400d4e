"""Whether a run goes on: its process holds a lock in the run's folder, which ends with it, even if it is killed."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from harness.errors import Misuse

LOCK = ".running"
"""A file of its own, because a folder cannot be locked where it is shared by several computers (NFS)."""

_FRESH: Final = 24 * 3600.0  # seconds: longer than any wait for a board


class GoingOn:
    """Says that the run of ``folder`` goes on, until :meth:`end`. Raises OSError: the folder takes no file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        self._file: int | None = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with suppress(OSError):  # a file system without locks: then goes_on cannot tell
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def end(self) -> None:
        """Say it no more. A second call does nothing."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def goes_on(folder: Path) -> bool:
    """Tell whether the run of ``folder`` goes on. Where locks cannot tell: whether its journal grew within a day."""
    try:
        asked = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return _grew_lately(folder)
    try:
        fcntl.flock(asked, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who asks disturbs nobody else who does
    except BlockingIOError:
        return True
    except OSError:
        return _grew_lately(folder)
    finally:
        os.close(asked)
    return False


def refuse_going_on(folder: Path) -> None:
    """Raise Misuse if the run of ``folder`` goes on: what is made of it now would call it killed."""
    if goes_on(folder):
        text = "this run goes on, and makes its reports at its end; wait for it, or start the next one with --live-page"
        raise Misuse(f"{folder}: {text}; if it was killed, delete {folder / LOCK}")


def _grew_lately(folder: Path) -> bool:
    try:
        return time.time() - (folder / "journal.jsonl").stat().st_mtime < _FRESH
    except OSError:
        return False
