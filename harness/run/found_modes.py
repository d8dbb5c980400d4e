"""The functional modes in which boards were found, on disk while runs have them: a killed run puts nothing back."""

import json
from pathlib import Path

from harness.credentials.private_file import write_atomically
from harness.errors import LabError


class FoundModes:
    """One file for each board in ``folder``, named after the board's IMEI. Only who has the board's lease may call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def found(self, imei: str, mode: int) -> int:
        """Return the mode to put back in the end: ``mode``, as found now, or what a killed run had found before.

        Raises LabError if that cannot be written down.
        """
        path = self._path(imei)
        try:
            return int(json.loads(path.read_text("utf-8"))["mode"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, json.dumps({"mode": mode}).encode())
        except OSError as error:
            raise LabError(f"{path}: {error.strerror}; name a folder that can be written with --lab-ca DIR") from error
        return mode

    def put_back(self, imei: str) -> None:
        """Take note that the board is in the mode in which it was found."""
        self._path(imei).unlink(missing_ok=True)

    def _path(self, imei: str) -> Path:
        return self._folder / f"{imei}.json"
