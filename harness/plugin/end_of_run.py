"""What a run says last: causes, boards, what is fixed or flaky, how to run again what failed, where the page is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from harness.report.page.summary import STATES
from harness.report.terminal_summary import board_lines, cause_lines, fit, history_line, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from harness.plugin.run_reports import RunReports

_COLOURS = {"red": "1;31", "amber": "1;33", "green": "1;32"}


def end_lines(
    reports: RunReports,
    *,
    width: int | None,
    colours: bool,
    properties: Iterable[str],
    left: Sequence[str],
    missing: str,
) -> list[str]:
    """Return the lines.

    ``reports``: of the run; ``colours``: whether it can show them; ``width``: of the terminal, None: there is none, so
    nothing is cut; ``properties``: of the whole run; ``left``: what could not be tidied up; ``missing``: the boards
    file that the built-in one stands in for.
    """
    lines: list[str] = []
    if reports.record is not None:
        if missing:
            lines.append(f"boards: the built-in virtual one, because there is no {missing}")
        if reports.assessment is not None and reports.assessment.causes:
            lines += [*cause_lines(reports.assessment.causes, width, colours=colours), ""]
        lines += fit([*board_lines(reports.record), *properties, *_history(reports)], width)
        lines += [f"left behind: {line}" for line in left]
        lines += shortened(reports.record.kept, "the page has them all")
    lines += shortened(reports.notes, "nrf91-harness report index lists them all")
    if reports.trouble:
        return [*lines, _coloured(reports.trouble, _COLOURS["red"] if colours else "")]
    return [*lines, *_places(reports, colours=colours)] if reports.record is not None else lines


def _history(reports: RunReports) -> Iterator[str]:
    line = history_line(reports.assessment) if reports.assessment is not None else ""
    if line:
        yield line


def _places(reports: RunReports, *, colours: bool) -> Iterator[str]:
    folder, assessment = reports.folder, reports.assessment
    yield f"reports: {_short(folder.path)} (JUnit also at {_short(folder.shared_junit)})"
    if folder.again.exists():
        yield f"again: pytest @{_short(folder.again)}"
    if assessment is not None:
        state = assessment.run.state
        headline = _coloured(f"{STATES[state]}: {assessment.headline}", _COLOURS[state] if colours else "")
        yield f"{headline} Page: {_short(folder.page)}" if folder.page.is_file() else headline


def _short(path: Path) -> str:
    """Return ``path`` from the present folder on, where it lies below."""
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near


def _coloured(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if code else text
