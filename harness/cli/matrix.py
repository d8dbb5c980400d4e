"""``matrix``: shows which scenario runs on which board of the boards file, and why not on the others.

The tests are collected as pytest collects them, and none is run; no board is opened.
"""

import contextlib
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from harness.cli.arguments import Arguments
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.errors import Misuse
from harness.firmware import Capability
from harness.lab import BoardConfig, load_boards_file
from harness.run.needs import NOT_KNOWN, inapplicable, needs_of

RUNS: Final = "runs"
_BOARD: Final = "board"
_MARK: Final = "needs"


class _Collector:
    """Collects what each test function needs, by file and name, in the order of collection."""

    def __init__(self) -> None:
        self.needs: dict[str, tuple[Capability, ...]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Look at the tests that use a board."""
        for item in items:
            fixtures = getattr(item, "fixturenames", ())
            if _BOARD in fixtures:
                marked = [capability for mark in item.iter_markers(_MARK) for capability in mark.args]
                self.needs[item.nodeid.partition("[")[0]] = needs_of(fixtures, marked)


def matrix(given: Arguments, _progress: Progress) -> Result:
    """Print a table with a line for each scenario and a column for each board; below it, what its numbers mean."""
    boards = load_boards_file(given.boards).boards
    needs = _collected(given.tests, given.boards)
    reasons: list[str] = []
    rows = [_row(name, wanted, boards, reasons) for name, wanted in needs.items()]
    lines = _markdown([board.name for board in boards], rows)
    lines += ["", *(f"{number}. {reason}" for number, reason in enumerate(reasons, 1))]
    data = {
        "boards": [board.name for board in boards],
        "scenarios": {
            name: {board.name: inapplicable(board, wanted) or RUNS for board in boards}
            for name, wanted in needs.items()
        },
    }
    return Result(data, lines)


def _collected(tests: Path, boards: Path) -> Mapping[str, tuple[Capability, ...]]:
    if not tests.exists():
        raise Misuse(f"{tests}: no such folder or file: name the tests, e.g. tests/scenarios")
    collector, said = _Collector(), io.StringIO()
    arguments = [str(tests), "--collect-only", "-qq", "-p", "no:cacheprovider", "-n", "0", "--boards", str(boards)]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main(arguments, plugins=[collector])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        last = next((line for line in reversed(said.getvalue().splitlines()) if line.strip()), "")
        raise Misuse(f"{tests}: pytest cannot collect them: {last.strip()}")
    if not collector.needs:
        raise Misuse(f"{tests}: no test there uses a board")
    return collector.needs


def _row(
    name: str, wanted: Sequence[Capability], boards: Iterable[BoardConfig], reasons: list[str]
) -> tuple[str, list[str]]:
    cells = []
    for board in boards:
        reason = inapplicable(board, wanted)
        if reason is None:
            cells.append(RUNS)
            continue
        short = reason if reason == NOT_KNOWN else f"no {reason.partition(' has no ')[2]}"
        if short not in reasons:
            reasons.append(short)
        cells.append(f"{'?' if reason == NOT_KNOWN else '-'} {reasons.index(short) + 1}")
    return name.rpartition("/")[2], cells


def _markdown(boards: Sequence[str], rows: Iterable[tuple[str, list[str]]]) -> list[str]:
    table: list[list[Any]] = [["scenario", *boards], *([name, *cells] for name, cells in rows)]
    lines = ["| " + " | ".join(row) + " |" for row in table]
    return [lines[0], "|" + "---|" * len(table[0]), *lines[1:]]
