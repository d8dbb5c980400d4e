"""An exclusive lock that every user of the computer can see and wait for. It ends with its process.

A flock does not need write permission, so users can lock each other's files. The package filelock, which the harness
uses for files of one user, opens files for writing. The kernel refuses that for another user's file in a folder like
/tmp (``fs.protected_regular``).
"""

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import Final

from harness.errors import LabError

_LOOK_AGAIN: Final = 0.05  # seconds between tries: the kernel waits for a flock without end or not at all
_SHARED_MODE: Final = 0o1777
_LOCKS: Final = Path("/proc/locks")
_PLACES: Final = (Path("/run/lock"), Path("/tmp"))  # noqa: S108 - a shared place is what is wanted


def shared_folder() -> Path:
    """Return the folder for locks of all users; make it if it is missing, in /run/lock or else in /tmp."""
    place = next((place for place in _PLACES if place.is_dir() and os.access(place, os.W_OK | os.X_OK)), _PLACES[-1])
    folder = place / "nrf91-harness"
    try:
        folder.mkdir()
        folder.chmod(_SHARED_MODE)
    except FileExistsError:
        pass
    found = folder.lstat()
    if folder.is_symlink() or not folder.is_dir() or not found.st_mode & 0o1000:
        raise LabError(
            f"{folder} is not a folder that users can share safely (mode 1777); remove it, or ask its owner to"
        )
    return folder


class SharedLock:
    """The lock of the file ``path``, not yet taken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    @property
    def taken(self) -> bool:
        """Whether this object has the lock."""
        return self._file is not None

    def take(self, timeout: float) -> bool:
        """Take the lock; wait up to ``timeout`` seconds for it. False: another process has it."""
        file = _open(self.path)
        deadline = time.monotonic() + timeout
        while not _flock(file):
            left = deadline - time.monotonic()
            if left <= 0:
                os.close(file)
                return False
            threading.Event().wait(min(left, _LOOK_AGAIN))
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def held(path: Path) -> bool:
    """Tell whether a process has the lock of ``path``, without taking it, so that nobody is disturbed."""
    try:
        found = path.stat()
        locks = _LOCKS.read_text()
    except OSError:
        return False
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    return any("FLOCK" in fields and place in fields for fields in map(str.split, locks.splitlines()))


def _open(path: Path) -> int:
    # Not with O_CREAT at first: the kernel refuses that for a file of another user that exists.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        pass
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644)
        os.fchmod(file, 0o644)  # the umask may have removed permissions
    except FileExistsError:
        return os.open(path, flags)
    return file


def _flock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
