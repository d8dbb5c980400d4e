"""One readable file per test: every event of its timeline, with stamp and direction, written as it happens."""

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from harness.redact import SECRETS
from harness.timeline import Event, Kind

SIGNS: Final[Mapping[str, str]] = {
    Kind.TX: ">",
    Kind.RX: "<",
    Kind.URC: "*",
    Kind.RESULT: "=",
    Kind.MQTT: "~",
    Kind.CLOUD: "@",
    Kind.FAULT: "!",
}
"""Of each kind of event that is not the harness's own step (#)."""
_LEGEND = "> to the board  < from it  * URC  = result  ~ MQTT  @ cloud  # step of the harness  ! trouble in the lab"


class Transcript:
    """A timeline sink that writes ``path``. Every batch is one write: a killed run leaves what was heard until then."""

    def __init__(self, path: Path, *, title: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()  # one transcript may take the timelines of several boards
        self._file = path.open("wb", buffering=0)
        self._start = time.monotonic()
        began = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._write(f"{title}\nbegan {began}; stamps are seconds from then\n{_LEGEND}\n\n")

    def __call__(self, events: Sequence[Event]) -> None:
        """Write ``events``. Of a phase the beginning is enough for a reader."""
        start, scrub, lines = self._start, SECRETS.scrub, []
        for _, t, kind, source, text, data in events:
            if data and data.get("on") == "end":
                continue
            head = f"{t - start:11.6f} {source:<12} {SIGNS.get(kind, '#')} "
            text = scrub(text)
            if "\n" in text:
                text = text.replace("\r\n", "\n").rstrip("\n").replace("\n", "\n" + " " * len(head))
            lines.append(f"{head}{text}\n")
        with self._lock:
            if not self._file.closed:
                self._write("".join(lines))

    def __enter__(self) -> "Transcript":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        try:
            while data:  # a raw file may take a part of it
                data = data[self._file.write(data) :]
        except OSError:  # a full disk is not the test's failure; the timeline's file says the same, and is reported
            self._file.close()
