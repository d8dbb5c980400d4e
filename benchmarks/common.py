"""What one benchmark measured, and the table it is printed in."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One figure: ours, the peer's in the same run, and the goal. ``figure``: ours against the peer's, as text."""

    name: str
    ours: float
    peer: float | None
    figure: str
    goal: str
    unit: str


def ratio(ours: float, peer: float) -> str:
    """Return ``ours / peer`` as ``1.23x``."""
    return f"{ours / peer:.2f}x" if peer else "-"


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which ``share`` (0..1) of ``values`` lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def markdown_table(rows: Sequence[Row]) -> str:
    """Return ``rows`` as one Markdown table."""

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.4g}"

    lines = ["| what | unit | ours | peer | ours / peer | goal |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row.name} | {row.unit} | {number(row.ours)} | {number(row.peer)} | {row.figure} | {row.goal} |"
        for row in rows
    ]
    return "\n".join(lines)
