"""How the project's own tests are dealt out to several processes.

Tests of whole runs come first and one by one; of all others those of a file stay together, because they share boards
and clouds. The slowest are dealt first, or one process would be left with them at the end. Nobody keeps a list of them:
a module of whole runs imports ``tests.integration.runs``, and a test that may take long says so by its time limit. One
that reads what another test has left has the shortest limit and is dealt last: earlier it would wait, and its process.
"""

from __future__ import annotations

import importlib
import os
import signal
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SCENARIOS = ROOT / "tests" / "scenarios"
_WHOLE_RUNS = b"tests.integration.runs import"
_TOGETHER = b'scope="module"'


@cache
def deals_alone(path: Path) -> bool:
    """A test of this file can run in a process of its own: each is a whole run, and they share nothing."""
    text = path.read_bytes()
    return _WHOLE_RUNS in text and _TOGETHER not in text


def _turn(item: pytest.Item) -> tuple[float, bool, int]:
    """Sort by how long tests may take; those alike by a number that mixes files that wait with files that compute."""
    mark = item.get_closest_marker("timeout")
    limit = float(mark.args[0] if mark and mark.args else 300) or float("inf")
    return -limit, not deals_alone(item.path), zlib.crc32(item.path.name.encode())


def pytest_collection(session: pytest.Session) -> None:
    """Have each of xdist's processes begin to import the tests at another place.

    In a clean checkout pytest rewrites the asserts of all tests, which takes longer than all else that is done to
    collect them. So each process rewrites its share, and finds the others' in the cache of bytecode.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    given = [Path(argument.partition("::")[0]).absolute() for argument in session.config.args]
    files = [file for path in given for file in (sorted(path.rglob("test_*.py")) if path.is_dir() else [path])]
    if any(SCENARIOS in file.parents for file in files):
        return
    for file in files[len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"] :]:
        try:
            importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        except (Exception, pytest.skip.Exception):  # the collection says so, where it belongs
            return


@pytest.fixture
def hang_up_ends() -> Iterator[None]:
    """Have SIGHUP end what a test starts, although who started the tests may ignore it (nohup, some CI runners)."""
    former = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, former)


def pytest_configure(config: pytest.Config) -> None:
    """Deal out the project's own tests; a run of the scenarios on several boards does that by itself."""
    if config.getoption("dist", "no") == "loadfile" or "PYTEST_XDIST_WORKER" in os.environ:
        config.pluginmanager.register(Dealing())


class Dealing:
    """pytest's and pytest-xdist's hooks."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort the tests of xdist's processes; scenarios stay as they are written, on their boards."""
        if "PYTEST_XDIST_WORKER" in os.environ and not any(SCENARIOS in item.path.parents for item in items):
            items.sort(key=_turn)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Deal out files, or single tests, in the order of the collection."""
        if config.getoption("dist") != "loadfile":
            return None
        from xdist.scheduler import LoadScopeScheduling

        class Files(LoadScopeScheduling):
            def _split_scope(self, nodeid: str) -> str:
                file = nodeid.partition("::")[0]
                return nodeid if deals_alone(ROOT / file) else file

        return Files(config, log)
