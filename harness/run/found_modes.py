"""The functional modes in which boards were found, on disk while runs have them: a killed run puts nothing back."""

from pathlib import Path

from harness.credentials.json_files import JsonFiles


class FoundModes:
    """One file for each board in ``folder``, named after the board's IMEI. Only who has the board's lease may call."""

    def __init__(self, folder: Path) -> None:
        self._files = JsonFiles(folder)

    def found(self, imei: str, mode: int) -> int:
        """Return the mode to put back in the end: ``mode``, as found now, or what a killed run had found before.

        Raises LabError if that cannot be written down.
        """
        try:
            return int(self._files.read(imei)["mode"])
        except (ValueError, KeyError, TypeError, OverflowError):
            self._files.write(imei, {"mode": mode})
            return mode

    def put_back(self, imei: str) -> None:
        """Take note that the board is in the mode in which it was found."""
        self._files.path(imei).unlink(missing_ok=True)
