"""``python -m tests.browser.take_pictures``: makes the pictures of docs/ anew, of prepared nights."""

import io
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from harness.report.causes import FailureCause
from harness.report.live import LiveBoard, LiveCause, LiveView, block
from harness.report.page import write_run_pages
from harness.report.ran_tests import RanTest
from tests.browser.chromium import Chromium, Tab
from tests.made_up_nights import the_fourteen, write_night

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
_COLUMNS = 116


def main() -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as folder:
        nights = [write_night(Path(folder) / "reports", night, the_fourteen) for night in range(1, 15)]
        write_run_pages(nights[-1])
        terminal = Path(folder) / "live.html"
        terminal.write_text(_terminal(), "utf-8")
        browser = Chromium(Path(folder) / "profile")
        try:
            page = nights[-1] / "report.html"
            Tab(browser, page, width=1280).picture(PICTURES / "report.png", height=1160)
            Tab(browser, page, width=1280).picture(PICTURES / "experiment.png", begin="#t1", end="#t1 .axis")
            Tab(browser, nights[-1].parent / "index.html", width=1280).picture(PICTURES / "index.png", height=640)
            Tab(browser, terminal, width=1000).picture(PICTURES / "live.png")
        finally:
            browser.close()


def _terminal() -> str:
    """Return a terminal in the middle of a night, as HTML."""
    doing = {"thingy-9160": "test_own_record  3 s  questions", "dk-9161": "test_device_message_in_data_mode"}
    console = Console(record=True, file=io.StringIO(), width=_COLUMNS, force_terminal=True, color_system="truecolor")
    for line in block(_night(), lambda board: doing.get(board.name, ""), 20):
        console.print(line, no_wrap=True, overflow="ellipsis")
    shown = console.export_html(inline_styles=True, code_format="<pre>{code}</pre>", theme=SVG_EXPORT_THEME)
    style = "body{background:#1b1f24;color:#e8eaed;margin:0;padding:14px}pre{margin:0;font:13px/1.45 monospace}"
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style>{shown}'


def _night() -> LiveView:
    def board(
        name: str, failed: int, error: int, passed: int, skipped: int, running: str = "", out: str = ""
    ) -> LiveBoard:
        results = {"failed": failed, "error": error, "passed": passed, "skipped": skipped}
        return LiveBoard(name, 155, results, running, out=out)

    def cause(party: str, title: str, name: str, result: str, number: int) -> LiveCause:
        tests = [RanTest(f"t{n}[{name}]", name, f"t{n}", result) for n in range(number)]
        return LiveCause(FailureCause(title, party, title), tests, "new" if result == "failed" else "")

    boards = [
        board("dk-9151", 0, 0, 152, 3),
        board("dk-9161", 5, 0, 88, 2, running="x"),
        board("thingy-9160", 0, 0, 70, 1, running="x"),
        board("rack-3", 0, 22, 25, 0, out="rack-3: its process died, signal 9"),
    ]
    causes = [
        cause("cloud", "The cloud refuses what associated statement 2 allows", "dk-9161", "failed", 5),
        cause("lab", "rack-3 was lost", "rack-3", "error", 22),
    ]
    return LiveView(620, 290.0, boards, causes, done=368, left=163.0)


if __name__ == "__main__":
    main()
