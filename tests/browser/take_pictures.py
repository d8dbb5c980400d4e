"""``python -m tests.browser.take_pictures``: makes the pictures of docs/ anew, of prepared nights."""

import tempfile
from pathlib import Path

from harness.report.page import write_run_pages
from tests.browser.chromium import Chromium, Tab
from tests.made_up_nights import the_fourteen, write_night

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


def main() -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as folder:
        nights = [write_night(Path(folder) / "reports", night, the_fourteen) for night in range(1, 15)]
        write_run_pages(nights[-1])
        browser = Chromium(Path(folder) / "profile")
        try:
            Tab(browser, nights[-1] / "report.html", width=1280).picture(PICTURES / "report.png", height=1620)
            Tab(browser, nights[-1].parent / "index.html", width=1280).picture(PICTURES / "index.png", height=640)
        finally:
            browser.close()


if __name__ == "__main__":
    main()
