"""Writing a file that appears whole or not at all, and that no other user can read at any moment; and where one can."""

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` with mode 0600: a temporary file beside it (O_EXCL), then a rename."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp: O_EXCL, 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def unwritable(folder: Path) -> str | None:
    """Return why no file can be written into ``folder``, which need not be there yet; None: nothing is against it.

    It makes nothing, so that what only a try would show stays unknown.
    """
    there = _there(folder)
    return no_folder(folder) or (None if os.access(there, os.W_OK | os.X_OK) else f"{there} cannot be written")


def no_folder(folder: Path) -> str | None:
    """Return why ``folder`` can be none: something else has its name, or a parent's; None: it is or may be one."""
    there = _there(folder)
    return None if there.is_dir() else f"{there} is not a folder"


def _there(folder: Path) -> Path:
    absolute = folder.absolute()
    return next(path for path in (absolute, *absolute.parents) if os.path.lexists(path))
