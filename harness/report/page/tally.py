"""The results of an experiment in words, for its drawing and for the comparison with another run."""

from collections.abc import Mapping
from typing import Any


def tally_words(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the results of an experiment's arms and logins, in words by name. ``data``: of its facts."""
    tally = mapping(data, "tally")
    found = tally.get("arms")
    arms = len(found) if isinstance(found, list) else 0
    one_in = data.get("one_in")
    told = {
        "hung up exactly at the action": f"{tally.get('hits', 0)} of {arms} arms" if arms else "",
        "answered, and stayed": f"{tally.get('stays', 0)} of {arms} arms" if arms else "",
        "gone before the action": f"{tally['lost']} of {arms} arms" if tally.get("lost") else "",
        "what was tried was refused": f"{tally.get('wrong_refused', 0)} times" if tally.get("attempts") else "",
        "the right one was refused": f"{tally.get('right_refused', 0)} times" if tally.get("attempts") else "",
        "messages that never came": f"in {tally['rounds']} rounds" if tally.get("rounds") else "",
        "proved": f"coincidence below 1 in {one_in:,}" if one_in and isinstance(one_in, int | float) else "",
    }
    return {name: words for name, words in told.items() if words}


def other_words(tally: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the rest of a tally, as words and numbers, without those that are 0."""
    told = (
        ("rounds", "rounds of twelve messages"),
        ("shams_answered", "allowed actions answered"),
        ("unreached", "× the message reached nobody"),
        ("delivered", "× the message arrived all the same"),
        ("voided", "× a connection was worth nothing"),
        ("waits", "× the answer was 'try later'"),
        ("connections", "connections in all"),
    )
    return [(words, f"{tally[name]:,}") for name, words in told if isinstance(tally.get(name), int) and tally[name]]


def mapping(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the mapping in ``data`` under ``name``, or an empty one if there is no mapping."""
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}
