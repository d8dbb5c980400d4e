"""Patterns of policy text: wildcards, policy variables, and matching that never backtracks.

Rules from "IAM User Guide, Resource element" (``*``: any run of characters, ``/`` and ``:`` too; ``?``: exactly one;
anchored at both ends; case sensitive) and "IAM User Guide, Policy variables" (``${name}``, escapes ``${*} ${?} ${$}``,
a variable without a value matches nothing). Default values (``${name, 'x'}``) are undocumented for AWS IoT and are
variables without a value here.

Text is cut into tokens first and substituted afterwards, so a value is always literal: a client named ``*`` gains
nothing by its name.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple


class Wild(Enum):
    """A wildcard of policy text."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """``${name}``, not substituted (yet)."""

    name: str


Token = str | Wild | Variable

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_ESCAPES = {"*", "?", "$"}


@lru_cache(maxsize=4096)
def tokenise(text: str, *, variables: bool, wildcards: bool = True) -> tuple[Token, ...]:
    """Cut ``text`` of a policy into literals, wildcards and variables.

    ``variables``: False if the document's Version has no variables; ``${...}`` is ordinary text then. ``wildcards``:
    False if ``*`` and ``?`` are ordinary characters, as in a value of StringEquals.
    Raises ValueError for a ``${`` that is never closed, and for an empty ``${}``.
    """
    return tuple(joined(_tokens(text, variables=variables, wildcards=wildcards)))


def substitute(tokens: Iterable[Token], lookup: Callable[[str], str | None]) -> tuple[Token, ...]:
    """Replace variables by their values. A variable stays if ``lookup`` returns None for it."""
    return tuple(joined(_value(token, lookup) if isinstance(token, Variable) else token for token in tokens))


def as_text(tokens: Iterable[Token]) -> str:
    """Return tokens as policy text. Literal ``*``, ``?`` and ``${`` are escaped, to tell them from wildcards."""
    return "".join(map(_written, tokens))


class Reach(NamedTuple):
    """How far a pattern got with a text that it does not match."""

    position: int  # how many characters of the text fit
    wanted: str  # what the pattern has next; empty: the pattern ends here
    variable: str | None  # the variable without value that stopped it


class Pattern:
    """Substituted tokens, ready to match. ``exact``: the only text that matches, or None if there are several.

    ``matches(text)`` looks for each part between two ``*`` once, leftmost, which is right because an earlier end never
    leaves less room for the parts that follow. So it takes at most the length of the text times that of a part.
    Example: ``a*bc*d`` and ``abcbcd``. The first ``bc`` leaves ``bcd`` to match ``*d``, the second one only ``d``.
    Whatever fits behind the second ``bc`` fits behind the first one too, because ``*`` takes the rest.
    """

    __slots__ = ("_text", "exact", "matches", "tokens")

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens = tokens
        self.exact = _exact(tokens)
        self.matches: Callable[[str], bool] = _matcher(tokens)
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The pattern as policy text."""
        if self._text is None:
            self._text = as_text(self.tokens)
        return self._text

    @property
    def unresolved(self) -> str | None:
        """Name of the first variable without a value; such a pattern matches nothing."""
        return next((token.name for token in self.tokens if isinstance(token, Variable)), None)

    @property
    def literal_length(self) -> int:
        """Number of characters that are not wildcards: how specific the pattern is."""
        return sum(len(token) for token in self.tokens if isinstance(token, str))

    def reach(self, text: str) -> Reach:
        """Tell how far the pattern fits ``text``, for explanations."""
        end = 0
        for number, part in enumerate(_split(self.tokens)):
            units = _units(part)
            begin, fitting = (0, _common(units, text, 0)) if number == 0 else _furthest(units, text, end)
            end = begin + fitting
            if fitting < len(units):
                stop = units[fitting]
                wanted = as_text(joined(iter(units[fitting:])))
                return Reach(end, wanted, stop.name if isinstance(stop, Variable) else None)
        return Reach(end, "", None)


def _tokens(text: str, *, variables: bool, wildcards: bool) -> Iterator[Token]:
    position = 0
    for found in _VARIABLE.finditer(text) if variables else ():
        yield from _plain(text[position : found.start()], variables, wildcards)
        name = found[1]
        if not name:
            raise ValueError("${} names no variable")
        yield name if name in _ESCAPES else Variable(name)
        position = found.end()
    yield from _plain(text[position:], variables, wildcards)


def _plain(text: str, variables: bool, wildcards: bool) -> Iterator[Token]:
    if variables and "${" in text:
        raise ValueError(f"'${{' without a closing brace in {text!r}")
    if not wildcards:
        yield text
        return
    for piece in re.split(r"([*?])", text):
        yield Wild(piece) if piece in ("*", "?") else piece


def joined(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield the tokens with neighbouring literals as one."""
    literal = ""
    for token in tokens:
        if isinstance(token, str):
            literal += token
            continue
        if literal:
            yield literal
            literal = ""
        yield token
    if literal:
        yield literal


def _value(variable: Variable, lookup: Callable[[str], str | None]) -> Token:
    value = lookup(variable.name)
    return variable if value is None else value


def _written(token: Token) -> str:
    match token:
        case Wild():
            return token.value
        case Variable():
            return f"${{{token.name}}}"
    return re.sub(r"[*?]|\$(?=\{)", r"${\g<0>}", token)


def _exact(tokens: tuple[Token, ...]) -> str | None:
    match tokens:
        case ():
            return ""
        case (str() as literal,):
            return literal
    return None


def _split(tokens: tuple[Token, ...]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token is Wild.ANY:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _matcher(tokens: tuple[Token, ...]) -> Callable[[str], bool]:
    exact = _exact(tokens)
    if exact is not None:
        return lambda text: text == exact
    if any(isinstance(token, Variable) for token in tokens):
        return lambda text: False
    if Wild.ONE in tokens:
        return _regex_matcher(tokens)
    parts = ["".join(token for token in part if isinstance(token, str)) for part in _split(tokens)]
    return _literal_matcher(parts[0], [part for part in parts[1:-1] if part], parts[-1])


def _literal_matcher(head: str, middle: list[str], tail: str) -> Callable[[str], bool]:
    start, room = len(head), len(head) + len(tail)

    def matches(text: str) -> bool:
        if len(text) < room or not text.startswith(head) or not text.endswith(tail):
            return False
        position, end = start, len(text) - len(tail)
        for part in middle:
            position = text.find(part, position, end)
            if position < 0:
                return False
            position += len(part)
        return True

    return matches


def _regex_matcher(tokens: tuple[Token, ...]) -> Callable[[str], bool]:
    parts = ["".join("." if token is Wild.ONE else re.escape(str(token)) for token in part) for part in _split(tokens)]
    if len(parts) == 1:
        expression = parts[0]
    else:
        # Atomic groups: once the leftmost place of a part is found, it is kept, so nothing backtracks.
        expression = "".join([parts[0], *(f"(?>.*?{part})" for part in parts[1:-1]), ".*", parts[-1]])
    fullmatch = re.compile(expression, re.DOTALL).fullmatch
    return lambda text: fullmatch(text) is not None


def _units(part: list[Token]) -> list[Token]:
    """Single characters, ``?`` and variables."""
    units: list[Token] = []
    for token in part:
        units.extend(token) if isinstance(token, str) else units.append(token)
    return units


def _common(units: list[Token], text: str, begin: int) -> int:
    for count, unit in enumerate(units):
        if begin + count == len(text) or (unit is not Wild.ONE and unit != text[begin + count]):
            return count
    return len(units)


def _furthest(units: list[Token], text: str, start: int) -> tuple[int, int]:
    """Return the place, from ``start`` on, at which the most of ``units`` fit, and how many do."""
    best, fitting, failing = start, 0, len(units) + 1
    place = _finder(units, text, start)
    while failing - fitting > 1:  # where some units fit, the first few of them fit too
        count = (fitting + failing) // 2
        found = place(count)
        if found < 0:
            failing = count
        else:
            best, fitting = found, count
    return best, fitting


def _finder(units: list[Token], text: str, start: int) -> Callable[[int], int]:
    """Return what tells the first place at which the first so many of ``units`` fit, -1: none."""
    if set(map(type, units)) <= {str}:  # nearly always, and much faster
        literal = "".join(map(str, units))
        return lambda count: text.find(literal[:count], start)
    singles = list(map(_expression, units))

    def place(count: int) -> int:
        found = re.compile("".join(singles[:count]), re.DOTALL).search(text, start)
        return -1 if found is None else found.start()

    return place


def _expression(unit: Token) -> str:
    """Return what fits exactly this unit; a variable without value fits nothing."""
    if isinstance(unit, Variable):
        return r"(?!)"
    return "." if unit is Wild.ONE else re.escape(str(unit))
