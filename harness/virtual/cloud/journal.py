"""The cloud's journal: one JSON object per line, flushed as it is written.

A device sees only a hang-up; this file says why. Each line has ``t`` (seconds of the monotonic clock, comparable with
other processes of this machine), ``time`` (UTC) and ``event``; the rest depends on the event. Writers pass what they
decided, never keys, tokens or message contents.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from harness.virtual.cloud.formats import iso, now_utc


class JournalFile:
    """Append events to the new file ``path``, which is made with mode 0600. FileExistsError when it is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "w")

    def write(self, event: str, **fields: Any) -> None:
        """Append one event. Fields are JSON-ready; anything else is written as its ``str``."""
        entry = {"t": round(time.monotonic(), 6), "time": iso(now_utc()), "event": event, **fields}
        self._file.write(json.dumps(entry, default=str) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file; nothing may be written afterwards."""
        self._file.close()
