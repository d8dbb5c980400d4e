"""How the project's own tests are dealt out to several processes."""

import os
import zlib
from pathlib import Path

import pytest

SCENARIOS = Path(__file__).parent / "scenarios"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the modules: each of xdist's processes then has tests that wait beside tests that compute, to the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: 0 if SCENARIOS in item.path.parents else zlib.crc32(item.path.name.encode()))
