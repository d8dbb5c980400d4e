"""Where a run's timeline and its journal contradict each other on how a test ended, or on a verdict of it.

The harness writes both from the same values, so one of the two was edited by hand. What only one of them knows (the
run was killed in between, or another plug-in reported) contradicts nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from harness.report.edited_lines import place_of
from harness.timeline import Event, Kind, RecordedTest, Recording
from harness.trial.facts import Sort
from harness.trial.phases import Phase

_BY_HAND: Final = "was one of the two edited by hand?"
_VERIFIED: Final = "verified"  # in place of a verdict: what a test says of itself


def edited_results(
    recording: Recording, test: RecordedTest, phases: Sequence[Mapping[str, Any]] | None
) -> Iterator[str]:
    """Yield a line if the journal has another result of ``test``, and one if it has a verdict that the test has not.

    ``recording``: the file that ``test`` is in. ``phases``: the test's lines in the journal; None: nobody knows which.
    """
    *_, end = (event for event in test.events if event.kind is Kind.END)
    there = f"{test.id} ended {end.text!r}"
    if end.data.get("result", end.text) != end.text:
        yield f"{place_of(recording, end)}: {there} is said of result={end.data['result']!r}; {_BY_HAND}"
        return
    if phases is None:
        return
    found, said = _end(end), _end_in(phases)
    if said is not None and found != said:
        other = f"{test.id} ended {_words(found)}, and in the journal {_words(said)}"
        yield f"{place_of(recording, end)}: {other}; {_BY_HAND}"
    outcomes = _outcomes(test.events)
    verdicts = next((_verdicts(phase) for phase in phases if phase["phase"] == "call"), "")
    if not _among(verdicts, outcomes):
        has = ", ".join(outcomes) or "none"
        yield (
            f"{place_of(recording, test.events[0])}: the verdicts of {test.id} are: {has}; and in the journal:"
            f" {verdicts}; {_BY_HAND}"
        )


End = tuple[str, str, str, str]
"""Result, error, branch and party."""


def _end(end: Event) -> End:
    error, branch, party = (str(end.data.get(name, "")) for name in ("error", "branch", "party"))
    return end.text, error, branch, party


def _end_in(phases: Sequence[Mapping[str, Any]]) -> End | None:
    """Return how a test ended by its phases, as the harness works it out; None where not all of them are there."""
    ours = all("key" in phase for phase in phases)  # another plug-in's lines have none, nor has that of a dead worker
    if not ours or all(phase["phase"] != "teardown" for phase in phases):
        return None
    bad = [phase["result"] for phase in phases if phase["result"] != "passed"]
    last = {phase["phase"]: phase for phase in phases}
    decisive: Mapping[str, Any] = next((phase for phase in last.values() if phase.get("raised")), {})
    error, branch, party = (str(decisive.get(name, "")) for name in ("raised", "branch", "party"))
    return bad[-1] if bad else "passed", error, branch, party


def _words(end: End) -> str:
    result, *why = end
    return f"{result!r} ({', '.join(filter(None, why))})" if any(why) else repr(result)


def _outcomes(events: Sequence[Event]) -> list[str]:
    """Return the outcome of each trial of a test; a group of trials has none of its own."""
    found: dict[object, str] = {}
    group = False
    for event in events:
        if event.kind is Kind.PHASE and event.data.get("name") == Phase.ATTEMPT and event.data.get("on") == "begin":
            group = event.data.get("sort") == Sort.GROUP
        elif event.kind is Kind.FACTS and not group:
            found[event.data.get("trial")] = str(event.data.get("outcome"))
    return list(found.values())


def _verdicts(phase: Mapping[str, Any]) -> str:
    return str((phase.get("properties") or {}).get("verdict", ""))


def _among(verdicts: str, outcomes: Sequence[str]) -> bool:
    """Tell whether ``verdicts``, joined by commas, stand among ``outcomes`` in this order; some have a comma."""
    left = f"{verdicts}, " if verdicts else ""
    for outcome in (*outcomes, ""):
        while left.startswith(f"{_VERIFIED}, "):
            left = left.removeprefix(f"{_VERIFIED}, ")
        left = left.removeprefix(f"{outcome}, ")
    return not left
