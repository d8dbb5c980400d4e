"""Writes the pages of a run into its folder, and the index beside the folders of the runs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.report.assessment import Assessment, assess
from harness.report.journal import read_journal
from harness.report.junit import replace_file
from harness.report.page.index import index_page
from harness.report.page.run_page import run_page
from harness.report.page.secret_net import refuse_secrets
from harness.report.page.summary import summary_text
from harness.report.run_summary import summary_of
from harness.report.stored_runs import StoredRuns, stored_runs, write_summary

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
_MOST_SUMMARY = 50_000  # characters; GitHub drops a summary of more than 1 MiB


class WrittenPages(NamedTuple):
    """``paths``: of the pages. ``notes``: a line for each file that could not be read. ``assessment``: of the run."""

    paths: Sequence[Path]
    notes: Sequence[str]
    assessment: Assessment | None = None


def write_run_pages(folder: Path) -> WrittenPages:
    """Write run.json, report.html and summary.md of a run, and the index of the runs beside it.

    Raises Misuse: no journal, or a secret in a page; OSError: the disk does not take it.
    """
    folder = folder.resolve()
    journal = read_journal(folder / "journal.jsonl")
    summary, tests = summary_of(folder.name, journal)
    write_summary(folder, summary)
    stored = stored_runs([folder.parent])
    assessment = _assessment(stored, folder.name)
    boards = str(journal[0].get("boards_file", {}).get("path", ""))
    page, notes = run_page(assessment, tests, stored.folders, boards)
    text = summary_text(assessment)[:_MOST_SUMMARY]
    written = [folder / "run.json"]
    for path, content in ((folder / "report.html", page), (folder / "summary.md", text)):
        _write(path, content)
        written.append(path)
    written.append(_index(folder.parent, stored))
    return WrittenPages(written, [*stored.notes, *notes], assessment)


def write_live_page(folder: Path) -> None:
    """Write report.html of a run that is not over. It writes nothing else, because run.json is for runs that are over.

    Raises Misuse: no journal, or a secret in the page; OSError.
    """
    folder = folder.resolve()
    journal = read_journal(folder / "journal.jsonl")
    summary, tests = summary_of(folder.name, journal, going_on=True)
    before = stored_runs([folder.parent], before=folder.name)
    folders = before.folders | {summary.run: folder}
    boards = str(journal[0].get("boards_file", {}).get("path", ""))
    _write(folder / "report.html", run_page(assess([*before.runs, summary]), tests, folders, boards)[0])


def append_to_job_summary(folder: Path) -> None:
    """Append a run's summary.md to the summary of the CI job, if the job has one. Raises OSError."""
    place = os.environ.get(STEP_SUMMARY)
    if place:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write((folder / "summary.md").read_text("utf-8"))


def write_index(reports: Sequence[Path]) -> WrittenPages:
    """Write index.html into the first of ``reports``; it lists the runs of all of them. Raises Misuse, OSError."""
    stored = stored_runs([path.resolve() for path in reports])
    return WrittenPages([_index(reports[0].resolve(), stored)], stored.notes)


def _index(base: Path, stored: StoredRuns) -> Path:
    path = base / "index.html"
    links = {
        run: f"{os.path.relpath(folder, base)}/report.html"
        for run, folder in stored.folders.items()
        if (folder / "report.html").exists()
    }
    _write(path, index_page(stored.runs, links))
    return path


def _assessment(stored: StoredRuns, run: str) -> Assessment:
    position = next(i for i, one in enumerate(stored.runs) if one.run == run)
    return assess(stored.runs[: position + 1])


def _write(path: Path, text: str) -> None:
    refuse_secrets(text, path)
    replace_file(path, text.encode("utf-8", "replace"))
