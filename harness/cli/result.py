"""The result of a command, for readers and for programs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cli.arguments import Arguments
from harness.cli.exit_codes import OK
from harness.cli.progress import Progress


@dataclass(frozen=True, slots=True)
class Result:
    """``data``: ready for JSON; None: the command has printed it already. ``lines``: the same for readers.

    ``code``: the exit code.
    """

    data: Mapping[str, Any] | None
    lines: Sequence[str]
    code: int = OK


CommandFunction = Callable[[Arguments, Progress], Result]


def table(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return lines of names and values, the values below each other."""
    width = max(len(name) for name, _ in rows)
    return [f"  {name:<{width}}  {value}" for name, value in rows]
