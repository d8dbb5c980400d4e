"""The sentences that prove a verdict, numbered, and the events that each rests on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.timeline import Event, Kind

DRAWN = frozenset(Kind) - {Kind.TEST, Kind.PHASE, Kind.FACTS, Kind.EXPECT, Kind.END}
"""Kinds of events that have a mark of their own on the axis."""


@dataclass(frozen=True, slots=True)
class ShownSentence:
    """``number``: from 1. ``how``: events, documents or absence. ``refs``: the numbers of the events."""

    number: int
    text: str
    how: str
    refs: tuple[int, ...]


def sentences(facts: Event | None, events: Sequence[Event], message: str) -> list[ShownSentence]:
    """Return the evidence of a test. ``facts``: of its trial; None: it had none, so the error itself is the evidence.

    ``events``: of the test. ``message``: of its failure.
    """
    known = {event.seq: event for event in events}
    if facts is None:
        return [ShownSentence(1, message.partition("\n")[0], "events", _wrong(events))] if message else []
    found: list[ShownSentence] = []
    for number, one in enumerate(_sentences(facts.data), 1):
        refs = [ref for ref in one.get("refs", ()) if ref in known]
        own = [ref for ref in refs if known[ref].kind in DRAWN]
        # What only the harness can know (that nothing was heard) is in the event that ends a phase. It is shown there
        # unless another event shows it.
        found.append(ShownSentence(number, str(one.get("text", "")), str(one.get("how", "events")), tuple(own or refs)))
    return found


def pins(evidence: Sequence[ShownSentence]) -> dict[int, list[int]]:
    """Return the numbers of the sentences that each event proves."""
    found: dict[int, list[int]] = defaultdict(list)
    for sentence in evidence:
        for ref in sentence.refs:
            found[ref].append(sentence.number)
    return dict(found)


def _sentences(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in data.get("sentences", ()) if isinstance(one, Mapping)]


def _wrong(events: Sequence[Event]) -> tuple[int, ...]:
    """Return the event that shows the error: trouble in the lab, or the last command that was refused."""
    faults = [event.seq for event in events if event.kind is Kind.FAULT]
    refused = [event.seq for event in events if event.kind is Kind.RESULT and event.data.get("ok") is False]
    return tuple(faults[:1] or refused[-1:])
