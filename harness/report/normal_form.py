"""Messages without what differs from run to run, so that one cause looks the same every night and on every board."""

import re
from collections.abc import Mapping
from typing import Final

_VARYING: Final = (
    (re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"), "{id}"),
    (re.compile(r"\bn[0-9a-f]{16}\b"), "{nonce}"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{16,}\b|\b\d{15}\b"), "{number}"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:µs|us|ms|s|seconds|min)\b"), "{time}"),
    (re.compile(r"\bpid \d+"), "pid {pid}"),
    (re.compile(r"(?<=:)\d{4,5}\b"), "{port}"),
    (re.compile(r"(?:/(?:tmp|run|dev)/)[^\s'\",;)]+"), "{path}"),
    (re.compile(r"<\d+ bytes>"), "<{n} bytes>"),
)
_LONGEST = 4000  # of a message; what decides stands in front


def named(text: str, names: Mapping[str, str]) -> str:
    """Return ``text`` with what ``names`` knows as placeholders (``{device}``), the longest first.

    Whole words only: a board may be called ``a``.
    """
    for placeholder, value in sorted(names.items(), key=lambda pair: -len(pair[1])):
        if value:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", placeholder, text)
    return text


def normal(text: str, names: Mapping[str, str] | None = None) -> str:
    """Return ``text`` with ids, nonces, times, process ids, ports and paths as placeholders.

    ``names``: placeholder to text (``{device}``), put in first.
    """
    text = named(text[:_LONGEST], names or {})
    for pattern, placeholder in _VARYING:
        text = pattern.sub(placeholder, text)
    return text


def first_sentence(text: str, longest: int = 160) -> str:
    """Return the first sentence, or clause, of a message; one line, cut at ``longest`` characters."""
    line = text.strip().partition("\n")[0]
    line = re.split(r"(?<=[^.\s])(?:\. |; )", line, maxsplit=1)[0].rstrip(".")
    return line if len(line) <= longest else line[: longest - 1] + "…"
