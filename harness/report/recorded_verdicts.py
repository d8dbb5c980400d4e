"""The verdicts of a run, judged anew from its timeline files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import Misuse
from harness.report.files_of_run import lost_tests
from harness.report.journal import NoJournal, read_journal
from harness.report.ran_tests import KILLED, ran_tests
from harness.report.run_lock import goes_on
from harness.report.timeline_faults import JOURNAL, TIMELINES, cut_files, edited_files
from harness.timeline import RecordedTest, Recording, read_timeline, timeline_files
from harness.trial.rejudge import Rejudged, rejudge, unjudged, verdicts
from harness.trial.run_rules import Overturned, overturned
from harness.trial.verdict_record import TestRecord, record_of


@dataclass(frozen=True, slots=True)
class JudgedTest:
    """One test on one board, with the verdicts of its trials in order. ``missing``: the actions that have none."""

    board: str
    test: str
    verdicts: Sequence[Rejudged]
    missing: Sequence[str] = ()

    @property
    def differing(self) -> list[Rejudged]:
        """The verdicts that are not what the run recorded."""
        return [verdict for verdict in self.verdicts if not verdict.same]


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """``tests``: those with trials. ``notes``: one line for each file that is not complete, and for a killed run.

    ``edited``: one line for each place where the files show that somebody changed them. ``overturned``: verdicts of
    these tests, as they are now, that the run as a whole takes back. ``lost``: tests of the journal that are not in the
    timeline.
    """

    tests: Sequence[JudgedTest]
    notes: Sequence[str]
    overturned: Sequence[Overturned] = ()
    edited: Sequence[str] = ()
    lost: Sequence[str] = ()


def judge_run(run: Path, test: str | None = None) -> JudgedRun:
    """Judge the trials of a run's folder anew; ``test``: only this test, or all whose ids contain this.

    Raises Misuse if there is no such run or test, or if this harness cannot judge its files.
    """
    files = timeline_files(run / TIMELINES)
    if not files:
        what = f"no {TIMELINES}/*.jsonl in it" if run.is_dir() else "no such folder"
        raise Misuse(f"{run}: {what}; name the folder of a run: reports/<time>-<number>")
    recordings = [read_timeline(file) for file in files]
    chosen = [(recording, one) for recording in recordings for one in _chosen(recording, test)]
    journal = _journal(run)
    lost = lost_tests(journal, recordings, test)
    if test is not None and not chosen and not lost:
        raise Misuse(f"{run}: no test has the id {test!r}, or has that in its id; journal.jsonl lists them")
    judged = [JudgedTest(_board(recording), one.id, *_judged(recording, one)) for recording, one in chosen]
    notes = cut_files(recordings, "everything before it is judged")
    notes += [
        f"{recording.path}: {one.id}: a part of its events was left out; what is judged may lack something"
        for recording, one in chosen
        if not one.whole
    ]
    notes += _killed(run, journal)
    anew = {(one.board, one.test): one for one in judged}
    taken_back = [
        one
        for board, tests in _by_board(recordings, anew).items()
        for one in overturned(tests)
        if (board, one.test) in anew
    ]
    found = [one for one in judged if one.verdicts or one.missing]
    edited = edited_files(run, journal, recordings, [one for _, one in chosen])
    return JudgedRun(found, notes, taken_back, edited, lost)


def _journal(run: Path) -> list[dict[str, Any]]:
    """Return the lines of the run's journal; none where there is none. Raises Misuse for one that is damaged."""
    try:
        return read_journal(run / JOURNAL)
    except NoJournal:
        return []


def _killed(run: Path, journal: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line if the run has no end, with the tests that it was in. Without a journal nobody knows."""
    path = run / JOURNAL
    if journal and not goes_on(run) and all(line.get("k") != "end" for line in journal):
        within = ", ".join(one.test for one in ran_tests(journal) if one.message == KILLED) or "no test"
        yield f"{path}: the run was killed, for it has no end; in progress: {within}"


def _by_board(
    recordings: Sequence[Recording], anew: Mapping[tuple[str, str], JudgedTest]
) -> dict[str, dict[str, TestRecord]]:
    """Return the records of all tests of each board, by test id. Tests that were judged anew have today's verdicts."""
    found: dict[str, dict[str, TestRecord]] = {}
    for recording in recordings:  # a board whose worker died has two
        board = _board(recording)
        for test in recording.tests.values():
            judged = anew.get((board, test.id))
            outcomes = {} if judged is None else {one.trial: one.anew.outcome for one in judged.verdicts}
            with _judging(recording, test):
                found.setdefault(board, {})[test.id] = record_of(test.events, outcomes)
    return found


def _board(recording: Recording) -> str:
    return str(recording.header.get("board", recording.path.name.partition(".")[0]))


def _chosen(recording: Recording, wanted: str | None) -> list[RecordedTest]:
    tests = list(recording.tests.values())
    if wanted is None:
        return tests
    return [one for one in tests if one.id == wanted] or [one for one in tests if wanted in one.id]


def _judged(recording: Recording, test: RecordedTest) -> tuple[list[Rejudged], list[str]]:
    with _judging(recording, test):
        return verdicts(rejudge(test.events)), unjudged(test.events)


@contextmanager
def _judging(recording: Recording, test: RecordedTest) -> Iterator[None]:
    """Raise Misuse where the events of ``test`` make no sense."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        if not isinstance(error, KeyError) and "is not a valid" not in what:  # of an enumeration; others are Python's
            what = "a value is not what a trial writes"
        raise Misuse(
            f"{recording.path}: the trials of {test.id or 'a test'} cannot be judged ({what});"
            " was the file edited by hand?"
        ) from error
