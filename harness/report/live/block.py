"""The block at the bottom of a terminal: the run in one line, then its boards, then its causes."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from rich.text import Text

from harness.report.live.progress import LiveBoard, LiveCause, LiveView
from harness.report.page.words import short_test, span, visible
from harness.report.run_folder import short_name

_BAR: Final = 18  # columns
_STATES: Final = {
    "red": (" RED ", "bold white on red"),
    "amber": (" NOT PROVED ", "bold black on yellow"),
    "green": (" GREEN SO FAR ", "bold black on green"),
}
PARTIES: Final = {
    "cloud": ("Cloud", "bright_blue"),
    "modem/firmware": ("Modem / firmware", "magenta"),
    "radio": ("Radio network", "yellow"),
    "lab": ("Lab", "default"),
    "user": ("Test or boards file", "default"),
    "unclear": ("Unclear", "default"),
}
"""How a party is named on a terminal, and its colour."""
_COLOURS: Final = {"failed": "red", "error": "yellow", "passed": "green", "skipped": "bright_black"}


def block(view: LiveView, doing: Callable[[LiveBoard], str], height: int) -> list[Text]:
    """Return the lines of the block for ``view``, at most ``height``. ``doing``: what a board does now, in words.

    Where there is no room for all, boards that are done go first, then causes at the end.
    """
    boards, causes = _fitting(view, max(height - 1, 2))
    wide = max((len(board.name) for board in view.boards), default=0)
    count = max((len(str(board.planned)) for board in view.boards), default=1)
    lines = [_head(view), *(_row(board, doing(board), wide, count) for board in boards)]
    if len(boards) < len(view.boards):
        lines.append(Text(f" and {len(view.boards) - len(boards)} more boards", "bright_black"))
    lines += [_cause(row) for row in causes]
    if len(causes) < len(view.causes):
        lines.append(Text(f"and {len(view.causes) - len(causes)} more causes", "bright_black"))
    return lines


def party(name: str) -> tuple[str, str]:
    """Return how a party is named on a terminal, and its colour."""
    return PARTIES.get(name, PARTIES["unclear"])


def _fitting(view: LiveView, room: int) -> tuple[Sequence[LiveBoard], Sequence[LiveCause]]:
    boards, causes = list(view.boards), list(view.causes)
    if len(boards) + len(causes) <= room:
        return boards, causes
    causes = causes[: max(1, room // 3, room - len(boards)) - 1] if causes else []
    left = max(1, room - len(causes) - bool(view.causes))
    if len(boards) > left:
        urgent = sorted(boards, key=lambda board: board.complete and not board.out)[: left - 1]
        boards = [board for board in boards if board in urgent]
    return boards, causes


def _head(view: LiveView) -> Text:
    word, style = _STATES[view.state]
    left = f" · about {_rough(view.left)} left" if view.left is not None and view.done < view.planned else ""
    on = f"{len(view.boards)} board{'' if len(view.boards) == 1 else 's'}"
    line = Text.assemble(
        (word, style), f" {view.done} of {view.planned} tests on {on} · {_rough(view.seconds)}{left}", no_wrap=True
    )
    blamed = Counter(row.cause.party for row in view.causes for _ in row.tests)
    for name, (label, colour) in PARTIES.items():
        if blamed[name]:
            line.append("  ").append(f"{label} {blamed[name]}", colour)
    return line


def _row(board: LiveBoard, doing: str, wide: int, count: int) -> Text:
    failed, unproved = board.results["failed"], board.results["error"]
    line = Text(f" {visible(board.name):<{wide}} ", "bold", no_wrap=True)
    line.append_text(_bar(board))
    line.append(f" {board.done:>{count}}/{board.planned} ", "default")
    line.append(f" ✕{failed:<{count}}", "not bold red" if failed else "not bold bright_black")
    line.append(f" !{unproved:<{count}} ", "not bold yellow" if unproved else "not bold bright_black")
    if board.out:
        out = visible(board.out.removeprefix(f"{board.name}: "))
        rest = board.planned - board.done
        tail = f"; {rest} {'test' if rest == 1 else 'tests'} cannot be proved" if rest else ""
        return line.append(f" lost: {out}{tail}", "not bold yellow")
    if board.complete:
        return line.append(" done", "not bold bright_black")
    slow = " SLOW" if board.slow else ""
    return line.append(slow, "bold yellow").append(f" {visible(doing)}", "not bold cyan")


def _bar(board: LiveBoard) -> Text:
    bar = Text()
    for result, colour in _COLOURS.items():
        number = board.results[result]
        share = _BAR * number // max(board.planned, 1)
        bar.append("█" * min(max(share, bool(number)), _BAR - len(bar)), f"not bold {colour}")
    if board.complete and len(bar) < _BAR and board.planned:
        bar.append("█" * (_BAR - len(bar)), bar.spans[-1].style if bar.spans else "green")
    return bar.append(("▒" if board.out else "░") * (_BAR - len(bar)), "not bold bright_black")


def _cause(row: LiveCause) -> Text:
    label, colour = party(row.cause.party)
    line = Text("✕ " if row.failed else "! ", "red" if row.failed else "yellow", no_wrap=True)
    line.append(f"{label}: ", colour).append(visible(row.cause.title), "bold default")
    line.append(f"  {visible(', '.join(row.boards)) or 'no board'}  ×{len(row.tests)}", "not bold default")
    return line.append(f"  {row.age}" if row.age else "", "not bold bright_black")


def doing_words(board: LiveBoard, seconds: float, step: str) -> str:
    """Return what ``board`` does: its test, its ``seconds`` so far, and its last ``step`` if that takes a while."""
    if not board.running:
        return "waits" if not board.done else "between tests"
    name, _, parameters = short_test(short_name(board.running))[0].partition("[")
    inner = f"-{parameters.removesuffix(']')}-".replace(f"-{board.name}-", "-", 1).strip("-") if parameters else ""
    label = f"{name}[{inner}]" if inner else name
    took = f"  {_rough(seconds)}" if seconds >= 1 else ""
    return f"{label}{took}{'  ' + step if step and seconds >= 1 else ''}"


def _rough(seconds: float) -> str:
    return span(seconds) if seconds >= 60 else f"{seconds:.0f} s"
