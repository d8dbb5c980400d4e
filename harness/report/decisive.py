"""The trial that made a test fail, read from the test's events: what its journal entry and its page begin with."""

from collections.abc import Sequence
from typing import Any

from harness.timeline import Event, Kind


def decisive_facts(events: Sequence[Event]) -> Event | None:
    """Return the FACTS event of the first trial that was not what was expected, or else of the last one."""
    last: Event | None = None
    for event in events:
        if event.kind is Kind.FACTS:
            last = event
        elif event.kind is Kind.EXPECT and last is not None and event.data.get("got") not in _wanted(event):
            return last
    return last


def decisive_of(events: Sequence[Event]) -> dict[str, Any]:
    """Return ``action``, ``policy``, ``wanted`` and ``got`` of the trial that made the test fail; {}: no trial did."""
    last: Event | None = None
    for event in events:
        if event.kind is Kind.FACTS:
            last = event
        elif event.kind is Kind.EXPECT and last is not None and event.data.get("got") not in _wanted(event):
            facts = last.data.get("facts", {})
            found = {"action": facts.get("action", ""), "policy": facts.get("policy", "")}
            return found | {"wanted": _wanted(event), "got": event.data.get("got", "")}
    return {}


def _wanted(event: Event) -> list[str]:
    return [str(outcome) for outcome in event.data.get("wanted", ())]
