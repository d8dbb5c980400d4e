"""The controller's side of parallel boards: one worker process of pytest-xdist for each board."""

from __future__ import annotations

import json
import os
import queue
import signal
import tempfile
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from xdist.dsession import Interrupted, WorkerStatus
from xdist.scheduler import LoadScheduling

from harness.errors import HarnessError
from harness.lab.scratch import Scratch
from harness.plugin.boards_out import BoardIsOut
from harness.plugin.collected_tests import Found, Part, Whole
from harness.plugin.forked_workers import use_forked_workers
from harness.plugin.interruption import torn_down
from harness.plugin.own_collection import own_boards
from harness.plugin.recorder import of_other_plugin
from harness.plugin.reporting import FOUND
from harness.plugin.run_start import plan, reports_begun, selected_boards
from harness.plugin.scheduler import DEATHS, BoardScheduling, Scheduling
from harness.plugin.state import FAULTS, INTERRUPTION, LEFT, REPORTS, folder_of, run_of
from harness.plugin.worker import pid_file
from harness.plugin.worker_input import EXITED, INPUT, LEFT_BEHIND, MISTAKEN, REFUSED, STRUCK, WorkerInput

_ROOM = 65_536  # bytes of temporary files that a run must have room for
_TIDY = 10.0  # seconds for workers that were interrupted; the run as a whole has a few more


class ParallelBoards:
    """pytest's and pytest-xdist's hooks of the controller."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._interruption = config.stash.get(INTERRUPTION, None)
        self._scratch = _scratch(config)
        self._input: WorkerInput | None = None
        self._pids: dict[Any, int] = {}
        self._died = self._began = False
        self._parts: list[str] = []  # boards, each for one worker; none where workers collect everything
        self._for_next: deque[Part] = deque()  # parts that have no worker yet
        self._inputs: dict[Any, WorkerInput] = {}  # of each worker that was ever started
        self._workers: list[Any] = []  # that have not ended
        self._given_up: dict[str, list[str]] = {}  # the scheduler's

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionstart(self) -> Generator[None, object, object]:
        """Let pytest's session begin although workers were interrupted while they started: else pytest does not end it.

        The recorder then interrupts the session. A worker may have had the signal too, and have died of it.

        Workers that cannot be started, or die meanwhile, end the run with exit code 1 and no traceback.
        """
        try:
            return (yield)
        except (Exception, KeyboardInterrupt) as error:
            if self._interruption is not None and self._interruption.why:
                return None
            if self._input is not None and isinstance(error, OSError | EOFError):
                why = f"the workers could not be started, or one was killed: {error}; run again"
                raise pytest.exit.Exception(why, pytest.ExitCode.TESTS_FAILED) from error
            raise

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, config: pytest.Config, specs: Sequence[Any]) -> None:
        """Start the clouds that all workers use, then take the workers that are there.

        All other plug-ins have started, and a signal need not wait for workers.
        """
        if self._interruption is not None:
            self._interruption.started()
        places = self._places()  # first: they are acquired in the background, and a cloud is waited for
        folder, plan_file = folder_of(config), str(self._scratch.path / "plan.json")
        self._input = WorkerInput(folder.name, plan_file, self._clouds(), places)
        self._parts = own_boards(config, len(specs))
        self._for_next.extend(self._parts)
        use_forked_workers(config, specs)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what it needs to know."""
        assert self._input is not None  # noqa: S101 - the hook above comes first
        given = self._input
        if self._parts:
            own_plan = Path(given.plan).with_name(f"{node.gateway.id}.json")
            given = replace(given, board=self._for_next.popleft(), plan=str(own_plan))
        self._inputs[node] = given
        self._workers.append(node)
        node.workerinput[INPUT] = given.text()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Scheduling:
        """Keep the tests of a board together; leave tests that use none to pytest-xdist's own scheduler.

        pytest-xdist replaces each worker that dies until its limit for the whole run, and then ends the run: here none
        is replaced that would have nothing to run. Where it ends the run before its time, it lets each worker run all
        that it was given: here each ends with the test that it runs.
        """
        scheduling = Scheduling(LoadScheduling(config, log), self._parts or [None], self)
        session = self._session
        start_another, let_end = session._clone_node, session.triggershutdown

        def replace_worker(node: Any) -> None:
            if session.shouldstop or not scheduling.needs_another(node):
                why = "the run ends" if session.shouldstop else "nothing is left that it could run"
                session.report_line(f"no worker takes its place: {why}")
                return
            former = list(self._workers)
            try:
                start_another(node)
            except (OSError, EOFError) as error:  # it was killed meanwhile, or the system has no process left
                self._workers = former
                session.report_line(f"no worker takes its place, because none could be started: {error}")
                scheduling.not_replaced(node, f"died, and none could be started in its place: {error}")

        def stop_workers() -> None:
            if session.shouldstop and self._of_boards and self._input is not None:
                for node in self._pids:
                    pid_file(self._input, node.gateway.id).unlink(missing_ok=True)
            let_end()

        session._clone_node, session.triggershutdown = replace_worker, stop_workers
        return scheduling

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Let a run of boards that ends by ``-x`` end as one without workers; pytest-xdist calls it interrupted."""
        try:
            return (yield)
        except Interrupted as end:
            workers = self._session
            if not (self._of_boards and workers.maxfail and workers.countfailures >= workers.maxfail):
                raise
            session.shouldfail = str(end)
            raise session.Failed(session.shouldfail) from end

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        """A worker has started."""
        if self._input is not None:
            self._pids[node] = int(pid_file(self._input, node.gateway.id).read_text())

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker has ended; if one is started in its place, that is next.

        Raises UsageError if pytest refused what all of them were given. Once the run goes on, only this one was
        refused: somebody has changed a file meanwhile. The scheduler reports what nobody is left to run.
        """
        self._ended(node)
        if node in self._workers:  # pytest-xdist tells it twice of one that was interrupted
            self._workers.remove(node)
        self._died |= bool(error)
        self._for_next = deque([self.part_of(node)])
        said = getattr(node, "workeroutput", {})
        if error and (reason := said.get(EXITED)):
            self._session.shouldstop = reason  # in place of "received keyboard-interrupt"
        if not self._began and (refused := said.get(REFUSED)):
            if said[MISTAKEN] or REPORTS in self._config.stash:
                reports_begun(self._config).refuse("; ".join(refused))
            raise pytest.UsageError(*refused)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """Say whose error the end of a worker is, and whether its board is out because of it."""
        board = self._board_of(crashitem)
        whose = f"{board}: " if board else ""
        died = f"{whose}the process that ran this test died (killed, or out of memory)"
        said = getattr(report.node, "workeroutput", {})
        if crashitem in self._given_up:
            report.longrepr = f"{died}, as {DEATHS - 1} before it: no other one is started"
            setattr(report, FOUND, of_other_plugin(report) | {"out": report.longrepr})
        elif EXITED in said:
            report.longrepr = f"{whose}this test ended the run by pytest.exit: {said[EXITED]}"
        else:
            report.longrepr = died

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """After the error that puts a board out, skip the rest of its tests. Count a death for -x and --maxfail."""
        if report.when not in ("setup", "call", "teardown"):  # pytest-xdist counts all but these
            self._session._handlefailures(report)
        for test in self._given_up.pop(report.nodeid, ()):
            self._skip(test, report.nodeid, report.node)  # of the worker that died

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Interrupt workers that still run, and listen to them until they have left their boards clean."""
        if not self._began and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            if REPORTS in self._config.stash:
                how = "died" if self._died else "ended by themselves"
                self._config.stash[REPORTS].refuse(f"workers {how} before they knew their tests; the output says why")
        with torn_down(self._config):
            for pid in self._pids.values():
                _interrupt(pid)
            self._hear_out()
        result = yield
        self._scratch.remove()
        return result

    def _skip(self, test: str, error_of: str, node: Any) -> None:
        """Report a test as skipped because of another one's error."""
        board = self._board_of(test)
        reason = str(BoardIsOut(board or test.partition("::")[0], error_of))
        self._report(test, "skipped", (f"board {board}", 0, reason), node)

    def _report(
        self, test: str, outcome: Literal["failed", "skipped"], why: str | tuple[str, int, str], node: Any
    ) -> None:
        """Report a test that no worker runs. ``why``: in pytest's form, a failure's text or a skip's place and text."""
        board, location = self._board_of(test), (test.partition("::")[0], None, test)
        properties = [("board", board)] if board else []
        setup = pytest.TestReport(test, location, {}, outcome, why, "setup", user_properties=properties)
        if outcome == "failed":
            setattr(setup, FOUND, of_other_plugin(setup) | {"out": why})
        teardown = pytest.TestReport(test, location, {}, "passed", None, "teardown", user_properties=properties)
        session = self._session
        session.worker_logstart(node, test, location)
        session.worker_testreport(node, setup)
        session.worker_testreport(node, teardown)

    @property
    def _session(self) -> Any:
        """pytest-xdist's session. What it is told as of a worker counts for -x and --maxfail."""
        return self._config.pluginmanager.get_plugin("dsession")

    def _ended(self, node: Any) -> None:
        if self._pids.pop(node, None) is not None:
            said = getattr(node, "workeroutput", {})  # one that died has said nothing
            self._config.stash.setdefault(LEFT, []).extend(said.get(LEFT_BEHIND, []))
            if STRUCK in said:
                self._config.stash.setdefault(FAULTS, set()).update(said[STRUCK])

    @property
    def _of_boards(self) -> bool:
        """Some test of the run uses a board."""
        reports = self._config.stash.get(REPORTS, None)
        return reports is not None and reports.record is not None

    def _board_of(self, test: str) -> str:
        reports = self._config.stash.get(REPORTS, None)
        return reports.record.planned.get(test, "") if reports and reports.record else ""

    def _clouds(self) -> dict[str, dict[str, Any]]:
        asked_for = self._config.getoption("--boards") or self._config.getoption("--board")
        if not asked_for and selected_boards(self._config) < 2:
            return {}  # these may be tests that use no board; where they do, it is one worker's
        try:
            return run_of(self._config).start_clouds()
        except HarnessError:
            return {}  # the first test that needs the cloud says what is wrong with it

    def _places(self) -> str | None:
        if selected_boards(self._config) < 2:
            return None
        try:
            return run_of(self._config).lead_places()
        except HarnessError:
            return None  # the first test that needs the place says what is wrong with it

    def part_of(self, node: Any) -> Part:
        """Return the board whose tests a worker collects; None for everything."""
        return self._inputs[node].board

    def found(self, node: Any, tests: Sequence[str]) -> Found:
        """Return what a worker has collected, with the board of each test."""
        boards = json.loads(Path(self._inputs[node].plan).read_text("utf-8"))
        return Found(tests, [boards.get(test, "") for test in tests])

    def begin(self, whole: Whole, lost: Sequence[str]) -> BoardScheduling | None:
        """Take note of what will be run, and of boards that are lost; return None where no test uses a board."""
        self._began = True
        made = None
        if any(whole.boards):
            plan(self._config, dict(zip(whole.tests, whole.boards, strict=True)))
            made = BoardScheduling(whole, self, self._config)
            self._given_up = made.given_up
            for board in whole.odd:
                other = "found other tests that use no board than that of the first board; it runs none of them"
                self._collection_failed(board, f"{board}: its worker {other}")
        for board in lost:
            why = "its workers ended before they had collected its tests, which are not run"
            self._collection_failed(board, f"{board}: {why}")
        return made

    def count(self, number: int) -> None:
        """Have pytest know, and with -v say, how many tests there are: pytest-xdist tells it those of one worker."""
        session: Any = self._config.pluginmanager.get_plugin("session")
        session.testscollected = number
        shown = getattr(self._session, "trdist", None)
        if shown is not None and number and self._config.option.verbose > 0:
            for node in self._workers:
                shown.setstatus(node.gateway.spec, WorkerStatus.CollectionDone, tests_collected=number)

    def stopping(self) -> bool:
        """Tell whether workers are being ended before their time."""
        return bool(self._session.shuttingdown or self._session.shouldstop)

    def workers(self) -> list[Any]:
        """Return the workers that have not ended, also those that are still starting."""
        return self._workers

    def cannot_run(self, tests: Sequence[str], node: Any, why: str) -> None:
        """Report ``tests`` that nobody is left to run: the first as the error of its board, the others as skipped.

        ``node``: the worker that was theirs last. ``why``: what became of it.
        """
        first, *others = tests
        whose = self._board_of(first) or first.partition("::")[0]
        said = getattr(node, "workeroutput", {})
        reasons = [*said.get(REFUSED, []), *([said[EXITED]] if EXITED in said else [])]
        reason = "; ".join([f"worker {node.gateway.id} {why}", *reasons])
        self._report(first, "failed", f"{whose}: nobody is left to run its tests: {reason}", node)
        for test in others:
            self._skip(test, first, node)

    def differs(self, node: Any) -> None:
        """Report a worker that has collected other tests than the first one of its part."""
        first = f"the first one of {self.part_of(node)}" if self._parts else "the first one"
        name = node.gateway.id
        self._collection_failed(name, f"worker {name} found other tests than {first}; it is given none")

    def _collection_failed(self, name: str, message: str) -> None:
        report = pytest.CollectReport(name, "failed", longrepr=message, result=[])
        self._session.worker_collectreport(None, report)

    def _hear_out(self) -> None:
        session = self._session
        deadline = time.monotonic() + _TIDY
        while self._pids and session is not None and time.monotonic() < deadline:
            try:
                name, fields = session.queue.get(timeout=deadline - time.monotonic())
            except queue.Empty:
                return
            if name in ("testreport", "logstart"):
                getattr(session, f"worker_{name}")(**fields)
            elif name in ("workerfinished", "errordown"):
                self._ended(fields["node"])


def _scratch(config: pytest.Config) -> Scratch:
    """Return the run's temporary folder. Raises UsageError where nothing can be written to it."""
    try:
        scratch = Scratch()
        room = scratch.path / "room"
        room.write_bytes(bytes(_ROOM))
        room.unlink()
    except OSError as error:
        why = f"{tempfile.gettempdir()}: {error.strerror}: a run has temporary files there; make room, or set TMPDIR"
        if REPORTS in config.stash:
            config.stash[REPORTS].refuse(why)
        raise pytest.UsageError(why) from error
    return scratch


def _interrupt(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
