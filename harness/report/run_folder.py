"""The folder that one run leaves behind: ``reports/<run>/`` with junit.xml, journal, page and transcripts."""

import hashlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path

_UNSAFE = re.compile(r"[^A-Za-z0-9_.,=+-]+")
_LONGEST_NAME = 120


def short_name(test: str) -> str:
    """Return a pytest node id without its folders: ``test_policy.py::test_x[a/b]``. Parameters may hold slashes."""
    path, colons, rest = test.partition("::")
    return path.rpartition("/")[2] + colons + rest


def timeline_name(board: str) -> str:
    """Return the name of the file with the timeline of ``board``, before it is packed."""
    return f"{_UNSAFE.sub('_', board)}.jsonl"


class RunFolder:
    """Names the files of a run below ``base``. ``base``: usually ``reports``.

    ``name``: the run's id; a worker process is given the one of its controller, all others make their own.
    """

    def __init__(self, base: Path, name: str | None = None) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.base = base
        self.name = name or f"{stamp}-{os.getpid()}"
        self.path = base / self.name

    @property
    def junit(self) -> Path:
        """The run's JUnit report."""
        return self.path / "junit.xml"

    @property
    def shared_junit(self) -> Path:
        """Where CI looks: the report of the run that began or ended last."""
        return self.base / "junit.xml"

    @property
    def journal(self) -> Path:
        """The run's journal: one JSON object a line."""
        return self.path / "journal.jsonl"

    @property
    def page(self) -> Path:
        """The page that says who is to blame."""
        return self.path / "report.html"

    @property
    def timelines(self) -> Path:
        """The folder of the boards' timelines."""
        return self.path / "timeline"

    def timeline(self, board: str) -> Path:
        """Return where the timeline of ``board`` belongs."""
        return self.timelines / timeline_name(board)

    @property
    def again(self) -> Path:
        """pytest's arguments that run once more what did not pass."""
        return self.path / "again.txt"

    @property
    def table(self) -> Path:
        """Every test with its verdict, one line each."""
        return self.path / "tests.txt"

    def transcript(self, test: str) -> Path:
        """Return where the transcript of ``test`` (a pytest node id) belongs."""
        name = short_name(test).replace("::", ".").replace("[", "-").replace("]", "")
        safe = _UNSAFE.sub("_", name)[:_LONGEST_NAME]
        if safe != name:
            safe += f"-{hashlib.sha256(test.encode()).hexdigest()[:8]}"  # names that differ in what was cut stay apart
        return self.path / "transcripts" / f"{safe}.log"
