"""Tables for readers. They are fitted to the terminal; in a pipe or a log they are as wide as their text."""

import shutil
import sys
from collections.abc import Sequence
from typing import Final

Rows = Sequence[Sequence[str]]
_GAP: Final = 2
_LEAST: Final = 40  # columns; no table fits into less


def terminal_width() -> int | None:
    """Return the columns of the terminal, or None if standard output is not a terminal."""
    return max(_LEAST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def columns(rows: Rows, *, width: int | None = None) -> list[str]:
    """Return the lines of a table whose first row has its heads. ``width``: in place of the terminal's."""
    limit = terminal_width() if width is None else width
    widths = _widths(rows)
    if limit is None or _whole(widths) <= limit:
        return [_line(row, widths) for row in rows]
    return _fitted(rows, limit, [None] * len(widths))


def blocks(rows: Rows, *, width: int | None = None) -> list[list[str]]:
    """Return the lines of each row of a table without heads. Its last column takes the room that is left."""
    limit = terminal_width() if width is None else width
    widths = _widths(rows)
    if limit is None or _whole(widths) <= limit:
        return [[_line(row, widths)] for row in rows]
    fixed = [*widths[:-1], max(limit - _whole(widths[:-1]) - _GAP, _LEAST // 2)]
    return [_fitted([row], _whole(fixed), fixed) for row in rows]


def _widths(rows: Rows) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _whole(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return (" " * _GAP).join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _fitted(rows: Rows, limit: int, widths: Sequence[int | None]) -> list[str]:
    from rich.console import Console  # only a table that is too wide needs this module
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, _GAP, 0, 0))
    for width in widths:
        grid.add_column(width=width, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    console = Console(width=limit, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(grid)
    return [line.rstrip() for line in capture.get().splitlines()]
