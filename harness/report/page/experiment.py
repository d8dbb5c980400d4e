"""Draws a verdict as the experiment that it is: its arms or logins, places, hits and survivals, and the bound.

An arm is one connection. The place of the action was drawn at random, and allowed actions (shams) fill the places
before it. For each login a coin decided whether it was the right one or the wrong one. docs/verdicts.md explains the
rule.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.report.normal_form import named
from harness.report.page.tally import mapping, other_words
from harness.report.page.words import span
from harness.timeline import Event, Kind

_MEANINGS: Final = {
    "hit": "hung up exactly at it",
    "lost": "gone before it was sent",
    "no hit": "hung up on at it, but not as a refusal would",
    "quiet": "answered, and it stayed",
    "no effect": "answered, but without effect",
    "late": "answered, and hung up on later",
    "swallowed": "never answered",
    "said no": "refused in its answer (0x80)",
    "nothing": "nothing is known of it",
}
_FEWEST_PLACES: Final = 4
_MOST_PLACES: Final = 200


@dataclass(frozen=True, slots=True)
class DrawnPlace:
    """One place of an arm. ``what``: sham or action. ``state``: answered, closed, silent or never (not sent)."""

    what: str
    state: str
    left: float
    title: str


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm. ``words``: its result. ``wealth``: the evidence after it. ``share``: the same as part of the width.

    ``seq``: of the event that it rests on; -1: none.
    """

    number: int
    places: Sequence[DrawnPlace]
    meaning: str
    words: str
    wealth: str
    share: float
    seq: int


@dataclass(frozen=True, slots=True)
class DrawnLogin:
    """One attempt to log in, or one call. ``right``: with the right login. ``refused``: it was. ``title``: in words."""

    right: bool
    refused: bool
    left: float
    title: str
    seq: int


@dataclass(frozen=True, slots=True)
class ExperimentDrawing:
    """``wanted``: place of the bound in the column of evidence. ``bound``: in words. ``claim``: what is proved."""

    arms: Sequence[ArmRow]
    logins: Sequence[DrawnLogin]
    columns: int
    wanted: float
    bound: str
    claim: str
    sham: str
    differs: str
    other: Sequence[tuple[str, str]]


def draw_experiment(events: Sequence[Event], facts: Event | None, names: Mapping[str, str]) -> ExperimentDrawing | None:
    """Return the drawing of a trial, or None if it was not an experiment or its record is not consistent.

    ``events``: of its attempt. ``facts``: of the trial. ``names``: text by placeholder.
    """
    tally = None if facts is None else facts.data.get("tally")
    if facts is None or not isinstance(tally, Mapping):
        return None
    try:
        return _drawn(events, facts, tally, names)
    except (TypeError, ValueError, OverflowError):  # a file that somebody changed, or that another tool wrote
        return None


def _drawn(
    events: Sequence[Event], facts: Event, tally: Mapping[str, Any], names: Mapping[str, str]
) -> ExperimentDrawing:
    told = _told(events)
    confidence = float(mapping(told, "rule").get("confidence", 0.0)) or 1e-4
    arms = [one for one in tally.get("arms", ()) if isinstance(one, Mapping)]
    columns = max([_FEWEST_PLACES, *(int(one.get("place", 0)) for one in arms)])
    if columns > _MOST_PLACES:
        raise ValueError(f"an action at place {columns}")
    top = max([1 / confidence, *(float(one.get("wealth", 1.0)) for one in arms)])
    plans = _plans(events)
    subject = mapping(told, "subject")
    return ExperimentDrawing(
        arms=[_arm(number, one, plans.get(number, ()), columns, top) for number, one in enumerate(arms, 1)],
        logins=_logins(events),
        columns=columns,
        wanted=_share(1 / confidence, top),
        bound=f"1 in {1 / confidence:,.0f}",
        claim=_claim(facts.data),
        sham=named(str(subject.get("sham", "")), names),
        differs=str(subject.get("differs", "")),
        other=other_words(tally),
    )


def _told(events: Sequence[Event]) -> Mapping[str, Any]:
    for event in events:
        if event.kind is Kind.PHASE and event.data.get("name") == "attempt" and event.data.get("on") == "begin":
            return mapping(event.data, "experiment")
    return {}


def _plans(events: Sequence[Event]) -> dict[int, list[Event]]:
    """Return the events of each arm, by its number."""
    found: dict[int, list[Event]] = {}
    now: list[Event] | None = None
    for event in events:
        if event.kind is Kind.PHASE and event.data.get("name") == "plan":
            now = None
            if event.data.get("on") == "begin" and event.data.get("plan") == "arm":
                now = found.setdefault(int(event.data.get("arm", len(found) + 1)), [])
        elif now is not None:
            now.append(event)
    return found


def _arm(number: int, told: Mapping[str, Any], events: Sequence[Event], columns: int, top: float) -> ArmRow:
    place, meaning = int(told.get("place", 0)), str(told.get("meaning", ""))
    delay, wealth = float(told.get("delay", 0.0)), float(told.get("wealth", 1.0))
    words = _MEANINGS.get(meaning, meaning)
    if meaning == "hit" and delay:
        words += f", {span(delay)} after it was sent"
    closed = next((event.seq for event in events if event.data.get("kind") == "closed"), -1)
    acted = next((event.seq for event in events if event.data.get("name") == "action"), -1)
    places = _places(place, events, columns)
    shown = f"{wealth:,.0f}" if wealth >= 10 else f"{wealth:.2g}"
    return ArmRow(number, places, meaning, words, shown, _share(wealth, top), closed if closed >= 0 else acted)


def _places(place: int, events: Sequence[Event], columns: int) -> list[DrawnPlace]:
    steps = _steps(events)
    found: list[DrawnPlace] = []
    for number in range(1, place + 1):
        what = "action" if number == place else "sham"
        state = steps[number - 1] if number <= len(steps) else "never"
        name = "the action" if what == "action" else "an allowed action"
        found.append(
            DrawnPlace(what, state, 100 * (number - 0.5) / columns, f"place {number}: {name}, {_STATES[state]}")
        )
    return found


_STATES: Final = {
    "answered": "answered",
    "closed": "hung up on here",
    "silent": "no answer",
    "never": "never sent",
}


def _steps(events: Sequence[Event]) -> list[str]:
    """Return the results of the shams and of the action, in order."""
    found: list[str] = []
    for event in events:
        name, on = event.data.get("name"), event.data.get("on")
        if event.kind is Kind.PHASE and name in ("sham", "action") and on == "begin":
            found.append("silent")
        elif event.kind is Kind.PHASE and name in ("sham", "action") and event.data.get("sent") is False:
            found[-1:] = ["never"]
        elif event.kind is Kind.MQTT and found and found[-1] == "silent":
            kind = event.data.get("kind")
            found[-1] = "closed" if kind == "closed" else "answered" if kind in ("puback", "suback") else "silent"
    return found


def _logins(events: Sequence[Event]) -> list[DrawnLogin]:
    ends = [
        event
        for event in events
        if event.kind is Kind.PHASE
        and event.data.get("on") == "end"
        and event.data.get("name") in ("action", "right")
        and "saw" in event.data
    ]
    return [
        DrawnLogin(
            right=event.data["name"] == "right",
            refused=event.data.get("saw") in ("refused", "closed"),
            left=100 * (number + 0.5) / len(ends),
            title=str(event.data.get("said") or event.data.get("detail") or event.data.get("saw", "")),
            seq=event.seq,
        )
        for number, event in enumerate(ends)
    ]


def _claim(data: Mapping[str, Any]) -> str:
    one_in, suspect = data.get("one_in"), data.get("suspect")
    if suspect:
        return f"nothing is proved; suspected: {suspect}"
    if one_in:
        return f"chance of a coincidence below 1 in {int(one_in):,}"
    return str(data.get("outcome", ""))


def _share(wealth: float, top: float) -> float:
    """Return the place of evidence on a scale of powers of ten: 0 per cent for 1 and less, 100 for ``top``."""
    if wealth <= 1 or top <= 1:
        return 0.0
    return 100 * min(1.0, math.log(wealth) / math.log(top))
