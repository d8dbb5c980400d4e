"""The page of a run that goes on, made anew while there is something new, in a process that nobody waits for.

Building takes seconds of computing; in the process that runs tests it would make their deadlines late.
``python -m harness.report.live.live_page FOLDER`` makes it once.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from harness.errors import HarnessError

EVERY: Final = 10.0
"""Seconds between two beginnings, at least."""
_STOP: Final = 10.0  # seconds until a builder that was told to end must have


class LivePage:
    """``folder``: of the run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._builder: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._size = -1

    def refresh(self, now: float) -> None:
        """Begin to make the page, unless that was a short while ago or nothing has happened since. ``now``: monotonic.

        A page that cannot be made is not the run's trouble: the last one at its end says why.
        """
        busy = self._builder is not None and self._builder.poll() is None
        size = self._journal_size()
        if busy or size == self._size or (self._size >= 0 and now - self._began < EVERY):
            return
        self._began, self._size = now, size
        self._builder = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self._folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        """End the builder: whatever page is written next is the last one."""
        if self._builder is None:
            return
        if self._builder.poll() is None:
            self._builder.kill()
        self._builder.wait(_STOP)
        for left in self._folder.glob(f".*.{self._builder.pid}"):
            left.unlink(missing_ok=True)
        self._builder = None

    def _journal_size(self) -> int:
        try:
            return (self._folder / "journal.jsonl").stat().st_size
        except OSError:
            return -1


def main(folder: Path) -> int:
    """Write the page of the run as it is now."""
    from harness.report.page import write_live_page

    try:
        write_live_page(folder)
    except (HarnessError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.nice(10)  # tests come first
    sys.exit(main(Path(sys.argv[1])))
