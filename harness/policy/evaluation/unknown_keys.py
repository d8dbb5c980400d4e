"""What policies may ask that the harness does not know: a connection's address, certificate, other attributes.

A statement that asks for one of these may apply or not. Another Allow never forbids anything, and another Deny never
allows anything. So two readings enclose the truth: in the best one all Allows in doubt apply and no Denies in doubt, in
the worst one the other way round. Example: an Allow in doubt of topic ``a``, and a Deny in doubt of topic ``b`` that
another statement allows. At best both topics are allowed, at worst neither.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from harness.policy.documents.conditions import Condition
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.statement import Effect, Statement
from harness.policy.evaluation.policy_set import PolicySet
from harness.policy.evaluation.principal import Principal

# The keys that are known of a device's connection when trials are planned.
_KNOWN: Final = re.compile(
    r"(?i:iot:(ClientId|ConnectAttributes|LastWillTopic|Connection\.Thing\.(ThingName|IsAttached)))"
    r"|(?i:iot:Connection\.Thing\.Attributes)\[(tenantId|teamId)\]"
)
_VARIABLE: Final = re.compile(r"\$\{([^{}*?$][^{}]*)\}")
_NOTHING: Final = "arn:aws:iot:none"


def unknown_keys(documents: Iterable[PolicyDocument]) -> list[str]:
    """Return the condition keys and variables whose values are not known, sorted."""
    statements = [statement for document in documents for statement in document.statements]
    return sorted({key for statement in statements for key in _asked(statement)})


def keys_asked(
    documents: Iterable[PolicyDocument], principal: Principal, checks: Sequence[tuple[str, str]]
) -> list[str]:
    """Return, sorted, the unknown keys on which the decision of one of ``checks`` may depend.

    ``documents``: those in force. ``principal``: who asks. ``checks``: the permissions, each (action, resource).
    """
    return sorted(
        {
            key
            for document in documents
            for statement in document.statements
            for key in _asked(statement)
            if _may_apply(replace(document, statements=(_applying(statement),)), principal, checks)
        }
    )


def readings(documents: Iterable[PolicyDocument]) -> tuple[dict[str, PolicyDocument], dict[str, PolicyDocument]]:
    """Return the best and the worst reading of the documents, each by name."""
    documents = tuple(documents)
    most, least = ({one.name: _reading(one, applying) for one in documents} for applying in Effect)
    return most, least


def _may_apply(document: PolicyDocument, principal: Principal, checks: Sequence[tuple[str, str]]) -> bool:
    compiled = PolicySet([document]).compile(principal)
    return any(compiled.decide(*check).match for check in checks)


def _reading(document: PolicyDocument, applying: Effect) -> PolicyDocument:
    """Return a document in which, of the statements in doubt, just those with the effect ``applying`` apply."""
    return replace(document, statements=tuple(_kept(document.statements, applying)))


def _kept(statements: Iterable[Statement], applying: Effect) -> Iterator[Statement]:
    for statement in statements:
        if not any(_asked(statement)):
            yield statement
        elif statement.effect is applying:
            yield _applying(statement)


def _applying(statement: Statement) -> Statement:
    """Return the statement as it is if everything unknown lets it apply."""
    conditions = tuple(one for one in statement.conditions if not any(_asked_by(one, statement.variables)))
    resources = statement.resources
    if statement.variables and statement.not_resource:
        # Without the excluded resources whose text is unknown, it applies to as much as it can.
        resources = tuple(one for one in resources if not any(_names(one))) or (_NOTHING,)
    elif statement.variables:
        resources = tuple(_VARIABLE.sub(_widened, one) for one in resources)
    return replace(statement, conditions=conditions, resources=resources)


def _widened(found: re.Match[str]) -> str:
    return found[0] if _KNOWN.fullmatch(found[1]) else "*"


def _asked(statement: Statement) -> Iterator[str]:
    for condition in statement.conditions:
        yield from _asked_by(condition, statement.variables)
    if statement.variables:
        yield from (name for resource in statement.resources for name in _names(resource))


def _asked_by(condition: Condition, variables: bool) -> Iterator[str]:
    if not _KNOWN.fullmatch(condition.key):
        yield condition.key
    if variables:
        yield from (name for value in condition.values for name in _names(value))


def _names(text: str) -> Iterator[str]:
    return (found[1] for found in _VARIABLE.finditer(text) if not _KNOWN.fullmatch(found[1]))
