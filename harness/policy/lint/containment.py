"""Finds quickly which of many patterns cover another one. Patterns are encoded as texts and matched with each other.

As in :func:`harness.policy.proof.containment.covers`, wildcards and variables of the covered pattern are letters of
their own. Example: ``a/*`` covers ``a/?/b``. With letters M and Q for ``*`` and ``?``, its text is ``a/Q/b``, and
``a/`` followed by any letters matches that.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from harness.policy.documents.pattern import Pattern, Token, Variable, Wild

T = TypeVar("T")

# Letters for wildcards, then for variables: from Unicode's last two planes, which are for private use.
ONE, ANY = "\U000f0000", "\U000f0001"
_FIRST_VARIABLE = 0xF0002
_WILDCARD = re.compile(f"[{ONE}{ANY}]")
_LITERAL_OR_ONE = f"[^{ANY}-\U0010ffff]"


class Encoder:
    """Encodes patterns as texts with one letter for each wildcard and variable."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}
        self._written: dict[str, str] = {ANY: "*", ONE: "?"}

    def encode(self, tokens: Sequence[Token]) -> str:
        """Return tokens as a text. Several ``*`` in a row become one."""
        return re.sub(f"{ANY}+", ANY, "".join(map(self._letter, tokens)))

    def readable(self, text: str) -> str:
        """Return an encoded text as policies write it."""
        return "".join(self._written.get(letter, letter) for letter in text)

    def _letter(self, token: Token) -> str:
        if isinstance(token, Wild):
            return ANY if token is Wild.ANY else ONE
        if not isinstance(token, Variable):
            return token
        name = token.name
        if name not in self._letters:
            letter = self._letters[name] = chr(_FIRST_VARIABLE + len(self._letters))
            self._written[letter] = f"${{{name}}}"
        return self._letters[name]


class Index(Generic[T]):
    """Encoded patterns, each with an item, found by the letters before their first wildcard."""

    def __init__(self, patterns: Iterable[tuple[str, T]]) -> None:
        self._by_start: dict[str, list[tuple[Callable[[str], bool], T]]] = {}
        for text, item in patterns:
            start = _WILDCARD.split(text, maxsplit=1)[0]
            self._by_start.setdefault(start, []).append((_matcher(text), item))
        self._lengths = sorted({len(start) for start in self._by_start})

    def covering(self, text: str) -> Iterator[T]:
        """Yield the items of patterns that cover the pattern which ``text`` encodes."""
        for length in self._lengths:
            if length > len(text):
                return
            for matches, item in self._by_start.get(text[:length], ()):
                if matches(text):
                    yield item


def _matcher(text: str) -> Callable[[str], bool]:
    """Return a function that tells whether this pattern covers an encoded one."""
    parts = text.split(ANY)
    if ONE not in text:
        tokens = [token for part in parts for token in (Wild.ANY, part) if token][1:]
        return Pattern(tuple(tokens)).matches
    expressions = [re.escape(part).replace(ONE, _LITERAL_OR_ONE) for part in parts]
    # Atomic groups, as in Pattern: once the leftmost place of a part is found, it is kept.
    middle = "".join(f"(?>.*?{part})" for part in expressions[1:-1])
    end = f".*{expressions[-1]}" if len(parts) > 1 else ""
    fullmatch = re.compile(expressions[0] + middle + end, re.DOTALL).fullmatch
    return lambda other: fullmatch(other) is not None
