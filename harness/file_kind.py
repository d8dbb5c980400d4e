"""Whether what has the name of a file is one. A pipe would be waited for without end, and a device may never end."""

import stat
from pathlib import Path


def other_kind(path: Path) -> str:
    """Return what ``path`` is in words, empty for a file. Raises OSError: nothing of this name can be looked at."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a folder" if stat.S_ISDIR(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"


def refuse_other_kinds(path: Path) -> None:
    """Raise OSError, whose ``strerror`` says what it is, unless ``path`` is a file."""
    kind = other_kind(path)
    if kind:
        raise OSError(0, f"it is {kind}, not a file", str(path))
