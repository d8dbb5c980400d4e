"""Records of what this lab wrote to which board, a file for each debugger. They outlive runs."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from harness.credentials.private_file import write_atomically
from harness.errors import LabError
from harness.lab.flash.decision import ImageKind, WrittenImage


class FlashRecords:
    """Records in ``folder``, by the debugger's serial number. Only the holder of the debugger's lock may write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, serial: str, kind: ImageKind) -> WrittenImage | None:
        """Return what was written last, or None if nothing was, or if a write may have ended half-way."""
        try:
            return WrittenImage(**self._read(serial)[kind])
        except (KeyError, TypeError):
            return None

    def put(self, serial: str, kind: ImageKind, written: WrittenImage) -> None:
        """Record what was written and runs. Raises LabError.

        ``serial``: the debugger's. ``kind``: modem or application. ``written``: the image.
        """
        self._write(serial, {**self._read(serial), kind.value: asdict(written)})

    def forget(self, serial: str, kind: ImageKind) -> None:
        """Record that nobody knows what is on the board. Call it before a write, which may end half-way."""
        left = {name: value for name, value in self._read(serial).items() if name != kind}
        self._write(serial, left)

    def _read(self, serial: str) -> dict[str, Mapping[str, str]]:
        try:
            found = json.loads(self._path(serial).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, serial: str, content: Mapping[str, object]) -> None:
        path = self._path(serial)
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, json.dumps(content).encode())
        except OSError as error:
            raise LabError(f"{path}: {error.strerror}; name a folder that can be written with --lab-ca DIR") from error

    def _path(self, serial: str) -> Path:
        return self._folder / f"{re.sub(r'[^A-Za-z0-9.-]', '_', serial.lstrip('0'))}.json"


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of the hex files of a build folder. Raises LabError if it cannot be read."""
    digest = hashlib.sha256()
    try:
        files = sorted(path.rglob("*.hex")) if path.is_dir() else [path]
        if not files:
            raise LabError(f"{path}: no hex file in this build folder; build it, or correct flash: in the boards file")
        for file in files:
            digest.update(file.read_bytes())
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}; correct flash: in the boards file") from error
    return digest.hexdigest()
