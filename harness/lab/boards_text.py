"""The text of a boards file. What a read would wait for, or what is far too large, is refused before it is read."""

from pathlib import Path
from typing import Final

from harness.file_kind import other_kind

LARGEST: Final = 1_000_000
"""How many bytes a boards file may have: ten thousand boards take less. YAML of this size is read for seconds."""


class NotAFile(OSError):
    """What ``path`` names is no file that can hold boards. ``strerror``: ``what`` it is. ``cure``: what to do."""

    def __init__(self, path: Path, what: str, cure: str) -> None:
        super().__init__(0, what, str(path))
        self.cure = cure


def read_boards_text(path: Path) -> str:
    """Return the text of a boards file. Raises OSError, of which :class:`NotAFile` is one; UnicodeDecodeError."""
    kind, named = other_kind(path), "name the boards file"
    if kind:
        again = "it would be read more than once: save it as a file and name that"
        raise NotAFile(path, f"it is {kind}, not a file", again if kind == "a pipe" else named)
    size = path.stat().st_size
    if size > LARGEST:
        what = f"it has {size / 1e6:,.1f} MB, and a boards file at most {LARGEST / 1e6:.0f}"
        raise NotAFile(path, what, named)
    return path.read_text("utf-8")
