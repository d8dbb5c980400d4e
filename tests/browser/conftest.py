"""Pages of prepared nights, and a browser to look at them."""

from pathlib import Path

import pytest

from harness.report.page import write_run_pages
from tests.browser.chromium import PROGRAM, Chromium
from tests.made_up_nights import the_fourteen, write_night

PICTURES = Path(__file__).parents[2] / "build" / "pictures"


def pytest_collection_modifyitems(items):
    if PROGRAM is None:
        skip = pytest.mark.skip(reason="needs Chromium (Debian: apt-get install chromium)")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    found = Chromium(tmp_path_factory.mktemp("profile"))
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """Fourteen nights; the last has its page, and so has the index."""
    base = tmp_path_factory.mktemp("reports")
    folders = [write_night(base, night, the_fourteen) for night in range(1, 15)]
    for folder in (folders[12], folders[13]):
        write_run_pages(folder)
    return folders


@pytest.fixture(scope="session")
def page(reports):
    return reports[-1] / "report.html"


@pytest.fixture(scope="session")
def index(reports):
    return reports[-1].parent / "index.html"
