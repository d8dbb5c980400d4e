"""How a run ends on the terminal: what did not pass first, grouped by cause, then a line for each board."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from harness.report.record import BoardProgress, NotPassed, RunRecord
from harness.report.run_folder import short_name

_NAMES_SHOWN = 3
_VARYING = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|0x[0-9a-fA-F]+|\b[0-9a-f]{16,}\b|\d+(?:\.\d+)?")
_RESULTS = ("passed", "failed", "error", "skipped")


def causes(troubles: Sequence[NotPassed]) -> list[list[NotPassed]]:
    """Return the troubles in groups of one cause, failures first, the largest group first.

    Messages that differ only in numbers, ids and the board's name have one cause.
    """
    groups: dict[tuple[str, str], list[NotPassed]] = {}
    for trouble in troubles:
        groups.setdefault((trouble.result, _pattern(trouble)), []).append(trouble)
    return sorted(groups.values(), key=lambda group: (group[0].result != "failed", -len(group)))


def cause_lines(record: RunRecord) -> list[str]:
    """Return what did not pass: for each cause whom it points at, its message, and some of the tests that it befell."""
    lines: list[str] = []
    for group in causes(record.troubles):
        number, word = len(group), "failure" if group[0].result == "failed" else "error"
        whom = f" ({group[0].party})" if group[0].party else ""
        lines.append(f"{number} {word}{'' if number == 1 else 's'}{whom}: {_first_line(group[0].message)}")
        lines += [f"    {short_name(trouble.test)}" for trouble in group[:_NAMES_SHOWN]]
        if number > _NAMES_SHOWN:
            boards = Counter(trouble.board for trouble in group if trouble.board)
            where = ", ".join(f"{count} on {board}" for board, count in boards.items()) or "no board"
            lines.append(f"    and {number - _NAMES_SHOWN} more ({where})")
    return lines


def board_lines(record: RunRecord) -> list[str]:
    """Return a line for each board: what came out, how long it took; for one that is out, since when and why."""
    width = max((len(board) for board in record.boards), default=0)
    return [f"{board.name:<{width}}  {_outcome(board)}" for board in record.boards.values()]


def progress_line(board: BoardProgress) -> str:
    """Return where a board is: done of planned, verdicts so far, and what runs now."""
    counted = counts(board.results)
    parts = [f"{board.name}: {board.done}/{board.planned}", counted, board.running]
    return "  ".join(part for part in parts if part)


def counts(results: Counter[str]) -> str:
    """Return counted results in words: ``3 passed, 1 error``."""
    return ", ".join(f"{results[name]} {_word(name, results[name])}" for name in _RESULTS if results[name])


def fit(lines: Iterable[str], width: int | None) -> list[str]:
    """Cut lines to the terminal's width, the cut shown; None where there is no terminal: nothing is cut."""
    return [line if width is None or len(line) <= width else line[: max(width - 1, 1)] + "…" for line in lines]


def _outcome(board: BoardProgress) -> str:
    cut = 1 if board.running else 0  # it began, and the run ended
    missing = board.planned - board.done - cut
    parts = [counts(board.results), "1 interrupted" if cut else "", f"{missing} not run" if missing else ""]
    line = ", ".join(part for part in parts if part) + f" in {board.seconds:.1f} s"
    return f"{board.out} ({line})" if board.out else line


def _word(result: str, number: int) -> str:
    return "errors" if result == "error" and number > 1 else result


def _pattern(trouble: NotPassed) -> str:
    text = _first_line(trouble.message)
    if trouble.board:
        text = text.replace(trouble.board, "{board}")
    return _VARYING.sub("#", text)


def _first_line(message: str) -> str:
    return message.partition("\n")[0]


def shortened(notes: Sequence[str]) -> list[str]:
    """Return ``notes``, or of more than three the first and how many there are besides."""
    if len(notes) <= 3:
        return list(notes)
    return [notes[0], f"and {len(notes) - 1} more lines like it; nrf91-harness report index lists them all"]
