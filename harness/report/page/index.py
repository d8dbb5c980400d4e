"""index.html of a reports folder: a grid of boards and runs, then a line for each run with its causes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from harness.report.assessment import assess, causes_at
from harness.report.history import RunHistory
from harness.report.page.render import render
from harness.report.run_summary import RunSummary

_COLUMNS: Final = 30  # how many runs the grid shows
_LISTED: Final = 200


def index_page(runs: Sequence[RunSummary], links: Mapping[str, str]) -> str:
    """Return the page about ``runs`` (oldest first). ``links``: the page of each run that still has one."""
    recent = list(runs[-_COLUMNS:])
    boards = sorted({(run.lab, board) for run in recent for board in run.boards})
    grid = [(lab, board, [_cell(run, lab, board) for run in recent]) for lab, board in boards]
    ledger = RunHistory(runs)
    places = range(len(runs) - 1, max(0, len(runs) - _LISTED) - 1, -1)
    listed = [(runs[place], causes_at(ledger, place)) for place in places]
    headline = assess(runs, ledger).headline if runs else "No run yet."
    return render("index.html", runs=runs, recent=recent, grid=grid, listed=listed, links=links, headline=headline)


def _cell(run: RunSummary, lab: str, board: str) -> dict[str, Any] | None:
    if run.lab != lab or board not in run.boards:
        return None
    failed = sum(one.board == board and one.result == "failed" for one in run.results)
    unproved = sum(one.board == board and one.result == "error" for one in run.results)
    return {"run": run.run, "state": run.board_state(board), "failed": failed, "unproved": unproved}
