"""What of a run's timeline file does not fit together: lines that were taken out, and expectations that were changed.

Events are numbered without a gap, a verdict's outcome stands before what was expected of it, and the journal has what
was expected, too. A file as the harness wrote it contradicts none of the three; one that was edited by hand may.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from harness.timeline import Event, Kind, RecordedTest, Recording
from harness.trial.verdict_record import wanted_of

_BY_HAND: Final = "was the file edited by hand?"
Expected = Sequence[Sequence[str]]
"""The expected outcomes of each of a test's trials, in order."""


def missing_lines(recording: Recording, tests: Sequence[RecordedTest]) -> Iterator[str]:
    """Yield a line for each place of ``recording`` where events of these tests, or around them, are missing.

    What a test, or what is between two tests, has beyond its share is left out by the harness itself, which says so
    there: that is no such place.
    """
    left_out = set(_behind_a_cut(recording))
    wanted = {event.seq for test in tests if test.whole for event in test.events}
    before: int | None = None
    for line, number in _numbers(recording):
        apart = before is not None and number != before + 1
        if before is not None and apart and number not in left_out and not wanted.isdisjoint((before, number)):
            gone = number - before - 1
            what = f"events missing before n={number}: {gone}" if gone > 0 else f"n={number} stands behind n={before}"
            yield f"{recording.path}:{line}: {what}; {_BY_HAND}"
        before = number


def edited_expectations(recording: Recording, test: RecordedTest, expected: Expected | None) -> Iterator[str]:
    """Yield a line for each expectation of ``test`` that contradicts itself, its verdict, or the journal.

    ``recording``: the file that ``test`` is in. ``expected``: what the journal says was expected; None: it does not
    say.
    """
    outcomes: list[object] = []  # a list, because a hand may have written something that no set takes
    found: list[Event] = []
    for event in test.events:
        if event.kind is Kind.FACTS:
            outcomes.append(event.data.get("outcome"))
        elif event.kind is Kind.EXPECT:
            found.append(event)
            why = _contradiction(event, outcomes)
            if why:
                yield f"{place_of(recording, event)}: {why}; {_BY_HAND}"
    if expected is not None and not _holds([list(wanted_of(event)) for event in found], expected):
        yield _against_journal(recording, test, found, expected)


def expected_in(phases: Sequence[Mapping[str, Any]]) -> Expected | None:
    """Return what ``phases`` of a test, lines of the journal, say was expected; None where they do not say."""
    said = next((phase["expected"] for phase in phases if "expected" in phase), None)
    return said if isinstance(said, list) and all(isinstance(one, list) for one in said) else None


def _numbers(recording: Recording) -> Iterator[tuple[int, int]]:
    """Yield line and number of each event, in the file's order."""
    known = zip(recording.lines, (event.seq for event in recording.events), strict=True)
    others = ((line, fields["n"]) for line, fields in recording.unknown.items() if isinstance(fields.get("n"), int))
    yield from sorted((*known, *others))


def _behind_a_cut(recording: Recording) -> Iterator[int]:
    """Yield the numbers of the events before which some may be left out: behind a CUT, up to where a test begins."""
    cut = False
    for event in recording.events:
        if cut:
            yield event.seq
        cut = event.kind is Kind.CUT or (cut and event.kind not in (Kind.TEST, Kind.END))


def _contradiction(event: Event, outcomes: Sequence[object]) -> str:
    got, wanted = event.data.get("got"), list(wanted_of(event))
    if event.text != f"expected {' or '.join(wanted)}, got {got}":
        return f"{event.text!r} is said of wanted={wanted} and got={got!r}"
    if got not in outcomes:
        return f"{event.text!r}, and no verdict of the test before it is {got!r}"
    return ""


def _holds(found: Expected, expected: Expected) -> bool:
    """Tell whether the file has what the journal has, which knows no expectation of a teardown or long before."""
    length = len(expected)
    return any(list(found[at : at + length]) == list(expected) for at in range(len(found) - length + 1))


def _against_journal(recording: Recording, test: RecordedTest, found: Sequence[Event], expected: Expected) -> str:
    differing = next(
        (one for one, said in zip(found, expected, strict=False) if list(wanted_of(one)) != list(said)), None
    )
    if differing is None or len(found) < len(expected):
        what = f"{test.id} has {len(found)} expect lines and the journal {len(expected)}"
    else:
        what = f"{differing.text!r}, and the journal has other expectations of {test.id}"
    return f"{place_of(recording, differing or test.events[-1])}: {what}; {_BY_HAND}"


def place_of(recording: Recording, event: Event) -> str:
    """Return file and line of an event of ``recording``."""
    line = next(line for line, one in zip(recording.lines, recording.events, strict=True) if one is event)
    return f"{recording.path}:{line}"
