"""What reports cost: the pages of a large night, the rows while it goes on, and the recording of every event.

Seconds are processor time of one core, so that other work on the computer does not count.
"""

import io
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from _pytest.config import get_config
from _pytest.terminal import TerminalReporter

from benchmarks.common import Row
from harness.plugin.live import Live
from harness.report import RunFolder
from harness.report.live import LiveRun
from harness.report.page import write_index, write_run_pages
from harness.report.page.files import write_live_page
from harness.timeline import TimelineFile, read_timeline
from tests.made_up_nights import Told, the_fourteen, write_night

BOARDS = ("dk-9151", "dk-9161", "thingy-9160", "rack-3", "dk-4", "dk-5")
TESTS = 155
NIGHTS = 90
LAST = 14  # the made-up night with failures of every kind
WATCHED = 10.0  # seconds of a run's rows
EVENTS = 36_000  # that the scenario suite leaves on one board: so many lines have its timeline files
REAL_SPEED = 121.0  # seconds that one board takes at 115200 baud with a modem's own times


def run() -> list[Row]:
    """Return the rows."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "reports"
        last = _nights(base)
        pages = _seconds(lambda: write_run_pages(last))
        index = _seconds(lambda: write_index([base]))
        live_page = _seconds(lambda: write_live_page(last))
        size = (last / "report.html").stat().st_size
        each = _recording(last)
    share = _rows_share()
    return [
        Row(f"{len(BOARDS) * TESTS} tests of 6 boards, {NIGHTS} nights: all pages", pages, None, "-", "< 8", "s"),
        Row("its report.html", size / 1e6, None, "-", "< 2", "MB"),
        Row(f"index.html over {NIGHTS} runs, reading included", index, None, "-", "< 1", "s"),
        Row("its page while it goes on (--live-page), in a process of its own", live_page, None, "-", "", "s"),
        Row("rows of 6 boards on a terminal, 24 tests a second", share, None, "-", "< 1", "% of a core"),
        Row("recording of one event", each * 1e6, None, "-", "", "us"),
        Row(
            f"recording of one board's night of {EVENTS:,} events at real speed",
            100 * each * EVENTS / REAL_SPEED,
            None,
            "-",
            "< 2",
            "% of it",
        ),
    ]


def _seconds(work: Callable[[], object]) -> float:
    """Return the least of three times: what else the computer does can only add to it."""

    def once() -> float:
        begin = time.process_time()
        work()
        return time.process_time() - begin

    return min(once() for _ in range(3))


def _nights(base: Path) -> Path:
    """Write a whole last night and what history needs of those before; return its folder."""

    def tell(night: int, board: str, test: int) -> Told:
        return the_fourteen(LAST, board, test % 40)

    last = write_night(base, NIGHTS, tell, boards=BOARDS, tests=TESTS)
    write_run_pages(last)
    document = json.loads((last / "run.json").read_text("utf-8"))
    for number in range(1, NIGHTS):
        stamp = f"2026{8 + number // 31:02}{1 + number % 31:02}T020000Z-{number}"
        folder = base / stamp
        folder.mkdir()
        began = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T02:00:00.000+00:00"
        changed = document | {"run": stamp, "began": began, "ended": began}
        (folder / "run.json").write_text(json.dumps(changed), "utf-8")
    return last


def _recording(folder: Path) -> float:
    """Return the seconds that an event costs."""
    events = [event for path in sorted((folder / "timeline").glob("*.jsonl")) for event in read_timeline(path).events]
    with tempfile.TemporaryDirectory() as place:
        file = TimelineFile(Path(place) / "dk.jsonl", {"run": "bench", "board": "dk"})
        begin = time.process_time()
        for start in range(0, len(events), 3):  # as they come: a command's events are few, and one write
            file(events[start : start + 3])
        took = time.process_time() - begin
        file.close()
    return took / len(events)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Report:
    outcome = "passed"

    def __init__(self, test: str, **found: object) -> None:
        self.nodeid, self.nrf91 = test, found


def _rows_share() -> float:
    """Return what the thread that draws takes of a core, in per cent, while tests end on all boards."""
    os.environ |= {"TERM": "xterm-256color", "COLUMNS": "118", "LINES": "40"}
    planned = {f"t.py::test_{number}[{board}]": board for board in BOARDS for number in range(TESTS)}
    with tempfile.TemporaryDirectory() as folder:
        reporter = TerminalReporter(get_config(), _Terminal())
        shown = Live(LiveRun(planned, time.monotonic()), reporter, RunFolder(Path(folder)), "")
        shown.start()
        clock = time.pthread_getcpuclockid(shown._thread.ident or threading.get_ident())
        begin, began = time.clock_gettime(clock), time.monotonic()
        for number, test in enumerate(planned):
            if time.monotonic() - began > WATCHED:
                break
            bad = number % 40 == 0
            shown.pytest_runtest_logstart(test)
            told = {"message": f"thing {number % 3} went wrong", "party": "cloud", "raised": "X"} if bad else {}
            call = _Report(test, phase="call", result="failed" if bad else "passed", seconds=0.1, **told)
            shown.pytest_runtest_logreport(call)  # type: ignore[arg-type]
            shown.pytest_runtest_logreport(_Report(test, phase="teardown", result="passed"))  # type: ignore[arg-type]
            time.sleep(1 / 24)
        share = 100 * (time.clock_gettime(clock) - begin) / (time.monotonic() - began)
        shown.stop()
    return share
