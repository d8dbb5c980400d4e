"""Checks the values of one policy document. Every mistake is noted with its JSON path, and reading goes on."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from harness.policy.documents.conditions import Condition, check_condition
from harness.policy.documents.pattern import Variable, tokenise
from harness.policy.documents.statement import Effect, Statement
from harness.policy.documents.strict_json import Object
from harness.policy.documents.variables import right_spelling
from harness.policy.errors import PolicyError

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_ACTION = re.compile(r"\*|[\w*?-]+:[\w*?]+", re.ASCII)
_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


class _Mistake(Exception):
    """A value that cannot be read. The reader notes it and goes on with the next value."""


class Reader:
    """Reads the parts of one document. ``mistakes``: what is wrong so far, as ``PATH: REASON``.

    ``name``: the document's, for its statements. ``placeholders``: values of ``${Name}``. ``with_variables``: whether
    the document's Version has policy variables.
    """

    def __init__(self, name: str, placeholders: Mapping[str, str]) -> None:
        self._name = name
        self._placeholders = placeholders
        self.with_variables = True
        self.mistakes: list[str] = []
        for key, value in placeholders.items():
            if re.search(r"[*?${}]", value):
                raise PolicyError(f"{name}: the value {value!r} of ${{{key}}} holds policy syntax")

    def note(self, path: str, reason: str) -> None:
        """Note a mistake."""
        self.mistakes.append(f"{path}: {reason}")

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note the mistake that ends this block early."""
        try:
            yield
        except _Mistake as error:
            self.mistakes.append(str(error))

    def object(self, value: Any, path: str, known: set[str]) -> Object:
        """Return ``value`` if it is an object, else an empty one. Unknown elements are noted as mistakes.

        ``path``: where it stands. ``known``: the elements that it may have.
        """
        with self.noting():
            return self._object(value, path, known)
        return Object()

    def string(self, value: Any, path: str) -> str:
        """Return ``value`` if it is a string, else an empty one."""
        with self.noting():
            return self._string(value, path)
        return ""

    def statements(self, document: Object) -> tuple[Statement, ...]:
        """Return the statements that have no mistake."""
        value = document.get("Statement")
        if isinstance(value, Object):
            return tuple(self._statement(value, "$.Statement", 1))
        if not isinstance(value, list) or not value:
            self.note("$.Statement", "must be a statement or a list of statements")
            return ()
        places = ((item, f"$.Statement[{index}]", index + 1) for index, item in enumerate(value))
        return tuple(statement for place in places for statement in self._statement(*place))

    def _statement(self, value: Any, path: str, number: int) -> Iterator[Statement]:
        before = len(self.mistakes)
        statement = self.object(value, path, _ELEMENTS)
        if not isinstance(value, Object):
            return
        if statement.get("Effect") not in ("Allow", "Deny"):
            self.note(f"{path}.Effect", 'must be "Allow" or "Deny"')
        action = self._one_of(statement, path, "Action", "NotAction")
        resource = self._one_of(statement, path, "Resource", "NotResource")
        actions = self._actions(statement[action], f"{path}.{action}") if action else ()
        resources = self._resources(statement[resource], f"{path}.{resource}") if resource else ()
        conditions = self._conditions(statement.get("Condition", Object()), f"{path}.Condition")
        sid = self.string(statement["Sid"], f"{path}.Sid") if "Sid" in statement else None
        if len(self.mistakes) > before:
            return
        yield Statement(
            document=self._name,
            number=number,
            effect=Effect(statement["Effect"]),
            actions=actions,
            resources=resources,
            not_action=action == "NotAction",
            not_resource=resource == "NotResource",
            conditions=conditions,
            sid=sid,
            variables=self.with_variables,
        )

    def _one_of(self, statement: Object, path: str, name: str, negated: str) -> str | None:
        present = [key for key in (name, negated) if key in statement]
        if len(present) == 1:
            return present[0]
        self.note(path, f"must hold exactly one of {name} and {negated}")
        return None

    def _actions(self, value: Any, path: str) -> tuple[str, ...]:
        actions = self._texts(value, path)
        for place, action in actions:
            if not _ACTION.fullmatch(action):
                self.note(place, f"{json.dumps(action)} is not an action; one is written iot:Publish")
        return tuple(action for _, action in actions)

    def _resources(self, value: Any, path: str) -> tuple[str, ...]:
        resources = self._texts(value, path)
        for place, resource in resources:
            if not resource.startswith(("arn:", "*")):
                self.note(place, f"{json.dumps(resource)} is not a resource; one begins with arn: or *")
                continue
            with self.noting():
                self._check_variables(resource, place, start=5)
        return tuple(resource for _, resource in resources)

    def _conditions(self, value: Any, path: str) -> tuple[Condition, ...]:
        conditions: list[Condition] = []
        with self.noting():
            for operator, keys in self._object(value, path).items():
                with self.noting():
                    conditions += self._of_operator(operator, keys, f"{path}[{json.dumps(operator)}]")
        return tuple(conditions)

    def _of_operator(self, operator: str, keys: Any, path: str) -> list[Condition]:
        of_operator = self._object(keys, path)
        if not of_operator:
            raise _Mistake(f"{path}: must hold a condition key")
        conditions: list[Condition] = []
        for key, wanted in of_operator.items():
            with self.noting():
                conditions.append(self._condition(operator, key, wanted, f"{path}[{json.dumps(key)}]"))
        return conditions

    def _condition(self, operator: str, key: str, wanted: Any, path: str) -> Condition:
        values = wanted if isinstance(wanted, list) else [wanted]
        condition = Condition(operator, key, tuple(self._condition_value(item, path) for item in values))
        try:
            check_condition(condition, variables=self.with_variables)
        except ValueError as error:
            raise _Mistake(f"{path}: {error}") from None
        for text in condition.values:
            self._check_variables(text, path)
        return condition

    def _condition_value(self, value: Any, path: str) -> str:
        # Published policies carry JSON booleans and numbers where the grammar's own examples have strings.
        return json.dumps(value) if isinstance(value, bool | int | float) else self._text(value, path)

    def _check_variables(self, text: str, path: str, *, start: int = 0) -> None:
        """Note variables that AWS refuses. ``start``: how many colons must stand before a variable."""
        try:
            tokens = tokenise(text, variables=self.with_variables)
        except ValueError as error:
            raise _Mistake(f"{path}: {error}") from None
        colons = 0
        for token in tokens:
            if isinstance(token, str):
                colons += token.count(":")
            elif isinstance(token, Variable):
                self._check_variable(token.name, path)
                if colons < start:
                    early = f"the variable {token.name!r} stands before the fifth colon, where AWS substitutes none"
                    raise _Mistake(f"{path}: {early}")

    def _check_variable(self, name: str, path: str) -> None:
        right = right_spelling(name)
        if right:
            self.note(path, f"AWS IoT refuses the variable ${{{name}}}: write ${{{right}}}")

    def _texts(self, value: Any, path: str) -> list[tuple[str, str]]:
        """Return the path and text of each string in ``value``, which is a list of strings or one string."""
        if value == []:
            self.note(path, "the list is empty")
        places = (
            [(f"{path}[{n}]", item) for n, item in enumerate(value)] if isinstance(value, list) else [(path, value)]
        )
        texts: list[tuple[str, str]] = []
        for place, item in places:
            with self.noting():
                texts.append((place, self._text(item, place)))
        return texts

    def _text(self, value: Any, path: str) -> str:
        def fill(found: re.Match[str]) -> str:
            if found[1] not in self._placeholders and not self.with_variables:
                return found[0]  # plain text, as every ${...} is
            if found[1] not in self._placeholders:
                reason = f"the placeholder {found[0]} is not filled: no value was given for {found[1]}"
                raise _Mistake(f"{path}: {reason}")
            return self._placeholders[found[1]]

        return _PLACEHOLDER.sub(fill, self._string(value, path))

    def _object(self, value: Any, path: str, known: set[str] | None = None) -> Object:
        if not isinstance(value, Object):
            raise _Mistake(f"{path}: must be an object")
        if value.repeated is not None:
            self.note(path, f"the key {json.dumps(value.repeated)} stands here twice")
        for key in value:
            with self.noting():
                _check_characters(key, path)
                if known is not None and key not in known:
                    listed = ", ".join(sorted(known))
                    raise _Mistake(f"{path}: unknown element {json.dumps(key)}; known are {listed}")
        return value

    def _string(self, value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise _Mistake(f"{path}: must be a string")
        _check_characters(value, path)
        return value


def _check_characters(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _Mistake(
            f"{path}: \\u{ord(text[error.start]):04x} is half of a surrogate pair, not a character"
        ) from None
