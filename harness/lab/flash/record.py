"""Records of what this lab wrote to which board, a file for each debugger. They outlive runs."""

import hashlib
import re
from dataclasses import asdict
from pathlib import Path

from harness.credentials.json_files import JsonFiles
from harness.errors import LabError
from harness.lab.flash.decision import ImageKind, WrittenImage


class FlashRecords:
    """Records in ``folder``, by the debugger's serial number. Only the holder of the debugger's lock may write."""

    def __init__(self, folder: Path) -> None:
        self._files = JsonFiles(folder)

    def get(self, serial: str, kind: ImageKind) -> WrittenImage | None:
        """Return what was written last, or None if nothing was, or if a write may have ended half-way."""
        try:
            return WrittenImage(**self._files.read(_name(serial))[kind])
        except (KeyError, TypeError):
            return None

    def put(self, serial: str, kind: ImageKind, written: WrittenImage) -> None:
        """Record what was written and runs. Raises LabError.

        ``serial``: the debugger's. ``kind``: modem or application. ``written``: the image.
        """
        name = _name(serial)
        self._files.write(name, {**self._files.read(name), kind.value: asdict(written)})

    def forget(self, serial: str, kind: ImageKind) -> None:
        """Record that nobody knows what is on the board. Call it before a write, which may end half-way."""
        name = _name(serial)
        self._files.write(name, {other: value for other, value in self._files.read(name).items() if other != kind})


def _name(serial: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", serial.lstrip("0"))


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
