"""Boards that are out: the first test that finds a board out is its one error, the rest of its tests are skipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from _pytest.outcomes import Skipped  # pytest.skip.Exception, by a name that a type checker knows

from harness.errors import BoardLost, LabError

if TYPE_CHECKING:
    from harness.run import Board


class BoardIsOut(Skipped):
    """Skips a test whose board is out."""

    def __init__(self, board: str, error_of: str) -> None:
        from harness.report import short_name

        super().__init__(f"{board} is out: see the error of {short_name(error_of)}", _use_item_location=True)
        self.board = board


@dataclass(slots=True)
class BoardsOut:
    """The findings of this process's tests. ``lost``: by board, the test during which it went away."""

    first: dict[str, str] = field(default_factory=dict)  # board to the test that is its error
    causes: dict[str, str] = field(default_factory=dict)  # test to the cause that it found
    lost: dict[str, str] = field(default_factory=dict)

    def open(self, board: Board, test: str) -> None:
        """Open the board for ``test``. Raises LabError the first time that fails; skips the test after that."""
        if board.name not in self.first:
            try:
                board.check()
                _ = board.opened
            except LabError as error:
                lost = self.lost.get(board.name)
                self.first[board.name] = lost or test
                self.causes[test] = str(error)
                if lost is None:
                    raise
            else:
                self.lost.pop(board.name, None)
        if board.name in self.first:
            raise BoardIsOut(board.name, self.first[board.name])

    def note_error(self, board: str, test: str, error: BaseException) -> None:
        """Note the ``error`` of ``test``: if its ``board`` cannot be opened again, this is the board's error."""
        if isinstance(error, BoardLost):
            self.lost.setdefault(board, test)
