"""Reads the timelines of a run's folder when a page needs them, and picks the events that a verdict rests on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import Misuse
from harness.report.decisive_trial import decisive_facts
from harness.report.page.comparison import Trial
from harness.report.page.tally import tally_words
from harness.report.timeline_faults import TIMELINES
from harness.timeline import Event, Kind, RecordedTest, Recording, read_timeline, timeline_files

MOST = 400
"""How many events of a test a page shows. Of a longer test it shows those of the trial that decided."""
NOT_DRAWN = "not drawn"
"""What became of a file that cannot be read."""
_OF_EXPERIMENT = 220  # an experiment's arms have a drawing; the last events show how it went on


@dataclass(frozen=True, slots=True)
class ShownTrial:
    """What a page shows of a test. ``facts``: of its trial; None: it had none. ``left_out``: how many events before.

    ``attempt``: all events of that trial, however many. ``whole``: all events of the test were recorded.
    """

    trial: Trial
    facts: Event | None
    left_out: int
    attempt: Sequence[Event] = ()
    whole: bool = True


class Recordings:
    """Timelines by run folder and board. Each file is read once. ``notes``: a line for each that cannot be read."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._read: dict[Path, dict[str, dict[str, RecordedTest]]] = {}

    def shown(self, folder: Path, board: str, key: str) -> ShownTrial | None:
        """Return a test, or None if it was not recorded.

        ``folder``: the run's. ``board``: its name. ``key``: the test without its board.
        """
        if folder not in self._read:
            self._read[folder] = self._boards(folder)
        found = self._read[folder].get(board, {}).get(key)
        return None if found is None else _shown(found)

    def _boards(self, folder: Path) -> dict[str, dict[str, RecordedTest]]:
        boards: dict[str, dict[str, RecordedTest]] = {}
        for path in timeline_files(folder / TIMELINES):
            try:
                recording = read_timeline(path)
            except Misuse as error:
                self.notes.append(f"{NOT_DRAWN}: {error}")
                continue
            # A board has a second file if its worker died, or if it wrote very much.
            boards.setdefault(str(recording.header.get("board", path.stem)), {}).update(_by_key(recording))
        return boards


def _by_key(recording: Recording) -> dict[str, RecordedTest]:
    begun = ((test, next((e for e in test.events if e.kind is Kind.TEST), None)) for test in recording.tests.values())
    return {str(event.data.get("key", event.text)): test for test, event in begun if event is not None}


def _shown(test: RecordedTest) -> ShownTrial:
    events = sorted(test.events, key=lambda event: (event.t, event.seq))
    begin = next(event for event in events if event.kind is Kind.TEST)
    facts = decisive_facts(test.events)
    chosen = _chosen(events, facts)
    data = {} if facts is None else facts.data
    control = str(data.get("facts", {}).get("control", ""))
    names = {str(name): str(value) for name, value in dict(begin.data.get("names", {})).items()}
    trial = Trial(chosen, begin.t, names, str(data.get("outcome", "")), control, tally_words(data))
    return ShownTrial(trial, facts, len(events) - len(chosen), _attempt(events, facts), test.whole)


def _attempt(events: Sequence[Event], facts: Event | None) -> Sequence[Event]:
    """Return the events of the trial that ``facts`` are of."""
    if facts is None:
        return ()
    last = next(place for place, event in enumerate(events) if event.seq == facts.seq)
    return events[_first(events, facts) : last]


def _first(events: Sequence[Event], facts: Event) -> int:
    """Return where the trial that ``facts`` are of begins."""
    number = (facts.data.get("trial"), facts.data.get("attempt"))
    phases = ((i, event) for i, event in enumerate(events) if event.kind is Kind.PHASE)
    return next((i for i, event in phases if (event.data.get("trial"), event.data.get("attempt")) == number), 0)


def _chosen(events: Sequence[Event], facts: Event | None) -> list[Event]:
    """Return the events from set-up to verdict, without other trials, and not more than a page can show."""
    if facts is None:
        return list(events[-MOST:])
    last = next(i for i, event in enumerate(events) if event.seq == facts.seq)
    first = _first(events, facts)
    other = any(event.kind is Kind.FACTS for event in events[:first])
    most = _OF_EXPERIMENT if "tally" in facts.data else MOST
    return list(events[first if other or last - first > most else 0 : last + 1])[-most:]


def trial_only(trial: Trial) -> Trial:
    """Return a test without its set-up, to compare it with another run."""
    first = next((i for i, event in enumerate(trial.events) if event.kind is Kind.PHASE), 0)
    return replace(trial, events=trial.events[first:])
