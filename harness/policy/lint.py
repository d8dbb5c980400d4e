"""What is suspicious in a policy document that is correct as such: parts without effect, or with more than meant.

Actions with their resource types from "AWS IoT Core Developer Guide, Action resources" and "AWS IoT Core policy
actions"; names of variables from its pages on basic, thing and X.509 certificate policy variables; MQTT wildcards in
Deny from "AWS IoT Device Defender, Audit checks: AWS IoT policy potentially misconfigured".
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from harness.policy.arn import resource_part, resource_start
from harness.policy.contain import covers
from harness.policy.document import PolicyDocument
from harness.policy.mqtt_rules import possible_topic
from harness.policy.pattern import Variable, tokenise
from harness.policy.statement import Effect, Statement

_MQTT = {
    "iot:Connect": "client",
    "iot:Publish": "topic",
    "iot:RetainPublish": "topic",
    "iot:Receive": "topic",
    "iot:Subscribe": "topicfilter",
}
_HTTPS = {
    "iot:GetThingShadow": "thing",
    "iot:UpdateThingShadow": "thing",
    "iot:DeleteThingShadow": "thing",
    "iot:ListNamedShadowsForThing": "thing",
    "iot:DescribeJobExecution": "thing",
    "iot:GetPendingJobExecutions": "thing",
    "iot:StartNextPendingJobExecution": "thing",
    "iot:UpdateJobExecution": "thing",
    "iot:GetRetainedMessage": "topic",
    "iot:ListRetainedMessages": "topic",
}
_TYPES = _MQTT | _HTTPS
_RESOURCE_TYPES = {*_TYPES.values()}

_DISTINGUISHED = (
    "DistinguishedNameQualifier|Country|Organization|OrganizationalUnit|State|CommonName|SerialNumber|Title|Surname|GivenName"
    "|Initials|Pseudonym|GenerationQualifier"
)
_ALTERNATIVE = "RFC822Name|DNSName|DirectoryName|UniformResourceIdentifier|IPAddress"
_KEY = re.compile(
    r"aws:\w+|iot:(ClientId|DomainName|CertificateId|ConnectAttributes|LastWillTopic"
    r"|Connection\.Thing\.(ThingName|ThingTypeName|IsAttached|Attributes\[[^\]]+\])"
    rf"|Certificate\.((Subject|Issuer)\.({_DISTINGUISHED}|AlternativeName\.({_ALTERNATIVE}))|SerialNumber|AvailableKeys)"
    r"(\.\d+|\.List)?)",
    re.IGNORECASE,
)
_ATTACHED = "iot:connection.thing.isattached"


class Finding(NamedTuple):
    """One suspicious place. ``path``: where in the document; a list with one entry is named without index."""

    document: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}: {self.path}: {self.text}"


def lint(document: PolicyDocument) -> list[Finding]:
    """Return what is suspicious, in the order of the document."""
    found = []
    for statement in document.statements:
        for path, text in (
            *_about_actions(statement),
            *_about_resources(statement),
            *_about_conditions(statement),
            *_about_redundancy(statement, document.statements),
        ):
            found.append(Finding(document.name, f"$.Statement[{statement.number - 1}]{path}", text))
    return found


_Note = tuple[str, str]


def _about_actions(statement: Statement) -> Iterator[_Note]:
    element = "NotAction" if statement.not_action else "Action"
    for path, action in _places(element, statement.actions):
        pattern = tokenise(action.lower(), variables=False)
        meant = [name for name in _TYPES if covers(pattern, (name.lower(),))]
        if not meant:
            yield path, f"{action} is no action that a device asks for"
        elif not statement.not_action and all(name in _HTTPS for name in meant):
            clause = "; over HTTPS iot:ClientId has no value, so it grants nothing there either" * _names_client(
                statement
            )
            yield path, f"{action} is asked for by HTTPS requests alone: over MQTT it has no effect{clause}"


def _names_client(statement: Statement) -> bool:
    return statement.variables and all("${iot:clientid}" in resource.lower() for resource in statement.resources)


def _about_resources(statement: Statement) -> Iterator[_Note]:
    element = "NotResource" if statement.not_resource else "Resource"
    types = {kind for name, kind in _TYPES.items() if statement.takes(name)}
    for path, resource in _places(element, statement.resources):
        if resource != "*" and resource.count(":") < 5:
            yield path, f"{resource} has fewer than five colons, so its * stands for whole parts; write the whole ARN"
            continue
        yield from ((path, text) for text in _about_variables(resource, statement.variables))
        part = resource_part(resource)
        kind, slash, text = part.partition("/")
        if resource == "*" or not slash or any(wildcard in kind for wildcard in "*?"):
            continue
        if kind not in _RESOURCE_TYPES:
            yield (
                path,
                f"{kind}/ is no type of resource that a device meets; known are {', '.join(sorted(_RESOURCE_TYPES))}",
            )
        elif types and kind not in types:
            wanted = " or ".join(f"{name}/" for name in sorted(types))
            yield path, f"{', '.join(statement.actions)} never meets {kind}/; it takes {wanted}"
        elif kind == "topic" and ("+" in text or "#" in text):
            yield path, f"no message has + or # in its topic, so {part} matches nothing"
        elif kind == "topic" and not re.search(r"[*?]|\$\{", text) and not possible_topic(text):
            yield path, f"AWS IoT takes no message on {text}"
        elif kind == "topicfilter" and statement.effect is Effect.DENY and re.search(r"[+#]", text):
            yield (
                path,
                f"Deny on {part} refuses only this text: + and # are no wildcards here; deny iot:Receive instead",
            )
        elif part.lower() in ("client/${iot:clientid}", "client/*") and not _asks_attached(statement):
            yield path, f"{part} fits every client id; ask for iot:Connection.Thing.IsAttached"


def _asks_attached(statement: Statement) -> bool:
    allows = statement.effect is Effect.ALLOW and not statement.not_resource
    return not allows or any(condition.key.lower() == _ATTACHED for condition in statement.conditions)


def _about_variables(text: str, variables: bool) -> Iterator[str]:
    if not variables:
        if "${" in text:
            yield "without Version 2012-10-17 there are no variables: ${...} is plain text here"
        return
    for token in tokenise(text, variables=True):
        if isinstance(token, Variable) and not _KEY.fullmatch(token.name):
            yield f"there is no variable ${{{token.name}}}, so nothing matches"


def _about_conditions(statement: Statement) -> Iterator[_Note]:
    for condition in statement.conditions:
        path = f".Condition[{condition.operator!r}][{condition.key!r}]".replace("'", '"')
        if not _KEY.fullmatch(condition.key):
            yield path, f"there is no condition key {condition.key}, so it is always absent"
        for value in condition.values:
            yield from ((path, text) for text in _about_variables(value, statement.variables))


def _about_redundancy(statement: Statement, statements: tuple[Statement, ...]) -> Iterator[_Note]:
    if statement.not_resource or statement.not_action:
        return
    for place, (path, resource) in enumerate(_places("Resource", statement.resources)):
        for other in statements:
            if not _as_strong(other, statement):
                continue
            for number, wider in enumerate(other.resources):
                same_place = other is statement and number == place
                # Of two that mean the same only the later one is superfluous.
                later = (other.number, number) < (statement.number, place)
                if (
                    not same_place
                    and _covers(wider, resource, statement)
                    and (later or not _covers(resource, wider, other))
                ):
                    where = "" if other is statement else f" of statement {other.number}"
                    yield path, f"redundant: {resource_part(resource)} lies inside {resource_part(wider)}{where}"
                    break
            else:
                continue
            break


def _as_strong(other: Statement, statement: Statement) -> bool:
    """Whether ``other`` applies to every action, and whenever, ``statement`` does, with the same effect."""
    if other.not_resource or other.not_action or other.effect is not statement.effect:
        return False
    if other.variables != statement.variables or not set(other.conditions) <= set(statement.conditions):
        return False
    wide = [tokenise(action.lower(), variables=False) for action in other.actions]
    return all(any(covers(w, tokenise(a.lower(), variables=False)) for w in wide) for a in statement.actions)


def _covers(wide: str, narrow: str, statement: Statement) -> bool:
    if resource_start(wide) == 0 or resource_start(narrow) == 0:
        return wide == "*"
    wide_tokens = tokenise(wide, variables=statement.variables)
    return covers(wide_tokens, tokenise(narrow, variables=statement.variables))


def _places(element: str, items: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if len(items) == 1:
        yield f".{element}", items[0]
        return
    for number, item in enumerate(items):
        yield f".{element}[{number}]", item
