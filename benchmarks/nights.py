"""Whole nights: ``python -m benchmarks.nights 1 16 64`` runs the scenarios on so many virtual boards at real speed.

Not part of ``make bench``, because each takes minutes. Prints for each: seconds from start to end, how many tests
passed of those that were run, seconds until the first verdict, processor seconds (user and system, of all processes)
and the highest memory (proportional set size, of all processes), both for each board. 0 boards: boards.yaml, run twice;
the figures are the second run's. Where 1 is among the numbers, it also prints how much longer than that the others
took: that is what a goal is about, because the seconds depend on the computer.
"""

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.common import ratio
from harness.report.journal import read_journal
from tests.many_boards import boards_file

GOAL: Final = 1.3
_GOAL_OF: Final = 16  # boards
_LOOK: Final = 20.0  # seconds between two looks at the memory: one of sixteen boards takes a core 0.1 s
_ROOT: Final = Path(__file__).parents[1]
HEADER: Final = """| boards | s | passed | first verdict, s | processor s a board | MB a board |
|---|---|---|---|---|---|"""


class Night(NamedTuple):
    """What one run took. ``results``: number of tests by result."""

    boards: int
    seconds: float
    first: float
    results: Counter[str]
    processor: float
    megabytes: float

    @property
    def ran(self) -> int:
        """The number of tests that were not skipped."""
        return sum(self.results.values()) - self.results["skipped"]

    def line(self, name: str = "") -> str:
        """Return it as a line of a Markdown table. ``name``: its first column, else the number of boards."""
        each = max(self.boards, 1)
        return (
            f"| {name or self.boards or 'boards.yaml'} | {self.seconds:.0f} | {self.results['passed']} of {self.ran} |"
            f" {self.first:.1f} | {self.processor / each:.1f} | {self.megabytes / each:.0f} |"
        )


def main(chosen: list[str]) -> int:
    """Run each night and print the table."""
    nights: list[Night] = []
    print(HEADER)
    for number in map(int, chosen):
        with tempfile.TemporaryDirectory() as folder:
            file = _ROOT / "boards.yaml"
            if number:
                file = Path(folder) / "boards.yaml"
                file.write_text(boards_file(number))
            else:
                night(number, file, Path(folder))
            nights.append(night(number, file, Path(folder)))
            print(nights[-1].line(), flush=True)
    for line in against_one(nights):
        print(line)
    return 0


def against_one(nights: Sequence[Night]) -> list[str]:
    """Return a line for each night of several boards: how much longer than the last one of one board it took."""
    one = next((each for each in reversed(nights) if each.boards == 1), None)
    if one is None:
        return []
    return [
        f"{each.boards} boards against one: {ratio(each.seconds, one.seconds)}"
        f"{f' (goal: at most {GOAL}x)' if each.boards == _GOAL_OF else ''}"
        for each in nights
        if each.boards > 1
    ]


def night(boards: int, file: Path, folder: Path, *more: str) -> Night:
    """Run the scenarios on the boards of ``file``.

    ``boards``: how many there are; ``folder``: of reports and lab CA; ``more``: words for pytest.
    """
    reports = folder / "reports"
    where = ["--boards", str(file), "--reports", str(reports), "--lab-ca", str(folder / "ca")]
    former, before = set(reports.glob("*/journal.jsonl")), _processor()
    began, clock = time.time(), time.perf_counter()
    without = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    command = [sys.executable, "-m", "pytest", "tests/scenarios", "-q", *without, *where, *more]
    # As `make nightly` does it: otherwise each worker compiles pytest's plug-ins and the scenarios anew, and imports
    # hypothesis at its end.
    around = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command, cwd=_ROOT, env=around, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True
    ) as run:
        most = _highest_memory(run)
    seconds = time.perf_counter() - clock
    (journal,) = set(reports.glob("*/journal.jsonl")) - former
    lines = read_journal(journal)
    calls = [line for line in lines if line["k"] == "phase" and line["phase"] == "call"]
    verdicts = [line for line in calls if line.get("properties", {}).get("verdict") not in (None, "verified")]
    first = min((datetime.fromisoformat(line["at"]).timestamp() + line["seconds"] for line in verdicts), default=began)
    results: Counter[str] = Counter(lines[-1]["ended"])
    return Night(boards, seconds, first - began, results, _processor() - before, most)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _highest_memory(run: subprocess.Popen[bytes]) -> float:
    """Return the highest memory, in megabytes, that the processes of the session of ``run`` have until it ends."""
    most, ended = 0.0, threading.Event()
    threading.Thread(target=lambda: (run.wait(), ended.set()), daemon=True).start()
    while not ended.wait(_LOOK):
        most = max(most, sum(map(_proportional_set_size, _processes(run.pid))))
    return most


def _processes(session: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(path.name)) == session:
                found.append(int(path.name))
        except OSError:
            continue  # ended meanwhile
    return found


def _proportional_set_size(process: int) -> float:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
