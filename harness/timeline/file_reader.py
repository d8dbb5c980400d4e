"""Reads a timeline file back, packed or not: the same events, test by test.

A file that ends in the middle of a line (the run was killed) is read up to there. An unknown kind, from a
newer harness or another tool, is kept as it stands. Any other line that makes no sense raises an error of one line,
with the file and the number of the line.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import Misuse
from harness.timeline.events import Event, Kind
from harness.timeline.lines import FILE, SCHEMA, check_unknown, parse_event, sensible, whole
from harness.timeline.packing import read_bytes

_KINDS = frozenset(Kind)


class TimelineFileError(Misuse):
    """A timeline file cannot be read. The message names file and line."""


@dataclass(slots=True)
class RecordedTest:
    """One test in a file. ``number``: its ``i``; ``events``: from its TEST to its END event, oldest first."""

    number: int
    events: list[Event] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The test's id (pytest's node id); empty where the file has none."""
        return next((event.text for event in self.events if event.kind is Kind.TEST), "")

    @property
    def whole(self) -> bool:
        """The file has all events of the test."""
        return all(event.kind is not Kind.CUT for event in self.events)


@dataclass(slots=True)
class Recording:
    """What a file holds.

    ``header``: its first line. ``events``: all, in order; ``lines``: the number of the line of each. ``tests``: by
    their number. ``unknown``: lines of kinds that this harness does not know, by line number. ``cut``: the beginning of
    a last line that was never finished.
    """

    path: Path
    header: dict[str, Any]
    events: list[Event] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    tests: dict[int, RecordedTest] = field(default_factory=dict)
    unknown: dict[int, dict[str, Any]] = field(default_factory=dict)
    cut: str = ""


def read_timeline(path: Path) -> Recording:
    """Read a timeline file. Raises TimelineFileError."""
    try:
        *lines, last = read_bytes(path).split(b"\n")
    except OSError as error:
        raise TimelineFileError(f"{path}: {error.strerror or error}: name the timeline file of a run") from error
    if not lines:
        raise TimelineFileError(f"{path}: no whole line: the run ended before it recorded anything")
    recording = Recording(path, _header(path, lines[0]), cut=last.decode("utf-8", "replace"))
    clocks = {0: recording.header["mono"]}
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            _take(recording, number, _fields(path, number, line), clocks)
    return recording


def _header(path: Path, line: bytes) -> dict[str, Any]:
    header = _fields(path, 1, line)
    schema = header.get("v")
    if header.get("k") != FILE or not isinstance(schema, int):
        raise TimelineFileError(f"{path}:1: not the first line of a timeline file, which has k=file and the schema v")
    if schema > SCHEMA:
        raise TimelineFileError(
            f"{path}:1: schema {schema} is newer than this harness reads (up to {SCHEMA}):"
            " use the harness that wrote it"
        )
    if not _is_clock(header.get("mono")):
        raise TimelineFileError(
            f"{path}:1: mono, the monotonic clock when the file began, is missing, or no number that makes sense"
        )
    return header


def _fields(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        why = why_not_json(error)
        raise TimelineFileError(f"{path}:{number}: not JSON ({why}); was the file edited by hand?") from error
    if not isinstance(fields, dict):
        raise TimelineFileError(f"{path}:{number}: not a JSON object; was the file edited by hand?")
    return fields


def why_not_json(error: Exception) -> str:
    """Return in plain words why a line could not be read as JSON."""
    if isinstance(error, json.JSONDecodeError):
        return str(error)
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else "a number of too many digits"


def _take(recording: Recording, number: int, fields: dict[str, Any], clocks: dict[int, float]) -> None:
    try:
        if str(fields.get("k")) not in _KINDS:
            check_unknown(fields)
            recording.unknown[number] = fields
            return
        event = _event(fields, clocks)
    except (KeyError, TypeError, ValueError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise TimelineFileError(
            f"{recording.path}:{number}: not an event ({what}); was the file edited by hand?"
        ) from error
    recording.events.append(event)
    recording.lines.append(number)
    test: int = fields["i"]
    if test:
        recording.tests.setdefault(test, RecordedTest(test)).events.append(event)


def _event(fields: Mapping[str, Any], clocks: dict[int, float]) -> Event:
    test = whole(fields["i"], "i")
    if fields["k"] == Kind.TEST and "mono" in fields:
        clocks[test] = sensible(fields["mono"], "mono")
    if test not in clocks:
        raise ValueError(f"test {test} has no test line before it")
    return parse_event(fields, clocks[test])


def _is_clock(value: object) -> bool:
    with suppress(ValueError, TypeError):
        sensible(value, "mono")
        return True
    return False
