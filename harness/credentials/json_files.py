"""What a lab has to know of its boards beyond one run: a JSON object for each, in a folder beside the lab's CA."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.credentials.private_file import write_atomically
from harness.errors import LabError


class JsonFiles:
    """One file for each name in ``folder``, which is made when it is needed. Files appear whole, for no other user."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> dict[str, Any]:
        """Return the object; {} where there is no file, or none that makes sense."""
        try:
            found = json.loads(self.path(name).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, content: Mapping[str, object]) -> None:
        """Replace the object. Raises LabError."""
        path = self.path(name)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, json.dumps(content).encode())
        except OSError as error:
            raise LabError(f"{path}: {error.strerror}; name a folder that can be written with --lab-ca DIR") from error

    def path(self, name: str) -> Path:
        """Return the file of a name."""
        return self._folder / f"{name}.json"
