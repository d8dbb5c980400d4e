"""Records the findings of tests, in the process that pytest was started in, and reports them at the end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.errors import Party
from harness.lab import BUILT_IN_LAB
from harness.plugin.end_of_run import end_lines
from harness.plugin.interruption import say_why, torn_down
from harness.plugin.reporting import FOUND, TIMEOUT
from harness.plugin.run_reports import RunReports
from harness.plugin.state import FAULTS, INTERRUPTION, LEFT, RUN, derived_of, root_of
from harness.report import RunRecord
from harness.report.pruning import PruningLimits
from harness.report.run_again import again_arguments


class Recorder:
    """pytest's hooks around :class:`RunReports`."""

    def __init__(self, config: pytest.Config, reports: RunReports) -> None:
        self._config = config
        self._reports = reports
        self._stopped = ""
        self._finished = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """The session has started: end it if it was interrupted meanwhile."""
        self._config.stash[INTERRUPTION].started()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        if self._reports.record is not None:
            with self._disk():
                self._reports.record.begin(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test has ended."""
        record = self._reports.record
        if record is None:
            return
        found = found_of(report)
        board = record.planned.get(report.nodeid, "")
        if "trial" in found:
            derived_of(self._config).note_trial(board, found["trial"])
        if "own_names" in found:
            derived_of(self._config).note_own_names(board, found["own_names"])
        with self._disk():
            record.phase(report.nodeid, found)

    @pytest.hookimpl(trylast=True)  # after pytest's own, whose words are replaced
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The run is ended from outside, or by pytest.exit."""
        why = self._config.stash[INTERRUPTION].why
        self._stopped = why or f"interrupted: {excinfo.value or excinfo.typename}"
        if self._config.option.fulltrace:
            return
        if self._reports.record is not None:
            say_why(self._config, self._stopped)
        elif why and not self._reports.collected:
            say_why(self._config, f"{why} before the first test")

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The run ends by a mistake in pytest or in a plug-in."""
        self._stopped = f"internal error: {excinfo.exconly(tryshort=True)}"

    def pytest_unconfigure(self) -> None:
        """If the session never began, say why, and close what was opened for it."""
        if not self._finished:
            self._reports.end_unbegun(self._stopped)
            if RUN in self._config.stash:
                self._config.stash[RUN].close()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, None]:
        """After fixtures and workers have ended, close what the run opened and put the reports into place."""
        self._finished = True
        try:
            with torn_down(self._config):
                yield
        finally:
            interruption = self._config.stash[INTERRUPTION]
            if interruption.why and not self._stopped:  # in the end itself, of which pytest says nothing
                self._stopped, session.exitstatus = interruption.why, pytest.ExitCode.INTERRUPTED
            interruption.tidy()
            run = self._config.stash.get(RUN, None)
            try:
                if run is not None:
                    self._config.stash.setdefault(LEFT, []).extend(run.close())
            finally:
                self._note_faults()
                if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
                    self._reports.end_unbegun()
                self._reports.finish(self._why(session), self._properties())
                if self._reports.record is not None:
                    self._reports.write_again(self._again)
                self._reports.close()
                self._take_back(session)
            if run is not None and run.report_limits is not None:
                limits = run.report_limits
                self._reports.shrink(
                    PruningLimits(
                        limits.keep_runs,
                        limits.keep_days,
                        round(limits.keep_gigabytes * 1e9),
                        limits.keep_history_days,
                    )
                )
            if self._reports.trouble and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, object, object]:
        """Let pytest's own summary leave out what the causes say, unless more words were asked for."""
        option = self._config.option
        if self._reports.record is None or option.verbose > 0 or option.tbstyle != "auto":
            return (yield)
        kept = dict(terminalreporter.stats)
        for outcome in ("failed", "error", "skipped"):
            left = [report for report in kept.get(outcome, ()) if not _told_by_causes(report, self._reports.record)]
            terminalreporter.stats[outcome] = left
        try:
            return (yield)
        finally:
            terminalreporter.stats.update(kept)  # the last line counts all of them

    @pytest.hookimpl(specname="pytest_terminal_summary")
    def pytest_say_the_end(self, terminalreporter: pytest.TerminalReporter) -> None:
        """End with what did not pass, by cause, a line for each board, and the place of the reports."""
        run = self._config.stash.get(RUN, None)
        lines = end_lines(
            self._reports,
            width=terminalreporter._tw.fullwidth if terminalreporter.isatty else None,
            colours=terminalreporter.hasmarkup,
            properties=self._properties().values(),
            left=self._left(),
            missing=f"{root_of(self._config)}/boards.yaml" if run and run.boards_file == BUILT_IN_LAB else "",
        )
        if self._reports.record is not None:
            terminalreporter.section("nRF91 boards")
        for line in lines:
            terminalreporter.write_line(line)

    def _note_faults(self) -> None:
        """Note the faults of the boards file that never struck: a test of them has shown nothing."""
        run, record = self._config.stash.get(RUN, None), self._reports.record
        if run is None or record is None or not record.cases:
            return
        elsewhere: set[str] = self._config.stash.get(FAULTS, set())
        never = [name for name in run.declared_faults if name not in run.struck | elsewhere]
        if never:
            self._reports.notes.append(f"faults of the boards file that never struck: {'; '.join(never)}")

    def _take_back(self, session: pytest.Session) -> None:
        """Have pytest's own summary and exit code say of overturned tests what the reports say."""
        told = self._reports.overturned
        if not told:
            return
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        stats: dict[str, list[Any]] = reporter.stats if reporter is not None else {}
        for outcome in ("passed", "failed"):
            mine = [one for one in stats.get(outcome, ()) if getattr(one, "nodeid", "") in told and one.when == "call"]
            for report in mine:
                stats[outcome].remove(report)
                report.outcome, report.when, report.longrepr = "failed", "setup", told[report.nodeid]
                stats.setdefault("error", []).append(report)

    def _left(self) -> list[str]:
        return self._config.stash.get(LEFT, [])

    def _again(self, tests: list[str]) -> list[str]:
        config = self._config
        return again_arguments(
            [str(one) for one in config.invocation_params.args], config.option.file_or_dir, tests, config.rootpath
        )

    def _why(self, session: pytest.Session) -> str:
        """Return what interrupted the run, "" if it ended by itself."""
        if self._stopped or self._reports.record is None:
            return self._stopped
        if session.shouldstop:
            return str(session.shouldstop)
        # A run that was told to end at its first failure has ended by itself.
        return "the run ended early" if self._reports.record.not_run and not session.shouldfail else ""

    def _properties(self) -> dict[str, str]:
        """Return the properties of the whole run."""
        record = self._reports.record
        if record is None or not record.cases or RUN not in self._config.stash:
            return {}
        return {f"policy_trials.{cloud}": line for cloud, line in derived_of(self._config).summary().items()}

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """End the run if the disk does not take its journal: later results would be lost."""
        try:
            yield
        except OSError as error:
            if not self._reports.trouble:
                stop(self._config, self._reports.note_full(error))


def stop(config: pytest.Config, why: str) -> None:
    """End the run after the present tests, also where workers run them."""
    workers = config.pluginmanager.get_plugin("dsession")
    if workers is not None:
        workers.shouldstop = why
    session = config.pluginmanager.get_plugin("session")
    if session is not None:
        session.shouldstop = why


def _told_by_causes(report: Any, record: RunRecord) -> bool:
    """Whether the table of causes, or a board's line, says all that there is: no traceback would say more."""
    if not isinstance(report, pytest.TestReport) or not record.planned.get(report.nodeid):
        return False
    found = found_of(report)
    if found.get("raised") == TIMEOUT:
        return False  # its stack shows where the test hung
    return report.skipped or found.get("party", Party.LAB) not in (Party.UNCLEAR, Party.USER)


def found_of(report: pytest.TestReport) -> dict[str, Any]:
    """Return what a report says of a phase, as the journal has it."""
    found = getattr(report, FOUND, None) or of_other_plugin(report)
    # pytest-rerunfailures gives a failure after which it runs the test again this outcome.
    return found | {"rerun": True} if str(report.outcome) == "rerun" else found


def of_other_plugin(report: pytest.TestReport) -> dict[str, Any]:
    """Return what a report says that another plug-in made; xdist makes one when a worker has died."""
    phase = report.when or ""
    crashed = phase not in ("setup", "call", "teardown")
    result = "error" if report.failed and phase != "call" else report.outcome
    said = report.longrepr  # as a text, pytest would put a line before it: in which worker, which is all one would read
    message = said if isinstance(said, str) else report.longreprtext
    found: dict[str, Any] = {"phase": phase, "result": result, "message": message}
    return {**found, "seconds": round(report.duration, 3), **({"crashed": True} if crashed else {})}
