"""Lint of a Deny on topic filters that a wider filter gets round.

From "AWS IoT Device Defender, Audit checks: AWS IoT policy potentially misconfigured" (topic filters intended to deny
allowed using wildcards).
"""

from collections.abc import Iterator

from harness.policy.documents.arn import resource_part
from harness.policy.documents.json_paths import Note
from harness.policy.documents.statement import Effect
from harness.policy.lint.containment import ANY, ONE, Encoder, Index
from harness.policy.lint.overlap import Entry

_SUBSCRIBE, _RECEIVE = "iot:Subscribe", "iot:Receive"
_TYPE = "topicfilter/"
_MOST_LEVELS = 8  # AWS IoT takes no filter with more


def about_wider_filters(entries: list[Entry], encoder: Encoder) -> Iterator[tuple[int, Note]]:
    """Yield warnings on filters of a Deny whose messages still arrive by an allowed filter with + or #.

    Each warning comes with the number of its statement.
    """
    allowed = _index(entries, Effect.ALLOW, _SUBSCRIBE)
    denied = _index(entries, Effect.DENY, _SUBSCRIBE)
    silenced = _index(entries, Effect.DENY, _RECEIVE)
    for entry in entries:
        if (
            entry.statement.effect is Effect.ALLOW
            or _SUBSCRIBE not in entry.actions
            or not entry.part.startswith(_TYPE)
        ):
            continue
        name = entry.part.removeprefix(_TYPE)
        # Filters with + or # have a warning of their own. A Deny of iot:Receive leaves nothing to get round.
        if "+" in name or "#" in name or any(silenced.covering(f"topic/{name}")):
            continue
        for wider in _wider(name):
            way = next(allowed.covering(_TYPE + wider), None)
            if way and not any(denied.covering(_TYPE + wider)):
                what = f"Deny on {resource_part(entry.resource)} does not refuse {encoder.readable(wider)}"
                why = f"which statement {way.statement.number} allows and which has the same messages"
                cure = f"deny iot:Receive on topic/{encoder.readable(name)} too"
                yield entry.statement.number, (entry.path, f"{what}, {why}; {cure}")
                break


def _index(entries: list[Entry], effect: Effect, action: str) -> Index[Entry]:
    """Index resources without region and account, because Allow and Deny seldom write these alike."""
    return Index(
        (entry.part, entry)
        for entry in entries
        if entry.statement.effect is effect and action in entry.actions and entry.clear
    )


def _wider(name: str) -> Iterator[str]:
    """Yield filters that get the messages of this one too: with # some levels further up, with + in one level."""
    levels = ["+" if ANY in level or ONE in level else level for level in name.split("/")]
    if len(levels) > _MOST_LEVELS:
        return
    if name.endswith(ANY):
        levels[-1] = "#"
    # A wildcard in the first level does not stand for reserved topics.
    first = 1 if name.startswith("$") else 0
    for place in reversed(range(first, len(levels))):
        yield "/".join([*levels[:place], "#"])
    for place in range(first, len(levels)):
        yield "/".join([*levels[:place], "+", *levels[place + 1 :]])
