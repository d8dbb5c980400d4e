"""What puts a modem's former settings back, kept in a file so that a killed run leaves none changed."""

import json
from collections.abc import Sequence
from pathlib import Path

from harness.credentials.private_file import write_atomically
from harness.errors import LabError


class FormerSettings:
    """By IMEI, in ``folder``: AT commands of write_settings for each setting; a killed run has left them here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, imei: str, key: str, commands: Sequence[str]) -> None:
        """Keep the ``commands`` of the setting ``key`` of the board ``imei``, unless an earlier run has left some.

        Those of the earlier run lead back to the first value.

        Raises LabError if they cannot be written down.
        """
        kept = self.kept(imei)
        if key in kept:
            return
        path = self._path(imei)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, json.dumps({**kept, key: list(commands)}).encode())
        except OSError as error:
            raise LabError(f"{path}: {error.strerror}; name a folder that can be written with --lab-ca DIR") from error

    def kept(self, imei: str) -> dict[str, tuple[str, ...]]:
        """Return the commands that are kept, by setting, in the order in which the settings were changed."""
        try:
            found = json.loads(self._path(imei).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {key: tuple(map(str, commands)) for key, commands in found.items() if isinstance(commands, list)}

    def forget(self, imei: str) -> None:
        """Take note that the settings are as they were. Raises LabError."""
        path = self._path(imei)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise LabError(f"{path}: {error.strerror}; remove it, the settings are as they were") from error

    def _path(self, imei: str) -> Path:
        return self._folder / f"{imei}.json"
