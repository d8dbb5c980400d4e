"""Reading policy documents: "IAM User Guide, Grammar of the IAM JSON policy language", as AWS IoT Core uses it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from harness.policy.documents.conditions import Condition, check_condition
from harness.policy.documents.pattern import Variable, tokenise
from harness.policy.documents.statement import Effect, Statement
from harness.policy.documents.strict_json import Object, parse_json
from harness.policy.errors import PolicyError

_VERSION_WITH_VARIABLES = "2012-10-17"
VERSION_WITHOUT = "2008-10-17"  # what a document without Version is read as

MOST_CHARACTERS = 2048  # without white space: "AWS IoT Core quotas, Maximum policy document size"
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_ACTION = re.compile(r"\*|[\w*?-]+:[\w*?]+", re.ASCII)


def characters(text: str) -> int:
    """Return how many characters AWS IoT counts of a document's text: all but white space."""
    return sum(map(len, text.split()))


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One policy document. ``name`` is what messages and rulings call it."""

    name: str
    version: str
    statements: tuple[Statement, ...]

    @classmethod
    def parse(cls, text: str, *, name: str, variables: Mapping[str, str] | None = None) -> Self:
        """Read a document from JSON text.

        ``variables``: values of deployment placeholders, e.g. ``{"AWSAccountId": "123456789012"}``. A placeholder is a
        ``${Name}`` without a colon; AWS knows no such variable, so one without a value is an error, unless the Version
        has no variables.
        PolicyError: the name, the JSON path (or line and column) and the reason, in one line.
        """
        reader = _Reader(name, variables or {})
        document = reader.object(parse_json(text, name=name), "$", {"Version", "Id", "Statement"})
        version = document.get("Version", VERSION_WITHOUT)
        if version not in (_VERSION_WITH_VARIABLES, VERSION_WITHOUT):
            raise reader.error("$.Version", f"{_VERSION_WITH_VARIABLES} or {VERSION_WITHOUT} is wanted")
        reader.string(document.get("Id", ""), "$.Id")
        reader.with_variables = version == _VERSION_WITH_VARIABLES
        count = characters(text)
        if count > MOST_CHARACTERS:
            raise reader.error("$", f"{count} characters without white space; AWS IoT takes {MOST_CHARACTERS}")
        return cls(name, version, reader.statements(document))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Resources whose ``*`` stands for whole parts of an ARN: AWS IoT's reading of them is undocumented."""
        return tuple(
            f"{self.name} statement {statement.number}: {resource} has fewer than five colons; write the whole ARN"
            for statement in self.statements
            for resource in statement.resources
            if resource != "*" and resource.count(":") < 5
        )


class _Reader:
    """Checks one document's values, and names the place of a mistake by its JSON path."""

    def __init__(self, name: str, placeholders: Mapping[str, str]) -> None:
        self._name = name
        self._placeholders = placeholders
        self.with_variables = True
        for key, value in placeholders.items():
            if re.search(r"[*?${}]", value):
                raise PolicyError(f"{name}: the value {value!r} of ${{{key}}} holds policy syntax")

    def error(self, path: str, reason: str) -> PolicyError:
        return PolicyError(f"{self._name}: {path}: {reason}")

    def object(self, value: Any, path: str, known: set[str] | None = None) -> Object:
        if not isinstance(value, Object):
            raise self.error(path, "an object is wanted")
        if value.repeated is not None:
            raise self.error(path, f"the key {json.dumps(value.repeated)} stands here twice")
        for key in value:
            self._check_characters(key, path)
            if known is not None and key not in known:
                raise self.error(path, f"unknown element {json.dumps(key)}; known are {', '.join(sorted(known))}")
        return value

    def statements(self, document: Object) -> tuple[Statement, ...]:
        value = document.get("Statement")
        if isinstance(value, Object):
            return (self._statement(value, "$.Statement", 1),)
        if not isinstance(value, list) or not value:
            raise self.error("$.Statement", "a statement or a list of statements is wanted")
        return tuple(self._statement(item, f"$.Statement[{n}]", n + 1) for n, item in enumerate(value))

    def _statement(self, value: Any, path: str, number: int) -> Statement:
        known = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
        statement = self.object(value, path, known)
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise self.error(f"{path}.Effect", '"Allow" or "Deny" is wanted')
        action = self._one_of(statement, path, "Action", "NotAction")
        resource = self._one_of(statement, path, "Resource", "NotResource")
        return Statement(
            document=self._name,
            number=number,
            effect=Effect(statement["Effect"]),
            actions=self._actions(statement[action], f"{path}.{action}"),
            resources=self._resources(statement[resource], f"{path}.{resource}"),
            not_action=action == "NotAction",
            not_resource=resource == "NotResource",
            conditions=self._conditions(statement.get("Condition", Object()), f"{path}.Condition"),
            sid=self.string(statement["Sid"], f"{path}.Sid") if "Sid" in statement else None,
            variables=self.with_variables,
        )

    def _one_of(self, statement: Object, path: str, name: str, negated: str) -> str:
        present = [key for key in (name, negated) if key in statement]
        if len(present) != 1:
            raise self.error(path, f"exactly one of {name} and {negated} is wanted")
        return present[0]

    def _actions(self, value: Any, path: str) -> tuple[str, ...]:
        actions = self._texts(value, path)
        for place, action in actions:
            if not _ACTION.fullmatch(action):
                raise self.error(place, f"{json.dumps(action)} is no action; one is written iot:Publish")
        return tuple(action for _, action in actions)

    def _resources(self, value: Any, path: str) -> tuple[str, ...]:
        resources = self._texts(value, path)
        for place, resource in resources:
            if not resource.startswith(("arn:", "*")):
                raise self.error(place, f"{json.dumps(resource)} is no resource; one begins with arn: or *")
            try:
                _check_variables(resource, self.with_variables)
            except ValueError as error:
                raise self.error(place, str(error)) from None
        return tuple(resource for _, resource in resources)

    def _conditions(self, value: Any, path: str) -> tuple[Condition, ...]:
        conditions: list[Condition] = []
        for operator, keys in self.object(value, path).items():
            of_operator = self.object(keys, f"{path}[{json.dumps(operator)}]")
            if not of_operator:
                raise self.error(f"{path}[{json.dumps(operator)}]", "a condition key is wanted")
            for key, wanted in of_operator.items():
                place = f"{path}[{json.dumps(operator)}][{json.dumps(key)}]"
                values = wanted if isinstance(wanted, list) else [wanted]
                condition = Condition(operator, key, tuple(self._condition_value(item, place) for item in values))
                try:
                    check_condition(condition, variables=self.with_variables)
                except ValueError as error:
                    raise self.error(place, str(error)) from None
                conditions.append(condition)
        return tuple(conditions)

    def _condition_value(self, value: Any, path: str) -> str:
        # Published policies carry JSON booleans and numbers where the grammar's own examples have strings.
        return json.dumps(value) if isinstance(value, bool | int | float) else self._text(value, path)

    def _texts(self, value: Any, path: str) -> list[tuple[str, str]]:
        if not isinstance(value, list):
            return [(path, self._text(value, path))]
        if not value:
            raise self.error(path, "the list is empty")
        places = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        return [(place, self._text(item, place)) for place, item in places]

    def string(self, value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise self.error(path, "a string is wanted")
        self._check_characters(value, path)
        return value

    def _check_characters(self, text: str, path: str) -> None:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise self.error(path, f"\\u{ord(text[error.start]):04x} is half a character") from None

    def _text(self, value: Any, path: str) -> str:
        def fill(found: re.Match[str]) -> str:
            if found[1] not in self._placeholders and not self.with_variables:
                return found[0]  # plain text, as every ${...} is
            if found[1] not in self._placeholders:
                raise self.error(path, f"the placeholder {found[0]} is not filled: no value was given for {found[1]}")
            return self._placeholders[found[1]]

        return _PLACEHOLDER.sub(fill, self.string(value, path))


def _check_variables(resource: str, with_variables: bool) -> None:
    colons = 0
    for token in tokenise(resource, variables=with_variables):
        if isinstance(token, str):
            colons += token.count(":")
        elif isinstance(token, Variable) and colons < 5:
            raise ValueError(f"the variable {token.name!r} stands before the fifth colon, where AWS substitutes none")
