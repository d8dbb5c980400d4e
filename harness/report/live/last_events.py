"""What a board did last, read from the end of the timeline file that its process is writing."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.report.page.words import visible
from harness.report.transcript import SIGNS

_TAIL: Final = 65_536  # bytes
_WIDEST: Final = 300  # characters of a line


@dataclass(frozen=True, slots=True)
class Latest:
    """``step``: the last phase or step of the harness; ``lines``: the last lines as a transcript has them."""

    step: str = ""
    lines: tuple[str, ...] = ()


def latest(path: Path, lines: int = 10) -> Latest:
    """Return what happened last on a board. ``path``: of its timeline file; nothing where there is none yet."""
    events = [event for event in _tail(path) if event.get("k") not in ("file", "facts", "expect", "end")]
    steps = [event for event in events if event.get("k") in ("phase", "step") and event.get("on") != "end"]
    step = visible(str(steps[-1].get("name") or steps[-1].get("x", ""))) if steps else ""
    return Latest(step[:60], tuple(_line(event) for event in events[-lines:]))


def newest_file(path: Path) -> Path:
    """Return the file that is written now: where a board's worker died or a file grew large, it is a later one."""
    found = [path, *path.parent.glob(f"{path.stem}.*{path.suffix}")]
    return max(found, key=_changed)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _tail(path: Path) -> list[Mapping[str, Any]]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            whole = file.read().split(b"\n")
    except OSError:
        return []
    found: list[Mapping[str, Any]] = []
    for line in whole:  # the first and the last may be parts
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _line(event: Mapping[str, Any]) -> str:
    text = visible(str(event.get("x", "")).replace("\n", "\\n"))
    cut = text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
    return f"{_seconds(event.get('t')):11.6f} {SIGNS.get(str(event.get('k')), '#')} {cut}"


def _seconds(value: object) -> float:
    with suppress(TypeError, ValueError, OverflowError):  # a file that somebody changed
        return float(value)  # type: ignore[arg-type]
    return 0.0
