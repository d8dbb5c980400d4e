"""Shams: allowed actions as like the one in question as the policies let them be. No I/O.

An experiment proves "because of this action", and the action differs from a sham in more than its permission. So a sham
copies what it can: SUBSCRIBE for SUBSCRIBE, QoS, length and levels of the topic, size of the payload, the retain flag.
What is left is said in the evidence.

A sham that subscribes must bring no messages: with sixteen boards in a team, a filter such as ``prod/<tenant>/m/#``
fills a UART of 115200 baud, and the answers that the experiment waits for come behind the messages. So a filter that
nobody publishes to comes first, also where it is a level longer than the action's.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from harness.trial.actions import PacketAction, PublishAction, ServiceRequest, SubscribeAction
from harness.trial.filters import overlap

FILL: Final = "%FILL%"
"""Stands in a template for any level or levels of a topic."""

_PUBLISHED: Final = "harness-sham-"
_SUBSCRIBED: Final = "quiet-harness-sham-"
"""What fills a template. The first letters differ, so that no sham's filter takes a sham's message, however short."""


class Sham(NamedTuple):
    """``differs``: in what it differs from the action, in words. ``template``: what its topic was made of."""

    action: PacketAction
    differs: str
    template: str


class AllowedTopics(NamedTuple):
    """Templates of topics and of filters that may be allowed, the preferred first; ``allows(right, topic)``: are they?

    ``%FILL%`` in a template takes any length. A topic without it begins with ``$``: a shadow's, whose payload is
    an update of the reported state. ``loud``: filters that other traffic goes to, used if no other one is allowed.
    """

    topics: Sequence[str]
    filters: Sequence[str]
    allows: Callable[[str, str], bool]
    loud: Sequence[str] = ()


def shams_for(action: PacketAction, known: AllowedTopics) -> list[Sham]:
    """Return the shams for ``action`` that the documents allow, the most alike first; [] for other kinds of actions."""
    if isinstance(action, SubscribeAction):
        asked = action.topic_filter

        def fits(topic: str) -> bool:
            # What arrives by a sham's subscription proves nothing of the action's.
            return not overlap(asked, topic) and known.allows("iot:Subscribe", topic)

        filters = [
            one for templates in (known.filters, known.loud) for one in _alike(asked, templates, fits, _SUBSCRIBED)
        ]
        return [
            Sham(
                SubscribeAction(topic, None),
                ", ".join(_differences(action.topic_filter, topic)),
                f"subscribe {template}",
            )
            for template, topic in filters
        ]
    if not isinstance(action, PublishAction | ServiceRequest):
        return []
    topics = _alike(action.topic, known.topics, lambda topic: known.allows("iot:Publish", topic), _PUBLISHED)
    return [_publish(action, topic, template, known) for template, topic in topics]


def _publish(action: PublishAction | ServiceRequest, topic: str, template: str, known: AllowedTopics) -> Sham:
    asked = action if isinstance(action, PublishAction) else PublishAction(action.topic, None, action.service.payload)
    retain = asked.retain and known.allows("iot:RetainPublish", topic)
    payload = _payload(topic, len(asked.payload))
    differences = _differences(asked.topic, topic)
    if len(payload) != len(asked.payload):
        differences.append(f"size ({len(asked.payload)} and {len(payload)} bytes)")
    if retain != asked.retain:
        differences.append("retain flag")
    sham = PublishAction(topic, None, payload, asked.qos, retain)
    return Sham(sham, ", ".join(differences), f"publish {template} {retain}")


def _alike(topic: str, templates: Iterable[str], allowed: Callable[[str], bool], filler: str) -> list[tuple[str, str]]:
    """Return templates with the topics made of them that are allowed, the most alike first."""
    made = [(template, _filled(template, topic, filler)) for template in templates]
    return sorted((one for one in made if allowed(one[1])), key=lambda one: _distance(topic, one[1]))


def _filled(template: str, like: str, filler: str) -> str:
    """Fill a template up to the length of ``like``, and to its number of levels where there is room."""
    before, fill, after = template.partition(FILL)
    if not fill:
        return template
    room = max(1, len(like) - len(before) - len(after))
    levels = max(1, like.count("/") - before.count("/") - after.count("/") + 1)
    text = (filler * (room // len(filler) + 1))[:room]
    while levels > 1 and 2 * levels - 1 <= len(text):
        levels -= 1
        position = 2 * levels - 1
        text = text[:position] + "/" + text[position + 1 :]
    return before + text + after


def _distance(topic: str, other: str) -> tuple[int, int, int]:
    """Return how unlike two topics are: their first level, their wildcards, then length and levels."""
    first = topic.split("/")[0] != other.split("/")[0]
    wildcard = _has_wildcard(topic) != _has_wildcard(other)
    return wildcard, first, abs(len(topic) - len(other)) + 4 * abs(topic.count("/") - other.count("/"))


def _differences(topic: str, other: str) -> list[str]:
    found = ["topic"]
    if topic.startswith("$") != other.startswith("$"):
        found.append("$ prefix")
    if len(topic) != len(other):
        found.append(f"length of the topic ({len(topic)} and {len(other)})")
    if topic.count("/") != other.count("/"):
        found.append(f"levels of the topic ({topic.count('/') + 1} and {other.count('/') + 1})")
    if _has_wildcard(topic) != _has_wildcard(other):
        found.append("wildcard")
    return found


def _has_wildcard(topic: str) -> bool:
    return bool(set("#+") & set(topic))


def _payload(topic: str, size: int) -> bytes:
    """Return a payload of ``size`` bytes, or the shortest that the service behind the topic takes."""
    if topic.startswith("$"):
        head, tail = b'{"state":{"reported":{"harness":{"sham":"', b'"}}}}'
    else:
        head, tail = b'{"appId":"HARNESS","messageType":"DATA","data":"', b'"}'
    return head + b"x" * max(0, size - len(head) - len(tail)) + tail
