"""A worker process: it says which board each test runs on, and ends with its controller."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from harness.plugin.collection import boards_of
from harness.plugin.interruption import torn_down
from harness.plugin.state import INTERRUPTION, LEFT, MISTAKE, RUN
from harness.plugin.worker_input import EXITED, LEFT_BEHIND, MISTAKEN, REFUSED, STRUCK, WorkerInput
from harness.report.junit import replace_file

_PR_SET_PDEATHSIG = 1  # prctl(2)


def pid_file(given: WorkerInput, worker: str) -> Path:
    """Return where a worker leaves its process id, which pytest-xdist does not tell the controller.

    If the controller deletes it, the worker begins no further test: that needs no room on a disk, and no reader.
    """
    return Path(given.plan).with_name(f"{worker}.pid")


class Worker:
    """pytest's hooks of a worker. ``given``: what it was told."""

    def __init__(self, config: pytest.Config, given: WorkerInput) -> None:
        name = config.workerinput["workerid"]  # type: ignore[attr-defined] # pytest-xdist has put it there
        self._pid_file = pid_file(given, name)
        self._pid_file.write_text(str(os.getpid()))
        self._given = given
        self._config = config
        # A controller that is killed says nothing. The kernel then interrupts this process: it leaves its board clean.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # the controller answers it; it may be sent to all of the run
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write down which board each test runs on, before pytest-xdist tells the controller of the tests.

        pytest calls this also on its way out, when it refuses a file or an expression of the command line.
        """
        error = sys.exc_info()[1]
        if isinstance(error, pytest.UsageError):
            said = {REFUSED: [str(line) for line in error.args], MISTAKEN: MISTAKE in self._config.stash}
            self._config.workeroutput.update(said)  # type: ignore[attr-defined] # xdist's
            raise error  # else pytest-xdist would have the tests run
        plan = Path(self._given.plan)
        if not plan.exists():  # whoever has written it knew the same
            replace_file(plan, json.dumps(boards_of(session.items)).encode())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Run no test any more if the controller has said so; pytest-xdist has given this worker all of its board's."""
        return True if self._stops(item.session) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Let this test be the last one in time for its teardown, in which the module's fixtures are torn down too.

        What fails in it is then this test's error. At the end of the session it would be nobody's.
        """
        if call.when != "teardown":
            self._stops(item.session)

    def _stops(self, session: pytest.Session) -> bool:
        if self._pid_file.exists():
            return False
        session.shouldstop = "the run ends"
        return True

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell the controller why a test has ended this worker."""
        if isinstance(excinfo.value, pytest.exit.Exception):
            self._config.workeroutput[EXITED] = str(excinfo.value)  # type: ignore[attr-defined] # xdist's

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, None]:
        """After fixtures have ended, leave boards and account clean; say what is left, before xdist says goodbye."""
        try:
            with torn_down(self._config):
                yield
        finally:
            self._config.stash[INTERRUPTION].tidy()
            run = self._config.stash.get(RUN, None)
            left = self._config.stash.get(LEFT, [])
            said = {LEFT_BEHIND: left}
            if run is not None:
                left += run.close()
                said[STRUCK] = sorted(run.struck)
            self._config.workeroutput.update(said)  # type: ignore[attr-defined] # xdist's
