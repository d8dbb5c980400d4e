"""``nrf91-harness report html|index|diff|prune``: pages and history of runs, made from their files alone."""

from pathlib import Path

from harness.cli.arguments import Arguments
from harness.cli.exit_codes import OK, REFUSED
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.errors import Misuse
from harness.report.difference import differences, lines
from harness.report.page import write_index, write_run_pages
from harness.report.page.recorded import NOT_DRAWN
from harness.report.pruning import PruningLimits, prune
from harness.report.run_lock import refuse_going_on
from harness.report.run_summary import RunSummary
from harness.report.stored_runs import RUN_JSON, is_run, read_run, read_summary, runs_going_on, stored_runs
from harness.report.timeline_faults import timeline_faults


def make_html(given: Arguments, progress: Progress) -> Result:
    """Write run.json, report.html and summary.md of each run, and the index beside them."""
    paths: list[str] = []
    for run in given.folders:
        refuse_going_on(run)
        try:
            written = write_run_pages(run)
        except OSError as error:
            raise Misuse(f"{error.filename}: cannot write the page: {error.strerror}") from error
        faults = timeline_faults(run.resolve(), NOT_DRAWN, "everything before it is on the page")
        for note in dict.fromkeys([*written.notes, *faults]):
            progress(note)
        paths += [str(path) for path in written.paths if str(path) not in paths]
    return Result({"written": paths}, paths)


def make_index(given: Arguments, progress: Progress) -> Result:
    """Write index.html."""
    for folder in given.folders:
        _check_folder(folder)
        if is_run(folder):
            raise Misuse(f"{folder} is one run: name the folder that holds it ({folder.resolve().parent})")
    try:
        written = write_index(given.folders)
    except OSError as error:
        raise Misuse(f"{error.filename}: cannot write the page: {error.strerror}") from error
    for note in written.notes:
        progress(note)
    for run in runs_going_on(given.folders):
        progress(f"left out: {run}: this run goes on; it will be in the index when it has ended")
    paths = [str(path) for path in written.paths]
    return Result({"written": paths}, paths)


def compare(given: Arguments, _progress: Progress) -> Result:
    """Show what differs between two runs. A difference counts as refused."""
    one, other = _summary(given.run), _summary(given.other)
    found = differences(one, other)
    told = lines(found) or ["the same results"]
    data = {
        "runs": [one.run, other.run],
        "differing": [
            {"board": each.board, "test": each.key, "was": each.was, "now": each.now, "cause": each.cause}
            for each in found
        ],
    }
    return Result(data, told, REFUSED if found else OK)


def prune_runs(given: Arguments, progress: Progress) -> Result:
    """Shrink runs over the limits to the part that the history needs; with ``--dry-run`` only show which."""
    base = given.folders[0].resolve()
    _check_folder(base)
    stored = stored_runs([base])
    for note in stored.notes:
        progress(note)
    limits = PruningLimits(given.keep_runs, given.keep_days, given.keep_size, given.keep_history_days)
    try:
        gone = prune(base, stored, limits, dry=given.dry_run)
    except OSError as error:
        raise Misuse(f"{error.filename}: cannot shrink the run: {error.strerror}") from error
    word = "would go" if given.dry_run else "shrunk to history"
    told = [f"{run}: {word}" for run in gone] or ["no run that may be shrunk is over the limits"]
    return Result({"dry_run": given.dry_run, "pruned": gone}, told)


def _summary(run: Path) -> RunSummary:
    if not (run / RUN_JSON).exists():
        return read_run(run)[0]
    try:
        return read_summary(run)
    except OSError as error:
        raise Misuse(f"{run / RUN_JSON}: {error.strerror}: name the folder of a run") from error


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise Misuse(f"{folder}: no such folder: name the one with a folder for each run, usually reports")
