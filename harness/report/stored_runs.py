"""The runs of reports folders: their summaries, wherever those are kept, in order of time."""

import gzip
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import Misuse
from harness.report.history import merge
from harness.report.journal import read_journal
from harness.report.junit import replace_file
from harness.report.ran_tests import RanTest
from harness.report.run_file import from_json, to_json
from harness.report.run_lock import goes_on
from harness.report.run_summary import RunSummary, summary_of

RUN_JSON = "run.json"
HISTORY = "history"
"""The folder with what is left of pruned runs."""


@dataclass(slots=True)
class StoredRuns:
    """``runs``: oldest first. ``folders``: of those that still have one. ``notes``: a line for each unreadable one."""

    runs: list[RunSummary] = field(default_factory=list)
    folders: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_run(folder: Path) -> tuple[RunSummary, list[RanTest]]:
    """Return a run's summary and tests from its journal. Raises Misuse: there is none."""
    return summary_of(folder.resolve().name, read_journal(folder / "journal.jsonl"))


def write_summary(folder: Path, summary: RunSummary) -> None:
    """Write a run's run.json in one step. Raises OSError."""
    replace_file(folder / RUN_JSON, to_json(summary).encode("utf-8", "backslashreplace"))


def read_summary(folder: Path) -> RunSummary:
    """Return what a run's run.json says. Raises OSError; Misuse: it makes no sense, with the command that mends it."""
    file = folder / RUN_JSON
    cure = "restore it, or delete the folder: its journal is gone too"
    if (folder / "journal.jsonl").exists():
        cure = f"nrf91-harness report html {folder} makes it anew"
    return from_json(file.read_text("utf-8", "replace"), str(file), cure)


def stored_runs(reports: Iterable[Path], *, newest: int | None = None, before: str = "") -> StoredRuns:
    """Read all runs below the folders ``reports``. A run without run.json is read from its journal.

    A run that goes on is left out: nobody knows yet what comes out.

    ``newest``: only so many of each folder, by their ids; ``before``: only older ones than the run of this id.
    """
    found = StoredRuns()
    summaries: list[RunSummary] = []
    for base in reports:
        folders = sorted(folder for folder in _entries(base) if not before or folder.name < before)
        for folder in list(filter(_is_over, folders))[-newest if newest else None :]:
            summary = _summary(folder, found.notes)
            if summary is not None:
                summaries.append(summary)
                found.folders[summary.run] = folder
        room = newest - len(summaries) if newest else None
        packed = sorted(_entries(base / HISTORY)) if room is None or room > 0 else []
        for file in packed[-room if room else None :]:
            summary = _pruned(file, found.notes) if file.name.endswith(".json.gz") else None
            if summary is not None:
                summaries.append(summary)
    found.runs = merge(summaries)
    return found


def pack(folder: Path, base: Path) -> Path:
    """Write a run's summary to the history of ``base``; return its file. Raises OSError, Misuse."""
    file = folder / RUN_JSON
    data = file.read_bytes() if file.exists() else to_json(read_run(folder)[0]).encode("utf-8", "backslashreplace")
    packed = packed_file(base, folder.name)
    replace_file(packed, gzip.compress(data, mtime=0))
    return packed


def packed_file(base: Path, run: str) -> Path:
    """Return where the history of ``base`` has what is left of a run."""
    return base / HISTORY / f"{run}.json.gz"


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a run, whole or shrunk."""
    return (folder / "journal.jsonl").exists() or (folder / RUN_JSON).exists()


def runs_going_on(reports: Iterable[Path]) -> list[Path]:
    """Return the folders of the runs that :func:`stored_runs` leaves out because they go on."""
    return sorted(run for base in reports for run in _entries(base) if is_run(run) and not _is_over(run))


def _is_over(folder: Path) -> bool:
    return is_run(folder) and ((folder / RUN_JSON).exists() or not goes_on(folder))


def _entries(folder: Path) -> Sequence[Path]:
    try:
        return list(folder.iterdir()) if folder.is_dir() else []
    except OSError:
        return []


def _summary(folder: Path, notes: list[str]) -> RunSummary | None:
    try:
        return read_summary(folder) if (folder / RUN_JSON).exists() else read_run(folder)[0]
    except (Misuse, OSError) as error:
        notes.append(f"left out: {error}")
        return None


def _pruned(file: Path, notes: list[str]) -> RunSummary | None:
    try:
        return from_json(gzip.decompress(file.read_bytes()).decode("utf-8", "replace"), str(file))
    except Misuse as error:
        notes.append(f"left out: {error}")
    except (OSError, EOFError, zlib.error) as error:
        notes.append(f"left out: {file}: {error}; restore it, or delete it")
    return None
