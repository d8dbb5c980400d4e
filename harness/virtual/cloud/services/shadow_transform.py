"""The part of JSONata that firmware uses for shadows: a dotted path, or one object of dotted paths. Pure functions.

Facts: nRF Connect SDK, nRF Cloud library (``{"t": expression, "l": limit}`` is answered by ``{"tf": result}``, of 1792
bytes at most unless ``l`` says otherwise; at first it asks for an object of ``nrfcloud_mqtt_topic_prefix`` and
``pairing`` out of ``state.desired``, its samples ask for single paths); JSONata documentation, "Simple Queries" (a path
that leads nowhere has no value, and an object leaves out members without one). Everything else of JSONata is refused.
UNCONFIRMED: the members of a refusal, where the SDK has names for a ``message`` and a ``position``; how a result over
the limit is refused; ``{}`` for a path that leads nowhere.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

MAX_ANSWER_BYTES = 1792

Tree = dict[str, Any]

_TOKEN = re.compile(r"""\s*(?:(?P<name>[A-Za-z_]\w*|`[^`]+`)|(?P<text>"[^"\\]*"|'[^'\\]*')|(?P<mark>[{}:,.]))""")
_NOWHERE = object()


class TransformRefused(Exception):
    """The request cannot be carried out. ``position``: index of the first wrong character of the expression."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position

    def document(self) -> Tree:
        """Return the document to publish in place of a result."""
        place = {} if self.position is None else {"position": self.position}
        return {"message": str(self), **place}


def answer(payload: bytes, document: Mapping[str, Any]) -> Tree:
    """Return ``{"tf": result}`` for the request in ``payload`` about ``document``. Raises :class:`TransformRefused`."""
    try:
        request = json.loads(payload)
    except (ValueError, RecursionError):
        raise TransformRefused("the request is not JSON") from None
    expression = request.get("t") if isinstance(request, dict) else None
    if not isinstance(expression, str):
        raise TransformRefused("the request must be an object with an expression t")
    limit = request.get("l", MAX_ANSWER_BYTES)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise TransformRefused("the limit l must be a number of bytes")
    answered = transform(expression, document)
    size = len(json.dumps(answered, separators=(",", ":")))
    if size > limit:
        raise TransformRefused(f"the result has {size} bytes, {limit} are allowed")
    return answered


def transform(expression: str, document: Mapping[str, Any]) -> Tree:
    """Return ``{"tf": value of expression}``, or ``{}`` if it has no value. Raises :class:`TransformRefused`."""
    tokens = _Tokens(expression)
    value = _object(tokens, document) if tokens.take("{") else _path(tokens, document)
    tokens.finish()
    return {} if value is _NOWHERE else {"tf": value}


class _Tokens:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._position = 0

    def take(self, mark: str) -> bool:
        """Skip ``mark`` if it comes next, and tell whether it did."""
        match = _TOKEN.match(self._expression, self._position)
        if match is None or match["mark"] != mark:
            return False
        self._position = match.end()
        return True

    def need(self, mark: str) -> None:
        if not self.take(mark):
            raise self.refusal()

    def word(self, kind: str) -> str:
        """Return the ``name`` or ``text`` that must come next, without its quotes."""
        match = _TOKEN.match(self._expression, self._position)
        if match is None or match[kind] is None:
            raise self.refusal()
        self._position = match.end()
        return match[kind].strip("`") if kind == "name" else match[kind][1:-1]

    def finish(self) -> None:
        if self._expression[self._position :].strip():
            raise self.refusal()

    def refusal(self) -> TransformRefused:
        return TransformRefused("only paths and one object of paths are available in the local cloud", self._position)


def _object(tokens: _Tokens, document: Mapping[str, Any]) -> Tree:
    members: Tree = {}
    if tokens.take("}"):
        return members
    while True:
        key = tokens.word("text")
        tokens.need(":")
        value = _path(tokens, document)
        if value is not _NOWHERE:
            members[key] = value
        if tokens.take("}"):
            return members
        tokens.need(",")


def _path(tokens: _Tokens, document: Mapping[str, Any]) -> Any:
    value: Any = document
    while True:
        name = tokens.word("name")
        if isinstance(value, list):  # JSONata would apply the path to each item
            raise TransformRefused("paths into lists are not available in the local cloud")
        value = value.get(name, _NOWHERE) if isinstance(value, dict) else _NOWHERE
        if not tokens.take("."):
            return value
