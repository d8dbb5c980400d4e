"""pytest's JUnit report, collected from the beginning and written when the harness says so.

pytest itself overwrites the old file at the end, and if the disk is full then, nothing else is cleaned up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import LogXML, xml_key  # pytest has no public way to a report that was not asked for

_HELD: pytest.StashKey[HeldReport] = pytest.StashKey()


class HeldReport(LogXML):
    """Collects what pytest's own report plug-in collects.

    ``uncollected``: files and folders that pytest could not read. Where workers run the tests, the others are run.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.uncollected: list[str] = []
        self._again: set[Any] = set()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take note of what was collected, or could not be: once, although each worker may say so.

        pytest-xdist leaves repetitions out, but takes two tracebacks for different ones always.
        """
        if report.nodeid in self.uncollected:
            return
        super().pytest_collectreport(report)
        if report.failed:
            self.uncollected.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a phase. A test that another plug-in runs again is one case, with what came out at last."""
        key = (report.id, getattr(report, "node", None))
        if getattr(report, "outcome", "") == "rerun":
            self._again.add(key)
            begun = self.node_reporters.pop(key, None)
            if begun is not None:
                self.node_reporters_ordered.remove(begun)
        elif report.when == "setup":
            self._again.discard(key)
        if key not in self._again:
            super().pytest_runtest_logreport(report)

    def pytest_sessionfinish(self) -> None:
        """Write nothing yet."""

    def pytest_terminal_summary(self) -> None:  # type: ignore[override]
        """Say nothing: the harness names its reports itself."""

    def write(self, path: Path) -> None:
        """Write the report to ``path``. Raises OSError."""
        self.logfile = str(path)
        super().pytest_sessionfinish()


def add_report(config: pytest.Config) -> None:
    """Collect a report, beside the one that the user may have asked for with ``--junitxml``."""
    held = HeldReport(
        "junit.xml",  # nothing is written to this name
        config.option.junitprefix,
        config.getini("junit_suite_name"),
        config.getini("junit_logging"),
        config.getini("junit_duration_report"),
        config.getini("junit_family"),
        config.getini("junit_log_passing_tests"),
    )
    config.stash[_HELD] = held
    config.pluginmanager.register(held)
    if xml_key not in config.stash:
        config.stash[xml_key] = held  # what a test says of the whole suite (record_testsuite_property) goes there


def report_of(config: pytest.Config) -> HeldReport:
    """Return the report that is collected."""
    return config.stash[_HELD]
