"""Topics, topic filters and client ids worth trying for a resource: inside it, and just outside it.

The tails of known topics are from nRF Cloud's "MQTT topics" documentation and "AWS IoT Core Developer Guide, Reserved
topics". They come first, because somebody answers there.
"""

from collections.abc import Iterator
from typing import NamedTuple

from harness.policy.derivation.shape import Shape
from harness.policy.evaluation.membership import DEVICE, OTHER_DEVICE, OTHER_TENANT, TENANT

# By the end of the text before the wildcard: what devices publish below it, and what they subscribe to. The first
# entry that fits counts.
_KNOWN_TAILS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("/shadow/get/", ("tf", "trim"), ("accepted", "rejected")),
    ("/shadow/update/", (), ("delta", "accepted")),
    ("/jobs/ble/", ("req",), ("rcv",)),
    ("/m/", (f"d/{DEVICE}/d2c", f"d/{OTHER_DEVICE}/d2c"), (f"d/{DEVICE}/c2d", f"d/{OTHER_DEVICE}/c2d")),
)
_AWS_JOBS = (("get", "$next/get"), ("notify-next", "get/accepted"))
_TEAM_JOBS = (("req", "update"), ("rcv",))

_WILDCARDS = ("#", "+")
_SIBLINGS = {"get": "delete", "update": "delete", "prod": "beta"}


class Text(NamedTuple):
    """A text to try, as a template. ``words``: how it differs from its resource."""

    template: str
    words: str


def inside(shape: Shape, *, subscribing: bool) -> Iterator[Text]:
    """Yield texts that the resource matches, the most useful first."""
    head = shape.head
    if not shape.open:
        yield Text(head, "exactly this")
        return
    for tail in _known_tails(head, subscribing):
        yield Text(head + tail, "a topic below it that is in use")
    if not head.startswith("$"):
        yield Text(f"{head}test", "one level below it")
        yield Text(f"{head}test/x", "two levels below it")
        yield Text(head, "an empty level below it")
    if subscribing:
        yield from (Text(head + wildcard, f"{wildcard} below it") for wildcard in _WILDCARDS)
        if not head.startswith("$"):
            yield from (Text(f"{head}test/{wildcard}", f"{wildcard} two levels below it") for wildcard in _WILDCARDS)


def outside(shape: Shape, *, subscribing: bool) -> Iterator[Text]:
    """Yield texts that differ from the resource's by one change. Another resource may match them."""
    head = shape.head
    if not head:
        return
    fixed = head.removesuffix("/") if shape.open else head
    tail = _usual_tail(shape, subscribing)
    yield from _higher(fixed, subscribing)
    if shape.open:
        yield Text(fixed, "without the level of its wildcard")
        yield Text(f"{fixed}x{tail or 'x'}", "its last fixed level with a letter more")
    else:
        yield Text(f"{fixed}/test", "a level more")
        yield Text(f"{fixed}x", "a letter more")
        yield Text(fixed[:-1], "a letter less")
    yield from _other_levels(fixed.split("/"), tail, subscribing)
    if "/shadow/" in head:
        yield Text(head.replace("/shadow/", "/shadow/name/test/", 1) + tail.lstrip("/"), "a named shadow")
    if subscribing:
        yield from (Text(wildcard, f"{wildcard} alone") for wildcard in _WILDCARDS)


def identities(shape: Shape) -> Iterator[Text]:
    """Client ids other than the device's own."""
    own = shape.head if not shape.open else shape.head + "test"
    yield Text(OTHER_DEVICE, "another device's id as client id")
    yield Text(f"{DEVICE}x", "the own id with a letter more as client id")
    if own not in (DEVICE, OTHER_DEVICE):
        yield Text(own, "a client id that it names")


def strangers(text: str) -> Iterator[Text]:
    """The same text for another device or team."""
    for own, other, whose in ((DEVICE, OTHER_DEVICE, "another device's"), (TENANT, OTHER_TENANT, "another team's")):
        if own in text:
            yield Text(text.replace(own, other), whose)


def _known_tails(head: str, subscribing: bool) -> tuple[str, ...]:
    if head.endswith("/jobs/"):
        return (_AWS_JOBS if head.startswith("$aws/") else _TEAM_JOBS)[subscribing]
    for end, publishing, subscribed in _KNOWN_TAILS:
        if head.endswith(end):
            return subscribed if subscribing else publishing
    return ()


def _usual_tail(shape: Shape, subscribing: bool) -> str:
    """Return a tail that is in use, so that a refusal can only come from the fixed levels."""
    if not shape.open:
        return ""
    slash = "/" * shape.head.endswith("/")
    if subscribing:
        return f"{slash}#" if slash else "test"
    known = _known_tails(shape.head, subscribing)
    return slash + (known[0] if known else "test")


def _higher(fixed: str, subscribing: bool) -> Iterator[Text]:
    parent, slash, _ = fixed.rpartition("/")
    if not slash:
        return
    yield Text(f"{parent}/test", "beside its last fixed level")
    if subscribing:
        yield from (Text(f"{parent}/{wildcard}", f"{wildcard} one level further up") for wildcard in _WILDCARDS)


def _other_levels(levels: list[str], tail: str, subscribing: bool) -> Iterator[Text]:
    def changed(place: int, level: str) -> str:
        return "/".join([*levels[:place], level, *levels[place + 1 :]]) + tail

    for place, level in enumerate(levels):
        for text, words in strangers(level):
            yield Text(changed(place, text), f"{words} id in level {place + 1}")
        if level in (DEVICE, TENANT):
            yield Text(changed(place, ""), f"no id in level {place + 1}")
            yield Text(changed(place, f"{level}x"), f"the own id with a letter more in level {place + 1}")
        else:
            other = _SIBLINGS.get(level, "other")
            yield Text(changed(place, other), f"{other} in place of {level} in level {place + 1}")
            if level.swapcase() != level:
                yield Text(
                    changed(place, level[:1].swapcase() + level[1:]), f"{level} with its first letter's case changed"
                )
        if subscribing:
            yield Text(changed(place, "+"), f"+ in level {place + 1}")
    if subscribing and tail == "/#":
        sibling = _SIBLINGS.get(levels[-1])
        if sibling:
            yield Text("/".join([*levels[:-1], sibling, "accepted"]), f"{sibling} in place of {levels[-1]}")
