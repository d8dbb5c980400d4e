"""What puts a modem's former settings back, kept in a file so that a killed run leaves none changed."""

from collections.abc import Sequence
from pathlib import Path

from harness.credentials.json_files import JsonFiles
from harness.errors import LabError


class FormerSettings:
    """By IMEI, in ``folder``: AT commands of write_settings for each setting; a killed run has left them here."""

    def __init__(self, folder: Path) -> None:
        self._files = JsonFiles(folder)

    def keep(self, imei: str, key: str, commands: Sequence[str]) -> None:
        """Keep the ``commands`` of the setting ``key`` of the board ``imei``, unless an earlier run has left some.

        Those of the earlier run lead back to the first value.

        Raises LabError if they cannot be written down.
        """
        kept = self.kept(imei)
        if key not in kept:
            self._files.write(imei, {**kept, key: list(commands)})

    def kept(self, imei: str) -> dict[str, tuple[str, ...]]:
        """Return the commands that are kept, by setting, in the order in which the settings were changed."""
        found = self._files.read(imei)
        return {key: tuple(map(str, commands)) for key, commands in found.items() if isinstance(commands, list)}

    def forget(self, imei: str) -> None:
        """Take note that the settings are as they were. Raises LabError."""
        path = self._files.path(imei)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise LabError(f"{path}: {error.strerror}; remove it, the settings are as they were") from error
