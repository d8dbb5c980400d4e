"""Lint of resources that no request matches, and of resources that do not go with the statement's actions.

MQTT wildcards in Deny from "AWS IoT Device Defender, Audit checks: AWS IoT policy potentially misconfigured".
"""

import re
from collections.abc import Iterator, Sequence

from harness.policy.documents.arn import resource_part, resource_start
from harness.policy.documents.json_paths import Note, placed_actions, placed_resources
from harness.policy.documents.pattern import Pattern, Token, Variable, Wild, tokenise
from harness.policy.documents.statement import Effect, Statement
from harness.policy.evaluation.mqtt_rules import possible_client_id, possible_filter, possible_topic
from harness.policy.lint.actions import RESOURCE_TYPES, is_greengrass, named_by, types_of
from harness.policy.lint.conditions import about_variables

_POSSIBLE = {
    "topic": (possible_topic, "message on this topic"),
    "topicfilter": (possible_filter, "subscription to this filter"),
    "client": (possible_client_id, "connection with this client id"),
}


def about_resources(statement: Statement, taken: frozenset[str]) -> Iterator[Note]:
    """Yield warnings on resources without effect and actions without resource. ``taken``: the statement's actions."""
    if not statement.not_action and not statement.not_resource:
        yield from _about_actions_without_resource(statement, taken)
    nothing = "this excludes nothing" if statement.not_resource else "nothing matches"
    for path, resource in placed_resources(statement):
        if resource == "*":
            continue
        if not resource_start(resource):
            yield path, f"{resource} has fewer than five colons, so its * stands for whole parts; write the whole ARN"
            continue
        for text in about_variables(resource, statement, taken, nothing):
            yield path, text
        why = _without_effect(resource, statement, taken)
        if why:
            yield path, why


def types_met(resource: str, *, variables: bool) -> frozenset[str]:
    """Return the types of resources that may match."""
    if not resource_start(resource):
        return frozenset(RESOURCE_TYPES)
    tokens = tokenise(resource_part(resource), variables=variables)
    return frozenset(kind for kind in RESOURCE_TYPES if _may_begin(tokens, f"{kind}/"))


def _may_begin(tokens: Sequence[Token], start: str) -> bool:
    """Tell whether a text that begins with ``start`` may match."""
    for token in tokens:
        if token is Wild.ANY or isinstance(token, Variable):
            return True
        literal = start[:1] if token is Wild.ONE else str(token)
        if not literal.startswith(start[: len(literal)]):
            return False
        start = start[len(literal) :]
    return not start


def _about_actions_without_resource(statement: Statement, taken: frozenset[str]) -> Iterator[Note]:
    met = frozenset[str]().union(*(types_met(one, variables=statement.variables) for one in statement.resources))
    if not types_of(taken) & met:
        return  # each resource is reported
    for path, action in placed_actions(statement):
        types = types_of(named_by(action))
        # An action with a wildcard may stand for more than the resources are for; that is not a mistake.
        if types and not types & met and not re.search(r"[*?]", action):
            yield path, f"{action} meets none of the resources; it takes {_listed(types)}"


def _without_effect(resource: str, statement: Statement, taken: frozenset[str]) -> str | None:
    if any(map(is_greengrass, statement.actions)):
        return None
    part = resource_part(resource)
    kind, slash, name = part.partition("/")
    nothing = "excludes nothing" if statement.not_resource else "matches nothing"
    met, types = types_met(resource, variables=statement.variables), types_of(taken, mqtt_only=statement.not_action)
    why = _wrong_start(resource)
    if why:
        return f"{resource} {nothing}: {why}"
    if not met and slash and not re.search(r"[*?]|\$\{", kind):
        return f"{kind}/ is not a type of resource that a device meets; known are {', '.join(RESOURCE_TYPES)}"
    if not met:
        return f"{part} {nothing}: write a resource as TYPE/NAME; types are {', '.join(RESOURCE_TYPES)}"
    if types and not met & types:
        return _never_met(f"{kind}/" if kind in met else part, statement, types)
    if kind not in _POSSIBLE or not slash:
        return None
    return _about_name(kind, name, statement, nothing)


def _wrong_start(resource: str) -> str | None:
    """Return what is wrong up to the fifth colon, or None."""
    service, region, account = resource[: resource_start(resource) - 1].split(":")[2:]
    if not Pattern(tokenise(service, variables=False)).matches("iot"):
        return f"its service is {service}; write iot" if service else "it names no service; write iot"
    if not region or not account:
        return f"it names no {'account' if region else 'region'}; write it or *"
    if not re.search(r"[*?]|\$\{", account) and not re.fullmatch(r"[0-9]{12}", account):
        return f"its account {account} has not 12 digits; write them or *"
    return None


def _never_met(what: str, statement: Statement, types: frozenset[str]) -> str:
    names = ", ".join(statement.actions)
    if statement.not_action:
        return f"the MQTT actions other than {names} never meet {what}; they take {_listed(types)}"
    return f"{names} never meets {what}; it takes {_listed(types)}"


def _about_name(kind: str, name: str, statement: Statement, nothing: str) -> str | None:
    """Yield warnings on what follows ``topic/``, ``topicfilter/`` or ``client/``."""
    tokens = tokenise(name, variables=statement.variables)
    mqtt_wildcard = any(re.search(r"[+#]", token) for token in tokens if isinstance(token, str))
    if kind == "topic" and mqtt_wildcard:
        return f"no message has + or # in its topic, so topic/{name} {nothing}"
    exact = Pattern(tokens).exact
    possible, what = _POSSIBLE[kind]
    # A variable in a document without variables has a warning of its own.
    if exact is not None and "${" not in exact and not possible(exact):
        return f"AWS IoT takes no {what}, so {kind}/{name} {nothing}"
    if kind == "topicfilter" and mqtt_wildcard:
        return _about_mqtt_wildcard(f"{kind}/{name}", statement)
    return None


def _about_mqtt_wildcard(part: str, statement: Statement) -> str | None:
    no_wildcards = "+ and # are not wildcards here"
    match statement.effect, statement.not_resource:
        case Effect.DENY, False:
            return f"Deny on {part} refuses only this text: {no_wildcards}; deny iot:Receive instead"
        case Effect.DENY, True:
            return f"Deny spares only the text {part}: {no_wildcards}; * is one"
        case Effect.ALLOW, True:
            return f"Allow leaves out only the text {part}: {no_wildcards}; deny iot:Receive instead"
    return None


def _listed(types: frozenset[str]) -> str:
    return " or ".join(f"{name}/" for name in sorted(types))
