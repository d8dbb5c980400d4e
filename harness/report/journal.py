"""The journal of a run: one JSON object a line, flushed as it happens, so that a killed run tells how far it came.

``k`` says what a line is: ``run`` (the first: what is planned), ``begin`` (a test begins), ``phase`` (setup, call or
teardown of it has ended), ``overturned`` (the run as a whole takes a test's result back: it is an error), ``note``
(what a reader should know besides), ``end`` (the last: how the run ended). A run whose journal has no ``end`` was
killed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from harness.errors import Misuse
from harness.file_kind import refuse_other_kinds
from harness.redact import SECRETS

VERSION = 1
_MOST = 10**12  # seconds; no phase takes longer, and sums of larger ones would fail
# By kind of a line: what its readers take for granted.
_NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "begin": ("test",),
    "phase": ("test", "phase", "result"),
    "overturned": ("test", "message"),
    "note": ("text",),
}
# What a field is wherever it stands. A phase may have None in place of an object.
_OBJECTS: Final = ("tests", "planned", "boards_file", "ci", "properties", "decisive")
_TEXTS: Final = ("test", "phase", "result", "message", "text", "key", "at", "lab")


class NoJournal(Misuse):
    """A run has no journal: no such file, or not even its first line."""


class RunJournal:
    """Appends to the file ``path``. Its methods raise OSError where the disk does not take it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, run: str, tests: Mapping[str, str], about: Mapping[str, Any]) -> None:
        """Write what is planned.

        ``run``: its id. ``tests``: the board by node id, "" for none. ``about``: more about the run.
        """
        self.write("run", **{"v": VERSION, "run": run, **about, "tests": dict(tests)})

    def write(self, kind: str, **fields: Any) -> None:
        """Append one line and flush it; secrets are cut out."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"k": kind, "at": at} | SECRETS.scrub_value(fields), ensure_ascii=False)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(line + "\n")


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Return the journal's lines; a last one that was torn by a kill is left out. Raises Misuse, NoJournal."""
    try:
        refuse_other_kinds(path)
        text = path.read_text("utf-8", errors="replace")
    except OSError as error:
        kind = NoJournal if isinstance(error, FileNotFoundError) else Misuse
        raise kind(f"{path}: cannot read the journal: {error.strerror}; name the folder of a run") from error
    # Not splitlines(), which splits at U+0085, U+2028 and U+2029 too: JSON leaves these in a text as they are.
    lines = list(_objects(text.removesuffix("\n").split("\n"), path))
    if not lines or lines[0].get("k") != "run":
        raise NoJournal(f"{path}: not a journal of a run: its first line does not say what was planned")
    return lines


def _objects(lines: list[str], path: Path) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                return
            raise Misuse(f"{path}:{number}: not JSON: the file was changed; restore it") from error
        why = _fault(value)
        if why:
            raise Misuse(f"{path}:{number}: {why}: the file was changed; restore it")
        if value["k"] == "run":
            _refuse_newer(value.get("v", VERSION), f"{path}:{number}")
        yield value


def _refuse_newer(version: int, place: str) -> None:
    if version > VERSION:
        newer = f"version {version} is newer than this harness reads (up to {VERSION})"
        raise Misuse(f"{place}: {newer}: use the harness that wrote it")


def _fault(line: Any) -> str:
    """Return why no harness wrote ``line``; empty: nothing speaks against it."""
    if not isinstance(line, dict):
        return "not a JSON object"
    kind = line.get("k")
    if not isinstance(kind, str):
        return "k, which says what a line is, is missing or no text"
    for name in _NEEDED.get(kind, ()):
        if name not in line:
            return f"{name} is missing"
    for name in _TEXTS:
        if not isinstance(line.get(name, ""), str):
            return f"{name} is not a text"
    for name in _OBJECTS:
        if name in line and not isinstance(line[name], dict) and (kind != "phase" or line[name] is not None):
            return f"{name} is not an object"
    if any(not isinstance(board, str) for board in (line.get("tests") or {}).values() if kind == "run"):
        return "tests has something that is no board's name"
    if kind == "run" and not isinstance(line.get("v", VERSION), int):
        return "v, the version of the journal, is not a whole number"
    seconds = line.get("seconds", 0.0)
    if not isinstance(seconds, int | float) or not abs(seconds) < _MOST:  # NaN is not less, either
        return "seconds is not a number that makes sense"
    return ""
