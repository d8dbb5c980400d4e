"""The lab of a folder that has no boards file: one virtual board and a local nRF Cloud."""

from pathlib import Path
from typing import Final

BOARDS_FILE: Final = "boards.yaml"
BUILT_IN_LAB: Final = Path(__file__).with_name("built_in.yaml")
"""Its boards file."""


def choose_boards_file(given: str | Path | None, folder: Path) -> Path:
    """Return ``given``, else boards.yaml of ``folder``, else the built-in lab's. Nothing is read yet."""
    if given is not None:
        return Path(given)
    usual = folder / BOARDS_FILE
    return usual if usual.exists() or usual.is_symlink() else BUILT_IN_LAB
