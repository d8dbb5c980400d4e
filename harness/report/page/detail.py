"""Everything that a page says about one test that did not pass."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.report.assessment import Assessment
from harness.report.history import Standing
from harness.report.normal_form import named
from harness.report.page.comparison import RunComparison, compare
from harness.report.page.drawing import PHASES, Drawing, draw
from harness.report.page.evidence import ShownSentence, pins, sentences
from harness.report.page.experiment import ExperimentDrawing, draw_experiment
from harness.report.page.recorded import Recordings, ShownTrial, trial_only
from harness.report.page.words import short_test, span
from harness.report.ran_tests import RanTest
from harness.report.run_summary import RunSummary
from harness.report.transcript import SIGNS
from harness.timeline import Event, Kind

_LINE = 600  # characters of a line of the transcript on the page


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript. ``numbers``: of the sentences that it proves."""

    seq: int
    stamp: str
    sign: str
    text: str
    numbers: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A sentence of the evidence, with the number and the words of each event that it links to."""

    sentence: ShownSentence
    links: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Detail:
    """One test. ``anchor``: its id on the page. ``elsewhere``: the results of the same test on other boards."""

    anchor: str
    test: RanTest
    name: str
    where: str
    standing: Standing
    rerun: str
    elsewhere: Sequence[tuple[str, str]]
    action: str = ""
    proofs: Sequence[Proof] = ()
    drawing: Drawing | None = None
    lines: Sequence[Line] = ()
    left_out: int = 0
    comparison: RunComparison | None = None
    green_drawing: Drawing | None = None
    experiment: ExperimentDrawing | None = None
    whole: bool = True

    @property
    def shown(self) -> frozenset[int]:
        """The events with a line in the transcript."""
        return frozenset(line.seq for line in self.lines)


def detail(
    test: RanTest, anchor: str, assessment: Assessment, recordings: Recordings, folders: Mapping[str, Path], boards: str
) -> Detail:
    """Return everything about a test.

    ``test``: its result. ``anchor``: its id on the page. ``assessment``: of the run. ``recordings``: the timelines.
    ``folders``: of the runs that still have one. ``boards``: the boards file; "": it is not known.
    """
    base = brief(test, anchor, assessment, boards)
    folder = folders.get(assessment.run.run)
    shown = None if folder is None else recordings.shown(folder, test.board, test.key)
    if shown is None:
        proofs = [Proof(one, ()) for one in sentences(None, (), test.message)]
        return replace(base, proofs=proofs)
    events = shown.trial.events
    message = "" if shown.facts is not None and test.decisive else test.message
    evidence = sentences(None if message else shown.facts, events, message)
    pinned = pins(evidence)
    absent = next((one.number for one in evidence if one.how == "absence"), 0)
    comparison, green = _comparison(test, shown, assessment, recordings, folders)
    return replace(
        base,
        proofs=[
            Proof(replace(one, text=named(one.text, shown.trial.names)), _links(one, events, shown.trial.start))
            for one in evidence
        ],
        action=named(str(test.decisive.get("action", "")), shown.trial.names),
        drawing=draw(events, shown.trial.start, pinned, absent),
        lines=list(_lines(events, shown.trial.start, pinned)),
        left_out=shown.left_out,
        whole=shown.whole,
        comparison=comparison,
        experiment=draw_experiment(shown.attempt, shown.facts, shown.trial.names),
        green_drawing=None if green is None else draw(green.trial.events, green.trial.start, {}),
    )


def brief(test: RanTest, anchor: str, assessment: Assessment, boards: str) -> Detail:
    """Return what a page says about a test without its timeline.

    ``test``: its result. ``anchor``: its id on the page. ``assessment``: of the run. ``boards``: the boards file; "":
    it is not known.
    """
    name, where = short_test(test.key)
    elsewhere = [
        (one.board, one.result) for one in assessment.run.results if one.key == test.key and one.board != test.board
    ]
    return Detail(
        anchor=anchor,
        test=test,
        name=name,
        where=where,
        standing=assessment.standings[test.board, test.key],
        rerun=rerun(test.test, boards),
        elsewhere=elsewhere,
        action=str(test.decisive.get("action", "")),
    )


def rerun(test: str, boards: str) -> str:
    """Return the command that runs a test again. ``boards``: the boards file; "": the one that is found by itself."""
    return f"pytest {shlex.quote(test)}" + (f" --boards {shlex.quote(boards)}" if boards else "")


def last_green(key: tuple[str, str], runs: Sequence[RunSummary], folders: Mapping[str, Path]) -> RunSummary | None:
    """Return the last run in which a test passed, if it still has its files.

    ``key``: board and test. ``runs``: the newest one last. ``folders``: of the runs that still have one.
    """
    for run in reversed(runs):
        if run.run in folders and any((one.board, one.key, one.result) == (*key, "passed") for one in run.results):
            return run
    return None


def _comparison(
    test: RanTest, shown: ShownTrial, assessment: Assessment, recordings: Recordings, folders: Mapping[str, Path]
) -> tuple[RunComparison | None, ShownTrial | None]:
    run = last_green((test.board, test.key), assessment.before, folders) if test.result == "failed" else None
    green = None if run is None else recordings.shown(folders[run.run], test.board, test.key)
    if run is None or green is None:
        return None, None
    before, after = (one.boards[test.board].properties for one in (run, assessment.run))
    found = compare(run.run, trial_only(green.trial), trial_only(shown.trial), PHASES, before, after)
    return found, green


def _links(sentence: ShownSentence, events: Sequence[Event], start: float) -> list[tuple[int, str]]:
    known = {event.seq: event for event in events}
    return [
        (ref, f"+{span(max(0.0, known[ref].t - start))} {_said(known[ref])}") for ref in sentence.refs if ref in known
    ]


def _said(event: Event) -> str:
    if event.kind is Kind.CLOUD and "topic" in event.data:
        return "seen by the observer"
    if event.kind is Kind.PHASE:
        return f"end of {PHASES.get(str(event.data.get('name')), event.data.get('name'))}"
    text = event.text.partition(",")[0] if event.text.startswith("+") else event.text
    return text if len(text) <= 40 else text[:39] + "…"


def _lines(events: Sequence[Event], start: float, pinned: Mapping[int, Sequence[int]]) -> list[Line]:
    found: list[Line] = []
    for event in events:
        if event.kind in (Kind.FACTS, Kind.EXPECT, Kind.TEST, Kind.END):
            continue
        if event.kind is Kind.PHASE and event.data.get("on") == "end" and event.seq not in pinned:
            continue
        text = event.text if len(event.text) <= _LINE else f"{event.text[:_LINE]}… ({len(event.text):,} characters)"
        numbers = ",".join(map(str, pinned.get(event.seq, ())))
        found.append(Line(event.seq, f"+{span(max(0.0, event.t - start))}", SIGNS.get(event.kind, "#"), text, numbers))
    return found
