"""Progress as lines of a log: a new cause, a board that was lost or is done, and how far all are each minute."""

from collections.abc import Iterator
from typing import Final

from harness.report.assessment import counts
from harness.report.live.block import party
from harness.report.live.progress import LiveBoard, LiveView
from harness.report.page.words import visible
from harness.report.run_folder import short_name

HEARTBEAT: Final = 60.0
"""Seconds between two lines of each board that is not done."""


class PlainLines:
    """Says each thing once. ``began``: monotonic."""

    def __init__(self, began: float) -> None:
        self._told: set[str] = set()
        self._last = began

    def new(self, view: LiveView, now: float) -> list[str]:
        """Return the lines that are new at ``now`` (monotonic)."""
        return [*self._causes(view), *self._boards(view), *self._heartbeat(view, now)]

    def _causes(self, view: LiveView) -> Iterator[str]:
        for row in view.causes:
            if self._is_new(f"cause {row.cause.hash}"):
                word = "FAILED" if row.failed else "NOT PROVED"
                detail = f" ({row.cause.detail})" if row.cause.detail else ""
                age = f", {row.age}" if row.age else ""
                test = short_name(row.tests[0].test)
                yield visible(f"{word} {party(row.cause.party)[0]}: {row.cause.title}{detail}{age}: {test}")

    def _boards(self, view: LiveView) -> Iterator[str]:
        for board in view.boards:
            if board.complete and self._is_new(f"done {board.name}"):
                yield board_line(board)

    def _heartbeat(self, view: LiveView, now: float) -> Iterator[str]:
        if now - self._last < HEARTBEAT:
            return
        self._last = now
        yield from (board_line(board) for board in view.boards if not board.complete)

    def _is_new(self, what: str) -> bool:
        if what in self._told:
            return False
        self._told.add(what)
        return True


def board_line(board: LiveBoard) -> str:
    """Return where a board is: done of planned, results so far, and what runs now."""
    parts = [f"{board.name}: {board.done}/{board.planned}", counts(board.results)]
    return visible("  ".join(part for part in [*parts, short_name(board.running), "SLOW" * board.slow] if part))
