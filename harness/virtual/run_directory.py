"""The directory with the files that other processes need of the stand-ins. It leaves no trace when they end."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "nrf91-virtual-"
_MANIFEST = ".nrf91-virtual"
"""Names of this run's files, one a line: what a killed run left behind is told from what belongs to others."""


class UnusableDirectory(Exception):
    """Another run uses the directory, or a file of somebody else has a name that is needed."""


class RunDirectory:
    """A directory for one run; a context manager.

    ``path`` None: a temporary directory, removed at the end. Else that directory, made when it is missing and then
    removed at the end if it is empty; of one that was there only the files taken by :meth:`take` are removed.
    """

    def __init__(self, path: Path | None) -> None:
        self._temporary = path is None
        self._made = path is not None and not path.exists()
        if path is None:
            remove_abandoned(Path(tempfile.gettempdir()))
            path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        else:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path.resolve()
        # The lock ends with the process, however it ends; a lock file would stay behind a killed one.
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise UnusableDirectory(f"{self.path} is in use by another process; give another --dir") from error
        self._remove_files()
        (self.path / _MANIFEST).touch(mode=0o600)  # from now on, who gets the lock knows that this process is gone

    def take(self, name: str) -> Path:
        """Return the path of a file or link to be made by this run; UnusableDirectory when the name is taken."""
        path = self.path / name
        if os.path.lexists(path):
            raise UnusableDirectory(f"{path} is not from here and stays; give another --dir")
        with (self.path / _MANIFEST).open("a") as manifest:
            manifest.write(f"{name}\n")
        return path

    def write_private(self, name: str, text: str) -> Path:
        """Write a file that only its owner may read, from its first moment on."""
        path = self.take(name)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        return path

    def __enter__(self) -> "RunDirectory":
        return self

    def __exit__(self, *_: object) -> None:
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self._remove_files()
            if self._made and not any(self.path.iterdir()):
                self.path.rmdir()
        os.close(self._lock)

    def _remove_files(self) -> None:
        manifest = self.path / _MANIFEST
        if manifest.exists():
            for name in manifest.read_text().splitlines():
                (self.path / name).unlink(missing_ok=True)
            manifest.unlink()


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary directories in ``folder`` whose process is gone: it was killed before it could do that.

    Each process holds a lock on its directory until it ends, however it ends, and makes the manifest when it has the
    lock. So a directory with a manifest and without a lock is nobody's. One without a manifest may belong to a process
    that is just starting; others' directories cannot be opened, or are not ours by their owner. Both stay.
    """
    for path in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.getuid() and (path / _MANIFEST).is_file():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
