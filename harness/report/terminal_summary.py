"""How a run ends on the terminal: only what matters, the causes of the page first, fitted to the terminal's width."""

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.report.assessment import Assessment, CauseRow, counts, plural
from harness.report.history import ResultState
from harness.report.live.block import party
from harness.report.page.words import short_test, span, visible
from harness.report.record import BoardProgress, RunRecord
from harness.report.run_folder import short_name

_NAMES_SHOWN: Final = 2
_CAUSES_SHOWN: Final = 20
_NO_TERMINAL: Final = 10_000  # columns: nothing is broken or cut


def cause_lines(causes: Sequence[CauseRow], width: int | None, *, colours: bool = False) -> list[str]:
    """Return the table of ``causes``. ``width``: of the terminal; None: there is none, so nothing is broken or cut.

    ``colours``: use them.
    """
    if not causes:
        return []
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bright_black")
    for heading in ("tests", "points at", "what", "boards", "since"):
        table.add_column(heading, justify="right" if heading == "tests" else "left", overflow="fold")
    for one in causes[:_CAUSES_SHOWN]:
        label, colour = party(one.cause.party)
        table.add_row(
            Text(str(len(one.results)), "bold red" if one.failed else "bold yellow"),
            Text(label, colour),
            _what(one),
            Text(visible(", ".join(one.boards)) or "no board"),
            Text(one.since),
        )
    lines = _printed(table, width, colours=colours)
    hidden = len(causes) - _CAUSES_SHOWN
    return [*lines, f"and {plural(hidden, 'more cause')}: the page has them"] if hidden > 0 else lines


def board_lines(record: RunRecord) -> list[str]:
    """Return a line for each board: what came out, how long it took; for one that is out, since when and why."""
    width = max((len(board) for board in record.boards), default=0)
    return [f"{board.name:<{width}}  {_outcome(board)}" for board in record.boards.values()]


def history_line(assessment: Assessment) -> str:
    """Return what is fixed, what comes and goes, and what took longest."""
    fixed, flaky = (assessment.in_state(state) for state in (ResultState.FIXED, ResultState.FLAKY))
    parts = [f"fixed {len(fixed)}"] if fixed else []
    if flaky:
        worst = max(flaky, key=lambda one: assessment.standings[one.board, one.key].rate.low)
        rate = assessment.standings[worst.board, worst.key].rate
        often = f", failed in {rate.failed} of {rate.number} runs" if rate.number else ""
        parts.append(f"flaky {len(flaky)} (worst: {short_test(worst.key)[0]} on {worst.board}{often})")
    slowest = max(assessment.run.results, key=lambda one: one.seconds, default=None)
    if slowest is not None and slowest.seconds > 0:
        parts.append(f"slowest {short_test(slowest.key)[0]} on {slowest.board or 'no board'}, {span(slowest.seconds)}")
    return visible(" · ".join(parts))


def fit(lines: Iterable[str], width: int | None) -> list[str]:
    """Cut lines to the terminal's width, the cut shown; None where there is no terminal: nothing is cut."""
    return [line if width is None or len(line) <= width else line[: max(width - 1, 1)] + "…" for line in lines]


def shortened(notes: Sequence[str], all_of_them: str) -> list[str]:
    """Return ``notes``, or of more than three the first, how many there are besides, and ``all_of_them``: where."""
    if len(notes) <= 3:
        return list(notes)
    return [notes[0], f"and {len(notes) - 1} more lines like it; {all_of_them}"]


def _what(row: CauseRow) -> Text:
    text = Text(visible(row.cause.title), "bold")
    if row.cause.detail:
        text.append(f"\n{visible(row.cause.detail)}", "not bold")
    keys = [*dict.fromkeys(one.key for one in row.results)]  # the same test on several boards is one line
    for key in keys[:_NAMES_SHOWN]:
        text.append(f"\n{visible(short_name(key))}", "not bold bright_black")
    if len(keys) > _NAMES_SHOWN:
        text.append(f"\nand {plural(len(keys) - _NAMES_SHOWN, 'more test')}", "not bold bright_black")
    return text


def _printed(table: Table, width: int | None, *, colours: bool) -> list[str]:
    console = Console(
        file=StringIO(),
        width=max(width, 40) if width else _NO_TERMINAL,
        force_terminal=colours,
        color_system="standard" if colours else None,
        highlight=False,
    )
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


def _outcome(board: BoardProgress) -> str:
    cut = 1 if board.running else 0  # it began, and the run ended
    missing = board.planned - board.done - cut
    parts = [counts(board.results), "1 interrupted" if cut else "", f"{missing} not run" if missing else ""]
    line = ", ".join(part for part in parts if part) + f" in {board.seconds:.1f} s"
    return f"{board.out} ({line})" if board.out else line
