"""Writes a board's timeline to ``reports/<run>/timeline/<board>.jsonl`` as it happens."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.redact import SECRETS
from harness.timeline import caps
from harness.timeline.events import Event, Kind, now
from harness.timeline.lines import OWN_WORK, event_line, header_line, scrubbed

_TEST, _END = Kind.TEST, Kind.END  # an enumeration is slow to ask (Python 3.11)


class TimelineFile:
    """A timeline sink. Each batch is one write, so a run that is killed loses at most the last line.

    ``header``: what the first line says besides the schema and the clocks (run, board, ...). The file is made with the
    first event. A full disk stops the recording, but not the run; :attr:`failure` says so then. :mod:`caps` says how
    much is written. Whoever interrupts it (Ctrl-C, SIGTERM, a test's time limit) takes nothing away: what was not
    written is written with the next batch, or when the file ends.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.path = path
        self.failure: str | None = None
        self._first = path
        self._header = header
        self._fd: int | None = None
        self._left: Sequence[Event] = ()  # no lines were made of them yet
        self._data, self._at, self._writing = b"", 0, False  # not written yet, and where in the file it begins
        self._begin()

    def _begin(self) -> None:
        self._number = self._tests = 0
        self._size = self._test_size = 0  # characters of the file, and of the test
        self._file_mono = self._mono = now()
        self._began = utc_now()

    def __call__(self, events: Sequence[Event]) -> None:
        """Write ``events``."""
        if self.failure is not None:
            return
        self._left = [*self._left, *events] if self._left else events
        try:
            if self._fd is None:
                self._open()
            self._record()
        except OSError as error:
            self.failure = (
                f"{self.path}: {error.strerror or error}: the timeline is not recorded from here on; "
                "the run goes on, but cannot be judged again from its files"
            )
            self.close()
        except Exception:
            self._left = ()  # what no line can be made of would fail each time
            raise

    def close(self) -> None:
        """End the file."""
        if (self._left or self._data) and self._fd is not None:
            self(())
        self._end()

    def _end(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._data, self._at = _bytes([header_line({"began": self._began, "mono": self._file_mono, **self._header})]), 0
        self._fd = self._create()

    def _create(self) -> int:
        # A file that is there is the part before, or of a worker that died on this board: it stays, and the rest of the
        # board's timeline goes into a file beside it. Numbers of tests begin again.
        number = 1
        while True:
            try:
                return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:
                number += 1
                self.path = self._first.with_name(f"{self._first.stem}.{number}{self._first.suffix}")

    def _write(self, lines: list[str], left: Sequence[Event]) -> None:
        """Write ``lines``; ``left``: the events that they are not about."""
        data = _bytes(lines) if lines else b""
        self._data, self._left = self._data + data, left
        while self._data and self._fd is not None:
            if self._writing:  # a write was interrupted: how much of it was written?
                written = os.lseek(self._fd, 0, os.SEEK_CUR) - self._at
            else:
                self._writing = True
                written = os.write(self._fd, self._data)
            self._data, self._at, self._writing = self._data[written:], self._at + written, False

    def _record(self) -> None:
        lines: list[str] = []
        events = self._left
        for index, event in enumerate(events):
            kind = event.kind
            if kind is _TEST:
                if self._size >= caps.PART_LIMIT:
                    self._write(lines, events[index:])
                    self._next_part()
                    lines = []
                self._tests += 1
                self._number, self._mono, self._test_size = self._tests, event.data.get("mono", event.t), 0
            if line := self._line(event):
                lines.append(line)
                size = len(line)
                self._size += size
                self._test_size += size
            if kind is _END:
                self._number, self._mono, self._test_size = 0, self._file_mono, 0
        self._write(lines, ())

    def _next_part(self) -> None:
        self._end()
        self._begin()
        self._open()

    def _line(self, event: Event) -> str:
        """Return the line for ``event``, or for the place where the lines of its test end; "" behind that place."""
        own = event.kind in OWN_WORK
        if not own and self._test_size > caps.TEST_LIMIT:
            return ""
        line = event_line(event, self._number, self._mono)
        if SECRETS.scrub(line) != line:
            event = scrubbed(event)
            line = event_line(event, self._number, self._mono)
        if own or (len(line) <= caps.EVENT_LIMIT and self._test_size + len(line) <= caps.TEST_LIMIT):
            return line
        if len(line) > caps.EVENT_LIMIT:
            line = self._short_line(event)
        if self._test_size + len(line) > caps.TEST_LIMIT:
            self._test_size = caps.TEST_LIMIT + 1
            text = f"left out from here on: more than {caps.TEST_LIMIT / 1e6:g} MB of this test"
            line = event_line(Event(event.seq, event.t, Kind.CUT, "timeline", text, {}), self._number, self._mono)
        return line

    def _short_line(self, event: Event) -> str:
        line = event_line(caps.shortened(event), self._number, self._mono)
        if len(line) <= caps.EVENT_LIMIT:
            return line
        return event_line(caps.without_data(caps.shortened(event)), self._number, self._mono)


def _bytes(lines: list[str]) -> bytes:
    # backslashreplace writes what UTF-8 cannot say (half of a surrogate pair) as JSON's own escape.
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def utc_now() -> str:
    """Return the wall clock: UTC, in milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
