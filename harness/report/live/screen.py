"""The lowest lines of a terminal, drawn again and again, with everything else scrolling above them.

A frame is one write between the marks of a synchronised update
(https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036), and holds only the lines that changed: so
nothing flickers, and nothing is spent where nothing happens.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TextIO

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # a terminal that does not know them ignores them
_TO_END, _TO_LINES_END = "\x1b[J", "\x1b[K"


class Screen:
    """Stands in for the terminal ``file`` of other writers. ``size``: columns and rows, asked for at each frame."""

    def __init__(self, file: TextIO, size: Callable[[], tuple[int, int]]) -> None:
        self._file = file
        self._size = size
        self._lock = threading.RLock()  # whoever is interrupted by a signal may be asked to write
        self._drawn: list[str] = []
        self._drawn_at: tuple[int, int] = (0, 0)
        self._part = ""  # of a line above that has no end yet
        self._closed = False

    def draw(self, lines: Sequence[str]) -> None:
        """Show ``lines``, none wider than the terminal, in place of those before."""
        with self._lock:
            if self._closed:
                return
            size = self._size()
            if size != self._drawn_at:
                # A terminal that changed its width has broken lines anew: nobody knows where the former ones stand.
                self._drawn, self._drawn_at = [], size
            fresh = list(lines)
            if fresh != self._drawn:
                self._write(self._frame(fresh))
                self._drawn = fresh

    def write(self, text: str) -> int:
        """Write ``text`` above the lines; a part of a line waits for its end."""
        with self._lock:
            if self._closed:
                return self._file.write(text)
            whole, newline, self._part = (self._part + text).rpartition("\n")
            if newline:
                self.say([line.rpartition("\r")[2] for line in whole.split("\n")])
            return len(text)

    def say(self, lines: Sequence[str]) -> None:
        """Write whole lines above the rows."""
        with self._lock:
            if lines and not self._closed:
                text = "".join(line + _TO_LINES_END + "\n" for line in [*lines, *self._drawn])
                self._write(self._up(len(self._drawn)) + text + _TO_END)

    def close(self, *, keep: bool) -> None:
        """Draw no more, and pass on what is written. ``keep``: leave the last lines where they are."""
        with self._lock:
            if self._closed:
                return
            if not keep and self._drawn:
                self._write(self._up(len(self._drawn)) + _TO_END)
            self._closed = True
            if self._part.strip() and "\r" not in self._part:  # else a line of state, which is written again and again
                self._file.write(self._part)
                self._file.flush()

    def flush(self) -> None:
        """Flush what is beneath."""
        self._file.flush()

    def isatty(self) -> bool:
        """It is one."""
        return True

    def _frame(self, fresh: Sequence[str]) -> str:
        parts = [self._up(len(self._drawn))]
        for number, line in enumerate(fresh):
            same = number < len(self._drawn) and self._drawn[number] == line
            parts.append("\n" if same else f"{line}{_TO_LINES_END}\n")
        return "".join(parts) + (_TO_END if len(fresh) < len(self._drawn) else "")

    def _up(self, lines: int) -> str:
        return f"\x1b[{lines}A\r" if lines else ""

    def _write(self, text: str) -> None:
        encoding = getattr(self._file, "encoding", None) or "utf-8"
        self._file.write(f"{_BEGIN}{text}{_END}".encode(encoding, "replace").decode(encoding))
        self._file.flush()
