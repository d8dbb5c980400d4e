"""Explains why nothing allowed a request, by the statements that came nearest to allowing it."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from harness.policy.documents.arn import other_topic_type, resource_part, resource_start
from harness.policy.documents.pattern import Pattern, Reach
from harness.policy.documents.statement import Effect, Statement
from harness.policy.evaluation.principal import Context


class Miss(StrEnum):
    """What kept a statement from allowing the request."""

    CONDITION = "condition"  # action and resource fit
    RESOURCE = "resource"  # the action fits
    VARIABLE = "variable"  # the action fits, and the resource up to a variable that has no value
    ACTION = "action"  # the resource fits, or it would if topic and topic filter were exchanged


class Near(NamedTuple):
    """A statement that nearly allowed the request. ``str()`` gives one clause of a sentence."""

    miss: Miss
    statement: Statement
    pattern: str | None  # with values in place of variables; None: the statement has NotResource
    clause: str

    def __str__(self) -> str:
        return self.clause


def name_of(statement: Statement) -> str:
    """Return the statement's name for messages, like ``associated statement 2``, with its Sid if it has one."""
    sid = f" {statement.sid!r}" if statement.sid else ""
    return f"{statement.document} statement {statement.number}{sid}"


def nearest(statements: Sequence[Statement], context: Context, action: str, resource: str) -> tuple[Near, ...]:
    """Return the best near miss of each kind, the most useful first, for a request that no statement allows.

    ``statements``: those in force. ``context``: the request's values. ``action``, ``resource``: what is asked for.
    """
    allowing = [statement for statement in statements if statement.effect is Effect.ALLOW]
    same_action = [statement for statement in allowing if statement.takes(action)]
    others = [statement for statement in allowing if not statement.takes(action)]
    found = [
        _condition_missed(same_action, context, resource),
        _resource_missed(same_action, context, resource),
        _action_missed(others, context, resource),
    ]
    return tuple(near for near in found if near)


def _condition_missed(statements: Sequence[Statement], context: Context, resource: str) -> Near | None:
    for statement in statements:
        failed = statement.failed_condition(context)
        if failed is None:
            continue
        fits = [pattern for _, pattern in statement.patterns(context) if pattern.matches(resource)]
        if bool(fits) == statement.not_resource:
            continue
        clause = f"{name_of(statement)} would allow it, but {failed}"
        return Near(Miss.CONDITION, statement, fits[0].text if fits else None, clause)
    return None


def _resource_missed(statements: Sequence[Statement], context: Context, resource: str) -> Near | None:
    # Only the best is put into words, because that takes longer than to find it.
    best: tuple[int, Callable[[], Near]] | None = None
    for statement in statements:
        if statement.failed_condition(context):
            continue
        for written, pattern in statement.patterns(context):
            if not statement.not_resource:
                reach = pattern.reach(resource)
                if best is None or reach.position > best[0]:
                    best = reach.position, partial(_differing, statement, written, pattern, resource, reach)
            elif pattern.matches(resource) and (best is None or len(resource) > best[0]):
                best = len(resource), partial(_excluded, statement, pattern)
    return best[1]() if best else None


def _excluded(statement: Statement, pattern: Pattern) -> Near:
    clause = f"{_with_actions(statement)} allows everything except {resource_part(pattern.text)}"
    return Near(Miss.RESOURCE, statement, None, clause)


def _differing(statement: Statement, written: str, pattern: Pattern, resource: str, reach: Reach) -> Near:
    position, wanted, variable = reach
    rest = resource[position:]
    if variable is not None:
        how = f"${{{variable}}} has no value"
    elif not rest:
        how = f"ends where {wanted!r} must follow"
    elif not wanted:
        how = f"goes on with {rest!r}"
    else:
        # From the start of the topic level (or ARN part) that differs: a whole word is easier to find.
        level = max(resource.rfind("/", 0, position), resource.rfind(":", 0, position)) + 1
        how = f"differs at {resource[level:]!r}"
    # A difference in region or account can only be seen in the whole ARN.
    whole = statement.quotation.filled(written, pattern.text)
    text = resource_part(whole) if position >= resource_start(resource) else whole
    miss = Miss.RESOURCE if variable is None else Miss.VARIABLE
    return Near(miss, statement, pattern.text, f"{_with_actions(statement)} allows {text} — {how}")


def _action_missed(statements: Sequence[Statement], context: Context, resource: str) -> Near | None:
    other = other_topic_type(resource)
    best: tuple[tuple[bool, int], Near] | None = None
    for statement in statements:
        if statement.not_resource or statement.failed_condition(context):
            continue
        for _, pattern in statement.patterns(context):
            fits = pattern.matches(resource)
            # A bare * fits everything, so naming it explains nothing.
            if not pattern.literal_length or not (fits or (other and pattern.matches(other))):
                continue
            rank = (fits, pattern.literal_length)
            if best is None or rank > best[0]:
                clause = f"{name_of(statement)} allows {_actions(statement)} there"
                best = (rank, Near(Miss.ACTION, statement, pattern.text, clause))
    return best[1] if best else None


def _actions(statement: Statement) -> str:
    names = ", ".join(statement.actions)
    return f"every action except {names}" if statement.not_action else names


def _with_actions(statement: Statement) -> str:
    return f"{name_of(statement)} ({_actions(statement)})"
