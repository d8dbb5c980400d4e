"""Writes a board's timeline to ``reports/<run>/timeline/<board>.jsonl`` as it happens."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.redact import SECRETS
from harness.timeline.events import Event, Kind, now
from harness.timeline.lines import event_line, header_line, scrubbed


class TimelineFile:
    """A timeline sink. Each batch is one write, so a run that is killed loses at most the last line.

    ``header``: what the first line says besides the schema and the clocks (run, board, ...). The file is made with the
    first event. A full disk stops the recording, but not the run; :attr:`failure` says so then.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.path = path
        self.failure: str | None = None
        self._header = header
        self._fd: int | None = None
        self._number = 0
        self._tests = 0
        self._file_mono = self._mono = now()
        self._began = utc_now()

    def __call__(self, events: Sequence[Event]) -> None:
        """Write ``events``."""
        if self.failure is not None:
            return
        try:
            if self._fd is None:
                self._fd = self._open()
            self._write(self._lines(events))
        except OSError as error:
            self.failure = (
                f"{self.path}: {error.strerror or error}: the timeline is not recorded from here on; "
                "the run goes on, but cannot be judged again from its files"
            )
            self.close()

    def close(self) -> None:
        """End the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = self._fd = self._create()
        self._write([header_line({"began": self._began, "mono": self._file_mono, **self._header})])
        return fd

    def _create(self) -> int:
        # A file that is there is of a worker that died on this board: it stays, and the rest of the board's timeline
        # goes into a file beside it. Numbers of tests and events begin again, so it cannot be one file.
        first, number = self.path, 1
        while True:
            try:
                return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:
                number += 1
                self.path = first.with_name(f"{first.stem}.{number}{first.suffix}")

    def _write(self, lines: list[str]) -> None:
        # backslashreplace writes what UTF-8 cannot say (half of a surrogate pair) as JSON's own escape.
        data = ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")
        while data and self._fd is not None:
            data = data[os.write(self._fd, data) :]

    def _lines(self, events: Sequence[Event]) -> list[str]:
        lines: list[str] = []
        for event in events:
            if event.kind is Kind.TEST:
                self._tests += 1
                self._number, self._mono = self._tests, event.data.get("mono", event.t)
            line = event_line(event, self._number, self._mono)
            if SECRETS.scrub(line) != line:
                line = event_line(scrubbed(event), self._number, self._mono)
            lines.append(line)
            if event.kind is Kind.END:
                self._number, self._mono = 0, self._file_mono
        return lines


def utc_now() -> str:
    """Return the wall clock: UTC, in milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
