"""What a board's timeline is told of its tests: where each begins, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.timeline import Kind, Window, now, utc_now

if TYPE_CHECKING:
    from harness.run import Board

_SOURCE = "pytest"


def begin_test(item: pytest.Item, board: Board) -> Window:
    """Open the window of a test on the board's timeline; its first event says which test it is."""
    window = Window(board.timeline)
    key = item.nodeid.replace(f"-{board.name}]", "]").replace(f"[{board.name}]", "")
    window.add(
        Kind.TEST,
        _SOURCE,
        item.nodeid,
        key=key,
        began=utc_now(),
        mono=now(),
        names=board.known_names(),
        board=board.name,
    )
    return window
