"""Puts values into words for a reader. Every text of a board or a cloud goes through :func:`visible`."""

import re
from datetime import datetime
from typing import Final
from unicodedata import category

LONGEST: Final = 2000
"""How many characters of a text are on a page; the transcript has the rest."""

_NOT_PLAIN = re.compile(r"[^\x20-\x7e\n\t]")
# Characters that would mislead a reader: controls, formats (which turn the direction of writing, or have no width),
# halves of surrogates, separators.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """Return ``text`` with escapes for hidden characters, cut to :data:`LONGEST` characters."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text):,} characters)"
    return _NOT_PLAIN.sub(_shown, text)


def span(seconds: float) -> str:
    """Return a length of time in words: ``54 µs``, ``28.4 ms``, ``3.42 s``, ``4 min 56 s``."""
    if seconds < 0.0009995:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{_three(seconds * 1000)} ms"
    if seconds < 60:
        return f"{_three(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def clock(stamp: str) -> str:
    """Return an ISO stamp as ``Fri 27 Nov 2026, 02:00 UTC``. Any other text stays as it is."""
    try:
        return datetime.fromisoformat(stamp).strftime("%a %-d %b %Y, %H:%M UTC")
    except ValueError:
        return stamp


def short_test(key: str) -> tuple[str, str]:
    """Return a test's own name and where the test is: ``test_x[a]`` and ``test_file · TestClass``."""
    head, bracket, parameters = key.partition("[")
    path, *names = head.split("::")
    file = path.rpartition("/")[2].removesuffix(".py")
    name = names[-1] if names else file
    return name + bracket + parameters, " · ".join([file, *names[:-1]] if names else [])


def _shown(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1] if category(found[0]) in _HIDDEN else found[0]


def _three(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
