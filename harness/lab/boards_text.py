"""The text of a boards file. What a read would wait for, or what is far too large, is refused before it is read."""

import stat
from pathlib import Path
from typing import Final

LARGEST: Final = 1_000_000
"""How many bytes a boards file may have: ten thousand boards take less. YAML of this size is read for seconds."""


class NotAFile(OSError):
    """What has the name is no file that can hold boards. ``strerror`` says what it is; the message, what to do."""

    def __init__(self, path: Path, what: str, cure: str) -> None:
        super().__init__(0, what, str(path))
        self.cure = cure


def read_boards_text(path: Path) -> str:
    """Return the text of a boards file. Raises OSError, of which :class:`NotAFile` is one; UnicodeDecodeError."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        what, cure = _kind(found.st_mode)
        raise NotAFile(path, f"it is {what}, not a file", cure)
    if found.st_size > LARGEST:
        what = f"it has {found.st_size / 1e6:,.1f} MB, and a boards file at most {LARGEST / 1e6:.0f}"
        raise NotAFile(path, what, "name the boards file with --boards")
    return path.read_text("utf-8")


def _kind(mode: int) -> tuple[str, str]:
    """Return what it is, and what to do instead."""
    if stat.S_ISFIFO(mode):
        return "a pipe", "it would be read more than once: save it as a file and name that"
    named = "name the boards file with --boards"
    return ("a folder" if stat.S_ISDIR(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"), named
