"""The lab for a folder without a boards file: one virtual board and a local nRF Cloud."""

from pathlib import Path
from typing import Final

BOARDS_FILE: Final = "boards.yaml"
BUILT_IN_LAB: Final = Path(__file__).with_name("built_in.yaml")
"""The boards file of this lab."""


def choose_boards_file(given: str | Path | None, folder: Path) -> Path:
    """Return ``given``, else boards.yaml of ``folder`` if there is one, else the built-in one. Nothing is read yet."""
    if given is not None:
        return Path(given)
    usual = folder / BOARDS_FILE
    return usual if usual.exists() or usual.is_symlink() else BUILT_IN_LAB
