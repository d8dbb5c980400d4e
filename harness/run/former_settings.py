"""What puts a modem's former settings back, kept in a file so that a killed run leaves none changed."""

import json
from collections.abc import Sequence
from pathlib import Path

from harness.credentials.private_file import write_atomically
from harness.errors import LabError


class FormerSettings:
    """By IMEI, in ``folder``: the AT commands of write_settings; a run that was killed has left them here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, imei: str, commands: Sequence[str]) -> None:
        """Keep the commands, unless an earlier run left some: those lead to what was there at first.

        Raises LabError if they cannot be written down.
        """
        if not commands or self.kept(imei):
            return
        path = self._path(imei)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, json.dumps(list(commands)).encode())
        except OSError as error:
            raise LabError(f"{path}: {error.strerror}; name a folder that can be written with --lab-ca DIR") from error

    def kept(self, imei: str) -> tuple[str, ...]:
        """Return the commands that are kept."""
        try:
            found = json.loads(self._path(imei).read_text("utf-8"))
        except (OSError, ValueError):
            return ()
        return tuple(str(command) for command in found) if isinstance(found, list) else ()

    def forget(self, imei: str) -> None:
        """Take note that the settings are as they were."""
        self._path(imei).unlink(missing_ok=True)

    def _path(self, imei: str) -> Path:
        return self._folder / f"{imei}.json"
