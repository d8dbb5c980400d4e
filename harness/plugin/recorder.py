"""Records the findings of tests, in the process that pytest was started in, and reports them at the end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.lab import BUILT_IN_LAB
from harness.plugin.reporting import FOUND
from harness.plugin.run_reports import RunReports
from harness.plugin.state import INTERRUPTION, LEFT, RUN, derived_of, root_of
from harness.report import board_lines, cause_lines, fit
from harness.report.terminal_summary import shortened


class Recorder:
    """pytest's hooks around :class:`RunReports`."""

    def __init__(self, config: pytest.Config, reports: RunReports) -> None:
        self._config = config
        self._reports = reports
        self._stopped = ""

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
        found: dict[str, Any] = getattr(report, FOUND, None) or of_other_plugin(report)
        board = record.planned.get(report.nodeid, "")
        if "trial" in found:
            derived_of(self._config).note_trial(board, found["trial"])
        if "own_names" in found:
            derived_of(self._config).note_own_names(board, found["own_names"])
        with self._disk():
            record.phase(report.nodeid, found)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The run is ended from outside, or by pytest.exit."""
        self._stopped = self._config.stash[INTERRUPTION].why or f"interrupted: {excinfo.value or excinfo.typename}"

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The run ends by a mistake in pytest or in a plug-in."""
        self._stopped = f"internal error: {excinfo.exconly(tryshort=True)}"

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """After fixtures and workers have ended, close what the run opened and put the reports into place."""
        try:
            return (yield)
        finally:
            self._config.stash[INTERRUPTION].tidy()
            run = self._config.stash.get(RUN, None)
            try:
                if run is not None:
                    self._config.stash.setdefault(LEFT, []).extend(run.close())
            finally:
                self._reports.finish(self._why(session), self._properties())
            if run is not None and run.report_limits is not None:
                limits = run.report_limits
                self._reports.shrink(limits.keep_runs, limits.keep_days, limits.keep_gigabytes)
            if self._reports.trouble and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """End with the tests that did not pass, by cause, a line for each board, and the place of the reports."""
        record = self._reports.record
        if record is not None:
            terminalreporter.section("nRF91 boards")
            run = self._config.stash.get(RUN, None)
            if run is not None and run.boards_file == BUILT_IN_LAB:
                terminalreporter.write_line(
                    f"boards: the built-in virtual one, because there is no {root_of(self._config)}/boards.yaml"
                )
            width = terminalreporter._tw.fullwidth if terminalreporter.isatty else None
            for line in fit(cause_lines(record), width):
                terminalreporter.write_line(line, red=not line.startswith(" "))
            for line in fit(board_lines(record), width):
                terminalreporter.write_line(line)
            for line in self._properties().values():
                terminalreporter.write_line(line)
            for line in self._config.stash.get(LEFT, []):
                terminalreporter.write_line(f"left behind: {line}", yellow=True)
        for line in shortened(self._reports.notes):
            terminalreporter.write_line(line, yellow=True)
        if self._reports.trouble:
            terminalreporter.write_line(self._reports.trouble, red=True)
        elif record is not None:
            folder = self._reports.folder
            terminalreporter.write_line(f"reports: {folder.path} (JUnit also at {folder.shared_junit})")
            if self._reports.headline:
                terminalreporter.write_line(f"{self._reports.headline} Page: {folder.page}")

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


def of_other_plugin(report: pytest.TestReport) -> dict[str, Any]:
    """Return what a report says that another plug-in made; xdist makes one when a worker has died."""
    phase = report.when or ""
    crashed = phase not in ("setup", "call", "teardown")
    result = "error" if report.failed and phase != "call" else report.outcome
    found: dict[str, Any] = {"phase": phase, "result": result, "message": report.longreprtext}
    return {**found, "seconds": round(report.duration, 3), **({"crashed": True} if crashed else {})}
