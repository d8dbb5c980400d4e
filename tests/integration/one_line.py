"""A man in the middle on a board's port that changes a single line. Runs have this text in their conftest.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from harness.faults import Deed, Direction, Fault, Framing, PtyProxy
from harness.faults.script import Pass

# The proxy cuts into lines only what a fault may strike. Otherwise a line would be changed, or lost, together with what
# the board said in the same moment: a hang-up with the result of the command that it was the answer to.
_STRIKES_NEVER = Fault(Deed.DROP, Direction.IN, packet=sys.maxsize)


class OneLine(PtyProxy):
    """``struck_at``: how many lines were changed so far."""

    def __init__(self, port: str | Path, link: Path) -> None:
        super().__init__(port, link, [_STRIKES_NEVER], framing=Framing.LINES)
        self._waiting: tuple[bytes, Callable[[bytes], bytes]] | None = None
        self.struck_at = 0

    def once(self, text: bytes, what: Callable[[bytes], bytes]) -> None:
        """Make of the board's next line that holds ``text`` what ``what`` returns for it."""
        self._waiting = text, what

    def _write(self, act: Pass) -> None:
        if self._waiting is not None and act.direction is Direction.IN and self._waiting[0] in act.data:
            what, self._waiting = self._waiting[1], None
            self.struck_at += 1
            act = Pass(act.direction, what(act.data), act.at)
        super()._write(act)
