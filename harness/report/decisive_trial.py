"""The trial that made a test fail, read from the test's events: what its journal entry and its page begin with."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.timeline import Event, Kind


def decisive_facts(events: Sequence[Event]) -> Event | None:
    """Return the FACTS event of the first trial that was not what was expected, or else of the last one."""
    return _decisive(events)[0]


def decisive_of(events: Sequence[Event]) -> dict[str, Any]:
    """Return ``action``, ``policy``, ``wanted`` and ``got`` of the trial that made the test fail; {}: no trial did.

    Of one that could not be proved also the ``reason``, without names and figures where the trial suspects something.
    """
    facts, expect = _decisive(events)
    if facts is None or expect is None:
        return {}
    found = facts.data.get("facts", {})
    told = {"action": found.get("action", ""), "policy": found.get("policy", "")}
    told |= {"wanted": _wanted(expect), "got": expect.data.get("got", "")}
    reason = _reason(facts.data) if facts.data.get("outcome") == "inconclusive" else ""
    return told | ({"reason": reason} if reason else {})


def _reason(data: Mapping[str, Any]) -> str:
    if data.get("suspect"):
        return f"suspected: {data['suspect']}"
    sentences = [one for one in data.get("sentences", ()) if isinstance(one, Mapping) and one.get("code") != "policy"]
    return str(sentences[0].get("text", "")) if sentences else ""


def _decisive(events: Sequence[Event]) -> tuple[Event | None, Event | None]:
    """Return the facts that decided, and the expectation that they did not meet; None where all were met."""
    facts: Event | None = None
    for event in events:
        if event.kind is Kind.FACTS:
            facts = event
        elif event.kind is Kind.EXPECT and facts is not None and event.data.get("got") not in _wanted(event):
            return facts, event
    return facts, None


def _wanted(event: Event) -> list[str]:
    return [str(outcome) for outcome in event.data.get("wanted", ())]
