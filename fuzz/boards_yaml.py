"""boards.yaml: any text gives a lab, or sentences with their places."""

import tempfile
from pathlib import Path

from harness.lab.boards_file import BoardsFileError, load_boards_file

_FOLDER = tempfile.TemporaryDirectory(prefix="nrf91-fuzz-")
_FILE = Path(_FOLDER.name) / "boards.yaml"


def one_input(data: bytes) -> None:
    """The whole file. Documented error: BoardsFileError, with lines that are not empty."""
    _FILE.write_bytes(data)
    try:
        load_boards_file(_FILE, comports=list)
    except BoardsFileError as error:
        assert error.lines
        assert all(line and "\n" not in line for line in error.lines), error.lines
