"""The JUnit report that the harness writes although nobody named one with ``--junitxml``."""

from __future__ import annotations

import pytest
from _pytest.junitxml import LogXML, xml_key  # pytest has no public way to a report that was not asked for

from harness.plugin.state import folder_of, reports_of

BOARD_TEST = "nrf91_board_test"
"""The attribute of a report that says: this test uses a board. xdist carries it from a worker to the controller."""


class OwnJunit(LogXML):
    """pytest's report in the run's folder. It is written if there was a board test: otherwise nobody wants a file.

    ``wanted``: there was one.
    """

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(
            reports_of(config) / "junit.xml",
            config.option.junitprefix,
            config.getini("junit_suite_name"),
            config.getini("junit_logging"),
            config.getini("junit_duration_report"),
            config.getini("junit_family"),
            config.getini("junit_log_passing_tests"),
        )
        self._config = config
        self.wanted = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add a test, and note whether it used a board."""
        self.wanted = self.wanted or getattr(report, BOARD_TEST, False)
        super().pytest_runtest_logreport(report)

    def pytest_sessionfinish(self) -> None:
        """Write the report."""
        if self.wanted:
            self.logfile = str(folder_of(self._config).junit.absolute())
            super().pytest_sessionfinish()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Say where the report is."""
        if self.wanted:
            super().pytest_terminal_summary(terminalreporter, config)


def add_own_junit(config: pytest.Config) -> None:
    """Report in JUnit too, unless the user named a file, or this session only lists tests, or works for another."""
    is_worker = hasattr(config, "workerinput")  # of xdist: the controller writes the report
    if config.option.xmlpath is None and not config.option.collectonly and not is_worker:
        config.stash[xml_key] = OwnJunit(config)
        config.pluginmanager.register(config.stash[xml_key])


def want_own_junit(config: pytest.Config) -> None:
    """Note that there are board tests; the report is written although, say, another file cannot be imported."""
    xml = config.stash.get(xml_key, None)
    if isinstance(xml, OwnJunit):
        xml.wanted = True
