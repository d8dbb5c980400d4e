"""Lint of actions, and the list of known actions.

From "AWS IoT Core Developer Guide, AWS IoT Core policy actions" and "Action resources"; jobs also by the names of "AWS
IoT jobs data plane", which replace the older ones. Of AWS IoT Greengrass's actions only that of client devices is known
here. The others are not judged, and neither are the resources beside them.
"""

from collections.abc import Iterator
from functools import lru_cache

from harness.policy.documents.json_paths import Note, placed_actions
from harness.policy.documents.pattern import Pattern, tokenise
from harness.policy.documents.statement import Effect, Statement
from harness.policy.lint.containment import Encoder, Index

_MQTT = {
    "iot:Connect": "client",
    "iot:Publish": "topic",
    "iot:RetainPublish": "topic",
    "iot:Receive": "topic",
    "iot:Subscribe": "topicfilter",
}
_JOBS = ("DescribeJobExecution", "GetPendingJobExecutions", "StartNextPendingJobExecution", "UpdateJobExecution")
# Permissions of HTTPS requests. Over MQTT devices do the same by topics, and need the permission for the topic.
_HTTPS_BESIDES_MQTT = {
    "iot:GetThingShadow": "thing",
    "iot:UpdateThingShadow": "thing",
    "iot:DeleteThingShadow": "thing",
    "iot:ListNamedShadowsForThing": "thing",
    **{f"{service}:{name}": "thing" for service in ("iot", "iotjobsdata") for name in _JOBS},
    "iot:GetRetainedMessage": "topic",
    "iot:ListRetainedMessages": "topic",
}
_HTTPS = {
    "iot:AssumeRoleWithCertificate": "rolealias",
    "iot:DeleteConnection": "client",
    "iot:SendDirectMessage": "client",
    "greengrass:Discover": "thing",
}
# Known actions, and the type of the resource that each is about.
TYPES = _MQTT | _HTTPS_BESIDES_MQTT | _HTTPS
RESOURCE_TYPES = tuple(sorted({*TYPES.values()}))


def taken_by(statement: Statement) -> frozenset[str]:
    """Return the known actions that a statement is about."""
    named = frozenset[str]().union(*map(named_by, statement.actions))
    return frozenset(TYPES) - named if statement.not_action else named


@lru_cache(maxsize=1024)
def named_by(action: str) -> frozenset[str]:
    """Return the known actions that an action of a document stands for; it may have wildcards."""
    pattern = Pattern(tokenise(action.lower(), variables=False))
    return frozenset(name for name in TYPES if pattern.matches(name.lower()))


def types_of(actions: frozenset[str], *, mqtt_only: bool = False) -> frozenset[str]:
    """Return the types of the resources that known actions are about."""
    return frozenset(TYPES[name] for name in actions if name in _MQTT or not mqtt_only)


def is_greengrass(action: str) -> bool:
    """Tell whether an action belongs to AWS IoT Greengrass."""
    return action.lower().startswith("greengrass:")


def about_actions(statement: Statement) -> Iterator[Note]:
    """Yield actions that no request asks for, that do nothing over MQTT, or that lie inside another action."""
    for path, action in placed_actions(statement):
        named = named_by(action)
        if not named and not is_greengrass(action):
            yield path, f"{action} is not an action that a device asks for; correct or remove it"
        elif not statement.not_action and named & _HTTPS_BESIDES_MQTT.keys() and not named & _MQTT.keys():
            https = _over_https(statement)
            yield path, f"{action} is asked for by HTTPS requests alone: over MQTT it has no effect{https}"
    yield from _about_repetition(statement)


def _over_https(statement: Statement) -> str:
    names_client = statement.variables and all("${iot:ClientId}" in text for text in statement.resources)
    if not names_client or statement.not_resource:
        return ""
    verb = "grants" if statement.effect is Effect.ALLOW else "refuses"
    return f"; over HTTPS iot:ClientId has no value, so it {verb} nothing there either"


def _about_repetition(statement: Statement) -> Iterator[Note]:
    encoder = Encoder()
    placed = list(placed_actions(statement))
    texts = [encoder.encode(tokenise(action.lower(), variables=False)) for _, action in placed]
    index = Index((text, number) for number, text in enumerate(texts))
    for number, (path, action) in enumerate(placed):
        for wider in index.covering(texts[number]):
            # Of two that mean the same, only the later one is redundant.
            if wider != number and (texts[wider] != texts[number] or wider < number):
                yield path, f"redundant: {action} lies inside {placed[wider][1]}"
                break
