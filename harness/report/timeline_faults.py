"""What is wrong with the timeline files of a run: lines that make no sense, and signs that somebody changed them."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import Misuse
from harness.report.edited_lines import edited_expectations, expected_in, missing_lines
from harness.report.edited_results import edited_results
from harness.report.files_of_run import foreign_files, lost_tests
from harness.report.journal import read_journal
from harness.report.ran_tests import attempts_of
from harness.timeline import Kind, RecordedTest, Recording, read_timeline, timeline_files

TIMELINES = "timeline"
"""The folder in a run's folder with one file for each board."""

JOURNAL = "journal.jsonl"
"""The journal in a run's folder."""

BY_HAND_OR_DISK = "was the file edited by hand, or the disk full?"
"""Asked where something is gone."""


def timeline_faults(run: Path, unread: str, rest: str) -> list[str]:
    """Return a line for each timeline file of ``run`` that is not whole, and for each place where it was changed.

    ``unread``: what became of a file that cannot be read. ``rest``: what became of one without the end of its last
    line. ``run``: the run's folder; one without timeline files has no faults.
    """
    faults: list[str] = []
    recordings: list[Recording] = []
    files = timeline_files(run / TIMELINES)
    for file in files:
        try:
            recordings.append(read_timeline(file))
        except Misuse as error:
            faults.append(f"{unread}: {error}")
    faults += cut_files(recordings, rest)
    journal = journal_of(run)
    faults += edited_files(run, journal, recordings, [one for file in recordings for one in file.tests.values()])
    if recordings and len(recordings) == len(files) and (lost := lost_tests(journal, recordings)):
        faults.append(f"{run / TIMELINES}: {lost_in_words(lost)}")
    return faults


def cut_files(recordings: Sequence[Recording], rest: str) -> list[str]:
    """Return a line for each file without the end of its last line. ``rest``: what became of the lines before."""
    return [f"{one.path}: the last line was never finished; {rest}" for one in recordings if one.cut]


def lost_in_words(lost: Sequence[str]) -> str:
    """Return how many tests are gone from the timeline."""
    tests = "1 test of the journal is" if len(lost) == 1 else f"{len(lost)} tests of the journal are"
    return f"{tests} not in the timeline: {BY_HAND_OR_DISK}"


def journal_of(run: Path) -> list[dict[str, Any]]:
    """Return the lines of the run's journal; none where there is none, or it cannot be read."""
    try:
        return read_journal(run / JOURNAL)
    except Misuse:
        return []


def edited_files(
    run: Path,
    journal: Sequence[Mapping[str, Any]],
    recordings: Sequence[Recording],
    tests: Collection[RecordedTest],
) -> list[str]:
    """Return a line for each sign that the files of ``run`` were changed, in or around these tests.

    ``journal``: its lines. ``recordings``: its timelines. ``tests``: of these.
    """
    chosen = {id(one) for one in tests}
    return [*foreign_files(run / JOURNAL, journal, recordings), *_edited(journal, recordings, chosen)]


def _edited(journal: Sequence[Mapping[str, Any]], recordings: Sequence[Recording], chosen: set[int]) -> Iterator[str]:
    phases = _phases(journal)
    ended = [
        (recording, test)
        for recording in recordings
        for test in recording.tests.values()
        if any(event.kind is Kind.END for event in test.events)
    ]
    times = Counter(test.id for _, test in ended)
    for recording in recordings:
        yield from missing_lines(recording, [one for one in recording.tests.values() if id(one) in chosen])
    for recording, test in ended:
        said = phases.get(test.id, [])
        known = said.pop(0) if len(said) == times[test.id] else None
        times[test.id] -= 1
        if id(test) in chosen:
            yield from edited_expectations(recording, test, None if known is None else expected_in(known))
            yield from edited_results(recording, test, known)


def _phases(journal: Sequence[Mapping[str, Any]]) -> dict[str, list[list[Mapping[str, Any]]]]:
    """Return by test the lines of its phases, each time that it was run."""
    phases: dict[str, list[Mapping[str, Any]]] = {}
    for line in journal:
        if line.get("k") == "phase":
            phases.setdefault(str(line.get("test")), []).append(line)
    return {test: attempts_of(found) for test, found in phases.items()}
