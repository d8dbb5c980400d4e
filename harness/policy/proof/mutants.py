"""Mutants: copies of the documents with one change each, such as someone who edits policies might make.

The part of a resource before the fifth colon (region, account) never changes, because no device can choose it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from harness.policy.documents.arn import other_topic_type, resource_part, resource_start
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.statement import Effect, Statement
from harness.policy.evaluation.explain import name_of

_VARIABLE = re.compile(r"\$\{([^{}*?$]+)\}")
_OWN = "${iot:ClientId}"
_THING = "${iot:Connection.Thing.ThingName}"

# The action that someone may write by mistake.
_SWAPPED = {
    "iot:publish": "iot:Subscribe",
    "iot:subscribe": "iot:Publish",
    "iot:receive": "iot:Publish",
    "iot:connect": "iot:Publish",
    "iot:retainpublish": "iot:Publish",
    "iot:getthingshadow": "iot:DeleteThingShadow",
    "iot:updatethingshadow": "iot:DeleteThingShadow",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to a set of documents.

    ``document``, ``number``: where the changed statement is. ``change``: what was changed, in words. ``before``,
    ``after``: the statement; ``after`` None: it was dropped. ``resource``: the resource that was changed, as the
    document has it; None: something else was changed. ``documents``: all documents by name, one of them changed.
    """

    document: str
    number: int
    change: str
    before: Statement
    after: Statement | None
    resource: str | None
    documents: Mapping[str, PolicyDocument] = field(repr=False)

    def __str__(self) -> str:
        return f"{name_of(self.before)}: {self.change}"


def mutants(documents: Iterable[PolicyDocument]) -> list[Mutant]:
    """Return every mutant of every document, in the order of the documents. No two of them have the same text."""
    documents = tuple(documents)
    written = [r for d in documents for s in d.statements for r in s.resources if s.variables]
    variables = sorted({_OWN, _THING} | {found[0] for resource in written for found in _VARIABLE.finditer(resource)})
    by_name = {document.name: document for document in documents}
    found: list[Mutant] = []
    for document in documents:
        for statement in document.statements:
            seen: set[Statement | None] = {statement}
            for change, after, resource in _changes(statement, variables):
                if after not in seen:
                    seen.add(after)
                    changed = by_name | {document.name: _with(document, statement, after)}
                    found.append(Mutant(document.name, statement.number, change, statement, after, resource, changed))
    return found


def _with(document: PolicyDocument, before: Statement, after: Statement | None) -> PolicyDocument:
    statements = (after if statement is before else statement for statement in document.statements)
    return replace(document, statements=tuple(statement for statement in statements if statement is not None))


_Change = tuple[str, Statement | None, str | None]


def _changes(statement: Statement, variables: list[str]) -> Iterator[_Change]:
    yield "dropped", None, None
    allow = statement.effect is Effect.ALLOW
    yield (
        f"{statement.effect} turned into {'Deny' if allow else 'Allow'}",
        replace(statement, effect=Effect.DENY if allow else Effect.ALLOW),
        None,
    )
    for place, condition in enumerate(statement.conditions):
        rest = statement.conditions[:place] + statement.conditions[place + 1 :]
        yield f"condition {condition.operator} {condition.key} dropped", replace(statement, conditions=rest), None
    for change, actions in _in_list("action", statement.actions, "iot:*", _action_changes):
        yield change, replace(statement, actions=actions), None
    if statement.not_action:
        yield "NotAction turned into Action", replace(statement, not_action=False), None
    in_reach = variables if statement.variables else []
    kind = "topicfilter" if statement.takes("iot:Subscribe") else "topic"

    def changes(resource: str) -> Iterator[tuple[str, str]]:
        return _narrowings(kind, in_reach) if resource == "*" else _resource_changes(resource, in_reach)

    for change, resources in _in_list("resource", statement.resources, "*", changes):
        touched = next((resource for resource in statement.resources if resource not in resources), None)
        yield change, replace(statement, resources=resources), touched
    if statement.not_resource:
        yield "NotResource turned into Resource", replace(statement, not_resource=False), None


def _in_list(
    what: str, items: tuple[str, ...], everything: str, changes: Callable[[str], Iterator[tuple[str, str]]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for place, item in enumerate(items):
        before, after = items[:place], items[place + 1 :]
        if len(items) > 1:
            yield f"{what} {resource_part(item)} dropped", before + after
        for how, changed in changes(item):
            yield f"{what} {resource_part(item)} {how} {resource_part(changed)}", (*before, changed, *after)
    if everything not in items:
        yield f"{what} {everything} added", (*items, everything)


def _action_changes(action: str) -> Iterator[tuple[str, str]]:
    other = _SWAPPED.get(action.lower())
    if other:
        yield "swapped for", other
    if action.endswith("*") and not action.endswith(":*") and action != "*":  # "iot:" is not an action
        yield "narrowed to", action.removesuffix("*")


def _resource_changes(resource: str, variables: list[str]) -> Iterator[tuple[str, str]]:
    start = resource_start(resource)
    if not start:
        return
    head, part = resource[:start], resource[start:]
    kind, slash, text = part.partition("/")
    prefix = head + kind + slash
    if not slash:
        prefix, text = head, part
    for how, changed in (*_wildcard_changes(text), *_variable_changes(text, variables)):
        if changed or slash:
            yield how, prefix + changed
    other = other_topic_type(resource)
    if other:
        yield "turned into", other


def _narrowings(kind: str, variables: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what may stand in place of a bare ``*``: all resources of the kind, the reserved ones, the device's own."""
    for text in ("*", "$aws/*", *([f"{_OWN}/*"] if variables else [])):
        yield "narrowed to", f"arn:aws:iot:*:*:{kind}/{text}"


def _wildcard_changes(text: str) -> Iterator[tuple[str, str]]:
    levels = text.split("/")
    if len(levels) > 1:
        yield "widened to", "/".join([*levels[:-2], "*"])
    if not text.endswith("*"):
        yield "widened to", f"{text}*"
        if len(levels) > 1:
            yield "widened to", "/".join([*levels[:-1], "*"])
        return
    fixed = text.removesuffix("*")
    if fixed.endswith("/"):
        yield "widened to", f"{fixed[:-1]}*"
    yield "narrowed to", fixed
    yield "narrowed to", f"{fixed}?"
    yield "narrowed to", f"{fixed}*/*"
    yield "narrowed to", f"{fixed}{_OWN}/*"


def _variable_changes(text: str, variables: list[str]) -> Iterator[tuple[str, str]]:
    for found in _VARIABLE.finditer(text) if variables else ():
        before, after = text[: found.start()], text[found.end() :]
        yield "widened to", f"{before}*{after}"
        for variable in variables:
            if variable != found[0]:
                yield "with another variable:", f"{before}{variable}{after}"
