"""Condition operators, from "IAM User Guide, Condition operators" and "Conditions with multiple keys or values".

A condition with several values holds if one of them matches; under a negated operator, if none does. If the request
lacks the key, positive operators are false and negated ones true. A variable without a value has the same effect,
because nothing equals it.
"""

import base64
import ipaddress
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from harness.policy.documents.pattern import Pattern, Token, substitute, tokenise
from harness.policy.documents.quotation import AS_READ, Quotation
from harness.policy.evaluation.principal import Context

T = TypeVar("T")

# Compares a value of the policy with a value of the request.
Test = Callable[[str, Context], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator. ``operator``: as written, with its set qualifier and ``IfExists``."""

    operator: str
    key: str
    values: tuple[str, ...]


class FailedCondition(NamedTuple):
    """A condition that is not fulfilled. ``had``: the request's values of its key; None: it has no such key."""

    condition: Condition
    had: tuple[str, ...] | None
    quotation: Quotation = AS_READ

    def __str__(self) -> str:
        wanted = " or ".join(repr(self.quotation.of(value)) for value in self.condition.values) or "no value"
        values = ", ".join(repr(self.quotation.requested(value)) for value in self.had or ())
        had = "the key is absent" if self.had is None else f"the request has {values}"
        return f"{self.condition.operator} {self.condition.key} {wanted} is not fulfilled: {had}"


def check_condition(condition: Condition, *, variables: bool) -> None:
    """Raise ValueError if ``condition`` has an unknown operator, or a value that the operator cannot compare.

    ``variables``: whether the document's Version has policy variables.
    """
    _compiled(condition, variables)


def failed_condition(condition: Condition, context: Context, *, variables: bool) -> FailedCondition | None:
    """Return why ``condition`` is not fulfilled, or None if it is.

    ``context``: the request's values. ``variables``: whether the document's Version has policy variables.
    """
    had = context.values(condition.key)
    return None if _compiled(condition, variables)(had, context) else FailedCondition(condition, had)


@lru_cache(maxsize=1024)
def _compiled(condition: Condition, variables: bool) -> Callable[[tuple[str, ...] | None, Context], bool]:
    if condition.operator == "Null":
        absent = {_boolean(value) for value in condition.values}
        return lambda had, context: (had is None) in absent
    parts = re.fullmatch(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?", condition.operator)
    if parts is None or parts[2] not in _OPERATORS:
        raise ValueError(f"unknown condition operator {condition.operator!r}")
    qualifier, name, if_exists = parts.groups()
    negated, make = _OPERATORS[name]
    tests = [make(value, variables) for value in condition.values]
    if_absent = True if if_exists or qualifier == "ForAllValues" else negated and qualifier is None
    # AWS does not say what a list in the request means without a set qualifier. Here it is read like a list in the
    # policy: one match is enough; under a negated operator none may match.
    combine = all if qualifier == "ForAllValues" or (qualifier is None and negated) else any

    def fulfilled(had: tuple[str, ...] | None, context: Context) -> bool:
        if had is None:
            return if_absent
        return combine(any(test(value, context) for test in tests) != negated for value in had)

    return fulfilled


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _equals(text: str, variables: bool) -> Test:
    tokens = tokenise(text, variables=variables, wildcards=False)
    return lambda value, context: Pattern(substitute(tokens, context.variable)).matches(value)


def _equals_ignoring_case(text: str, variables: bool) -> Test:
    tokens = tokenise(text, variables=variables, wildcards=False)

    def test(value: str, context: Context) -> bool:
        wanted = Pattern(substitute(tokens, context.variable)).exact
        return wanted is not None and wanted.casefold() == value.casefold()

    return test


def _like(text: str, variables: bool) -> Test:
    tokens = tokenise(text, variables=variables)
    return lambda value, context: Pattern(substitute(tokens, context.variable)).matches(value)


def _arn_like(text: str, variables: bool) -> Test:
    segments = _segments(tokenise(text, variables=variables))
    if len(segments) != 6:
        raise ValueError(f"{text!r} is not an ARN, which has six parts with colons between them")

    def test(value: str, context: Context) -> bool:
        parts = value.split(":", 5)
        if len(parts) != len(segments):
            return False
        patterns = [Pattern(substitute(segment, context.variable)) for segment in segments]
        return all(pattern.matches(part) for pattern, part in zip(patterns, parts, strict=True))

    return test


def _segments(tokens: tuple[Token, ...]) -> list[list[Token]]:
    """Cut tokens at the first five colons that the policy itself has; colons in a variable's value do not count."""
    segments: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            segments[-1].append(token)
            continue
        first, *rest = token.split(":", 6 - len(segments))
        segments[-1].append(first)
        segments.extend([part] for part in rest)
    return segments


def _truth(text: str, variables: bool) -> Test:
    wanted = _boolean(text)
    return lambda value, context: _parsed(_boolean, value) == wanted


def _address(text: str, variables: bool) -> Test:
    if not re.fullmatch(r"[^/]+(/[0-9]+)?", text):
        raise ValueError(f"{text!r} is not an address or network; one is written 10.0.0.0/8")
    network = ipaddress.ip_network(text, strict=False)

    def test(value: str, context: Context) -> bool:
        address = _parsed(ipaddress.ip_address, value)
        return address is not None and address in network

    return test


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_nan():
        raise ValueError(f"{text!r} is not a number")
    return number


def _date(text: str) -> datetime:
    """ISO 8601 as W3C restricts it, or seconds since 1970. Without a zone: UTC."""
    seconds = _parsed(float, text)
    if seconds is not None:
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, OSError, ValueError) as error:  # which of them depends on how large it is
            raise ValueError(f"{text!r} is not a date") from error
    moment = datetime.fromisoformat(f"{text}-01" if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text) else text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parsed(parse: Callable[[str], T], text: str) -> T | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _ordered(parse: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Callable[[str, bool], Test]:
    def make(text: str, variables: bool) -> Test:
        wanted = parse(text)

        def test(value: str, context: Context) -> bool:
            had = _parsed(parse, value)
            return had is not None and compare(had, wanted)

        return test

    return make


def _binary(text: str, variables: bool) -> Test:
    wanted = base64.b64decode(text, validate=True)
    return lambda value, context: value.encode() == wanted


# Name: (negated, maker of the test for one value of the policy).
_OPERATORS: dict[str, tuple[bool, Callable[[str, bool], Test]]] = {
    "StringEquals": (False, _equals),
    "StringNotEquals": (True, _equals),
    "StringEqualsIgnoreCase": (False, _equals_ignoring_case),
    "StringNotEqualsIgnoreCase": (True, _equals_ignoring_case),
    "StringLike": (False, _like),
    "StringNotLike": (True, _like),
    "ArnEquals": (False, _arn_like),
    "ArnLike": (False, _arn_like),
    "ArnNotEquals": (True, _arn_like),
    "ArnNotLike": (True, _arn_like),
    "Bool": (False, _truth),
    "IpAddress": (False, _address),
    "NotIpAddress": (True, _address),
    "BinaryEquals": (False, _binary),
}
for _kind, _parse in (("Numeric", _number), ("Date", _date)):
    _OPERATORS |= {
        f"{_kind}Equals": (False, _ordered(_parse, operator.eq)),
        f"{_kind}NotEquals": (True, _ordered(_parse, operator.eq)),
        f"{_kind}LessThan": (False, _ordered(_parse, operator.lt)),
        f"{_kind}LessThanEquals": (False, _ordered(_parse, operator.le)),
        f"{_kind}GreaterThan": (False, _ordered(_parse, operator.gt)),
        f"{_kind}GreaterThanEquals": (False, _ordered(_parse, operator.ge)),
    }
