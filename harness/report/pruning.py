"""Which runs may go when there are too many, too old or too large ones: a pure function, and the deed.

Never the newest run, the last green run of any board, a run that begins a streak of failures that still goes on, or
one with a file called ``keep``; nor one that goes on.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from harness.report.history import RunHistory, standing
from harness.report.run_lock import goes_on
from harness.report.run_summary import RunSummary
from harness.report.stored_runs import StoredRuns, pack, packed_file

KEEP = "keep"


@dataclass(frozen=True)
class PruningLimits:
    """``runs``: so many folders; ``days``: no older ones; ``size``: bytes of all folders together.

    ``history_days``: so long what is left of a shrunk run stays.
    """

    runs: int = 60
    days: int = 90
    size: int = 5_000_000_000
    history_days: int = 730


def protected(runs: Sequence[RunSummary]) -> set[str]:
    """Return the runs that must stay. ``runs``: all of the history, oldest first."""
    if not runs:
        return set()
    kept = {runs[-1].run}
    green: dict[tuple[str, str], str] = {}
    for run in runs:
        green |= {(run.lab, board): run.run for board in run.boards if run.board_state(board) == "green"}
    ledger = RunHistory(runs)
    begun = {standing(ledger.entries(*test)).since for test in ledger.tests()}
    return (kept | set(green.values()) | begun) - {""}


def to_prune(
    runs: Sequence[RunSummary],
    sizes: Mapping[str, int],
    limits: PruningLimits,
    now: datetime,
    keep: set[str] | None = None,
) -> list[str]:
    """Return the ids of the runs whose folders go at ``now`` under ``limits``, oldest first.

    ``runs``: all of the history, oldest first. ``sizes``: bytes of each run that still has a folder. ``keep``: runs
    that somebody wants to stay, or still writes.
    """
    stay = protected(runs) | (keep or set())
    present = [run for run in runs if run.run in sizes]
    number, total = len(present), sum(sizes[run.run] for run in present)
    going: list[str] = []
    for run in present:
        over = number > limits.runs or total > limits.size or _older(run, limits.days, now)
        if over and run.run not in stay:
            going.append(run.run)
            number, total = number - 1, total - sizes[run.run]
    return going


def history_to_prune(runs: Sequence[RunSummary], limits: PruningLimits, now: datetime) -> list[str]:
    """Return the ids of the runs whose summaries go at ``now`` under ``limits``. ``runs``: all, oldest first."""
    stay = protected(runs)
    return [run.run for run in runs if run.run not in stay and _older(run, limits.history_days, now)]


def prune(base: Path, stored: StoredRuns, limits: PruningLimits, *, dry: bool) -> list[str]:
    """Shrink runs of the folder ``base`` to their summaries, and delete old summaries; return the ids of all of them.

    ``stored``: the runs that are there. ``limits``: how many stay. ``dry``: only say which.

    One process at a time: another that prunes just now has the same to do. Raises OSError, Misuse.
    """
    try:
        with FileLock(base / ".prune.lock", timeout=0):
            return _prune(base, stored, limits, dry=dry)
    except Timeout:
        return []


def _prune(base: Path, stored: StoredRuns, limits: PruningLimits, *, dry: bool) -> list[str]:
    mine = {run: folder for run, folder in stored.folders.items() if folder.parent == base}
    sizes = {run: sum(file.lstat().st_size for file in folder.rglob("*")) for run, folder in mine.items()}
    keep = {run for run, folder in mine.items() if (folder / KEEP).exists() or goes_on(folder)}
    going = to_prune(stored.runs, sizes, limits, datetime.now(UTC), keep)
    for run in [] if dry else going:
        pack(mine[run], base)
        shutil.rmtree(mine[run])
    packed = {run: packed_file(base, run) for run in history_to_prune(stored.runs, limits, datetime.now(UTC))}
    old = [run for run, file in packed.items() if run not in mine and file.exists()]
    for run in [] if dry else old:
        packed[run].unlink(missing_ok=True)
    return [*old, *going]


def _older(run: RunSummary, days: int, now: datetime) -> bool:
    try:
        return (now - datetime.fromisoformat(run.began)).days >= days
    except (ValueError, TypeError):
        return False  # a clock that nobody can read makes no run old
