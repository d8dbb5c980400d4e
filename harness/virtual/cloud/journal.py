"""The cloud's journal: one JSON object a line, flushed at once.

A device sees only a hang-up; this file says why. Each line has ``t`` (seconds of the monotonic clock, the same for all
processes of this computer), ``time`` (UTC) and ``event``; the rest depends on the event. It has decisions, but never
keys, tokens or contents of messages.
"""

import json
import os
import time
from pathlib import Path
from typing import Any, Final

from harness.virtual.cloud.formats import iso_now

_encode: Final = json.JSONEncoder(default=str).encode  # json.dumps makes an encoder for each line


class JournalFile:
    """Writes events to the new file ``path``, with mode 0600. Raises FileExistsError if the file exists."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb")

    def write(self, event: str, **fields: Any) -> None:
        """Append one event. A field that JSON cannot hold is written as its ``str``."""
        entry = {"t": round(time.monotonic(), 6), "time": iso_now(), "event": event, **fields}
        self._file.write(_encode(entry).encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file. Nothing may be written afterwards."""
        self._file.close()
