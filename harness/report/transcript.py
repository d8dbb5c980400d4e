"""One readable file per test: every event of its timeline, with stamp and direction, written as it happens."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from harness.redact import SECRETS
from harness.timeline import Event, Kind

_SIGNS = {
    Kind.TX: ">",
    Kind.RX: "<",
    Kind.URC: "*",
    Kind.RESULT: "=",
    Kind.MQTT: "~",
    Kind.CLOUD: "@",
    Kind.FAULT: "!",
}
_LEGEND = "> to the board  < from it  * URC  = result  ~ MQTT  @ cloud  # step of the harness  ! trouble in the lab"


class Transcript:
    """A timeline sink that writes ``path``. Every batch is flushed: a killed run leaves what was heard until then."""

    def __init__(self, path: Path, *, title: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()  # one transcript may take the timelines of several boards
        self._file = path.open("w", encoding="utf-8", errors="replace", newline="\n")
        self._start = time.monotonic()
        began = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._file.write(f"{title}\nbegan {began}; stamps are seconds from then\n{_LEGEND}\n\n")

    def __call__(self, events: Sequence[Event]) -> None:
        """Write ``events``. Of a phase the beginning is enough for a reader."""
        with self._lock:
            if not self._file.closed:
                self._file.write("".join([self._line(event) for event in events if event.data.get("on") != "end"]))
                self._file.flush()

    def __enter__(self) -> "Transcript":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    def _line(self, event: Event) -> str:
        head = f"{event.t - self._start:11.6f} {event.source:<12} {_SIGNS.get(event.kind, '#')} "
        text = SECRETS.scrub(event.text).replace("\r\n", "\n").rstrip("\n")
        return head + text.replace("\n", "\n" + " " * len(head)) + "\n"
