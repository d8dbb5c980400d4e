"""run.json: a run's summary as a file, and back."""

import json
from collections import Counter
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from harness.errors import Misuse
from harness.report.causes import FailureCause
from harness.report.run_summary import BOARD_PROPERTIES, BoardResult, BoardSummary, RunSummary

SCHEMA: Final = 1
"""Rises when a meaning changes. Fields that are not known are ignored."""
_RESULTS: Final = ("passed", "failed", "error", "skipped")


def to_json(summary: RunSummary) -> str:
    """Return the text of run.json."""
    counts = {name: summary.counts[name] for name in _RESULTS}
    sizes = Counter(result.cause for result in summary.results)
    document = {
        "schema": SCHEMA,
        **{name: getattr(summary, name) for name in ("run", "lab", "began", "ended", "complete", "interrupted")},
        "link": summary.link,
        "counts": {**counts, "not_run": summary.not_run},
        "boards": {
            name: {"version": board.version, "out": board.out, **board.properties}
            for name, board in summary.boards.items()
        },
        "causes": [
            {name: getattr(cause, name) for name in ("hash", "party", "title", "detail", "why", "proved")}
            | {"tests": sizes[cause.hash]}
            for cause in summary.causes
        ],
        "notes": list(summary.notes),
        "tests": [_row(result) for result in summary.results],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def from_json(text: str, where: str, cure: str = "restore it, or delete it") -> RunSummary:
    """Return the summary in ``text``, a run.json. Raises Misuse if it is none, or too new.

    ``where``: its path, for the message. ``cure``: what to do about one that makes no sense.
    """
    try:
        document = json.loads(text)
        if document["schema"] > SCHEMA:
            text = f"schema {document['schema']} is newer than this harness reads (up to {SCHEMA})"
            raise Misuse(f"{where}: {text}; use the harness that wrote it")
        return _summary(document)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise Misuse(f"{where}: no summary of a run ({what}); {cure}") from error


def _summary(document: Mapping[str, Any]) -> RunSummary:
    names = ("hash", "party", "title", "detail", "why", "proved")
    return RunSummary(
        run=str(document["run"]),
        lab=str(document.get("lab", "")),
        began=str(document["began"]),
        ended=str(document["ended"]),
        complete=bool(document["complete"]),
        interrupted=str(document.get("interrupted", "")),
        not_run=int(document["counts"].get("not_run", 0)),
        boards={
            str(name): BoardSummary(
                str(board.get("version", "")),
                str(board.get("out", "")),
                {key: str(board[key]) for key in BOARD_PROPERTIES if key in board},
            )
            for name, board in document["boards"].items()
        },
        causes=[FailureCause(**{name: cause[name] for name in names if name in cause}) for cause in document["causes"]],
        results=[
            BoardResult(
                str(row["t"]),
                str(row["b"]),
                _result(row["r"]),
                _seconds(row.get("s", 0.0)),
                str(row.get("v", "")),
                int(row.get("a", 1)),
                str(row.get("c", "")),
            )
            for row in document["tests"]
        ],
        link=str(document.get("link", "")),
        notes=tuple(str(note) for note in document.get("notes", ())),
    )


def _result(value: Any) -> str:
    if value not in _RESULTS:
        raise ValueError(f"{value!r} is no result of a test")
    return str(value)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not isfinite(seconds):
        raise ValueError(f"a test of {seconds} s")
    return seconds


def _row(result: BoardResult) -> dict[str, Any]:
    row: dict[str, Any] = {"t": result.key, "b": result.board, "r": result.result, "s": round(result.seconds, 3)}
    optional = {"v": result.verdicts, "a": result.attempts if result.attempts > 1 else 0, "c": result.cause}
    return row | {name: value for name, value in optional.items() if value}
