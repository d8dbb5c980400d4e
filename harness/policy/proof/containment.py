"""Which pattern covers another, found without trying texts."""

from collections.abc import Sequence
from functools import lru_cache

from harness.policy.documents.pattern import Token, Wild, joined


def covers(wide: Sequence[Token], narrow: Sequence[Token]) -> bool:
    """Tell whether ``wide`` matches every text that ``narrow`` matches. A yes is always right.

    ``narrow`` is read as a text whose wildcards are letters of their own: ``?`` is matched by ``?`` and ``*``, ``*`` by
    ``*`` alone. A variable is matched by the same variable and by ``*``, whatever its value. A no is wrong only where
    two patterns mean the same and are written differently, like ``*?`` and ``?*``.
    """
    # reached: how many units of narrow the units of wide so far may match, ascending.
    # Example, wide "a*" and narrow "a?b": after "a" it is 1. Then "*" reaches 1, 2 and 3. As 3 is all of narrow: yes.
    # Example, wide "a?" and narrow "a*": "?" does not match the letter "*", so 2 is never reached: no. That is right,
    # because "a*" matches "a" too. For most questions the answer is no, and reached is empty after a few units.
    text = _units(narrow)
    reached: Sequence[int] = [0]
    for unit in _units(wide):
        if unit is Wild.ANY:
            reached = range(reached[0], len(text) + 1)
        else:
            reached = [n + 1 for n in reached if n < len(text) and _fits(unit, text[n])]
        if not reached:
            return False
    return reached[-1] == len(text)


def _fits(unit: Token, other: Token) -> bool:
    return unit == other or (unit is Wild.ONE and isinstance(other, str))


@lru_cache(maxsize=4096)
def remainders(pattern: tuple[Token, ...], prefix: str) -> tuple[tuple[Token, ...], ...]:
    """Return patterns of the texts that may follow ``prefix`` in a match of ``pattern``.

    A variable without a value in ``pattern`` fits no text, as in matching.
    """
    units = _units(pattern)
    # How many units may be matched so far.
    matched = _with_skips({0}, units)
    for character in prefix:
        step = {n for n in matched if n < len(units) and units[n] is Wild.ANY}
        step |= {n + 1 for n in matched if n < len(units) and units[n] in (Wild.ONE, character)}
        matched = _with_skips(step, units)
    found = [tuple(joined(iter(units[number:]))) for number in sorted(matched)]
    return tuple(one for n, one in enumerate(found) if not any(covers(other, one) for other in found[:n]))


def _with_skips(matched: set[int], units: Sequence[Token]) -> set[int]:
    result = set(matched)
    for number in matched:
        while number < len(units) and units[number] is Wild.ANY:
            number += 1
            result.add(number)
    return result


def _units(tokens: Sequence[Token]) -> list[Token]:
    units: list[Token] = []
    for token in tokens:
        units.extend(token) if isinstance(token, str) else units.append(token)
    return units
