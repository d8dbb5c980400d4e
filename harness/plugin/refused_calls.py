"""Calls that pytest refuses before it knows a test: no board was asked for yet, but a former run's report stands."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from harness.plugin.run_start import only_lists
from harness.plugin.state import REPORTS, root_of

NO_TEST_KNOWN = "pytest ended, its output says why, before the first test"


@pytest.hookimpl(specname="pytest_addhooks")
def pytest_is_loading(pluginmanager: pytest.PytestPluginManager) -> None:
    """Look at how pytest ends. From the beginning: it refuses options before it calls other hooks."""
    config = pluginmanager.get_plugin("pytestconfig")
    if config is not None:
        config.add_cleanup(partial(_report_refusal, config))


def _report_refusal(config: pytest.Config) -> None:
    """Put an error in place of a former run's report if an exception ends pytest before a test is known.

    CI would take it for this run's. Only in place of a report of the harness: where there is none, nothing is written.
    """
    given = getattr(config, "known_args_namespace", None)
    session = config.pluginmanager.get_plugin("session")
    ended = sys.exc_info()[1]  # pytest cleans up while it passes on
    if not isinstance(ended, Exception) or given is None or only_lists(given):
        return
    if REPORTS in config.stash or "PYTEST_XDIST_WORKER" in os.environ or (session is not None and session.items):
        return  # somebody else reports, or it is known that no test is of boards
    base = Path(_named(config) or root_of(config) / "reports")
    if not (base / "junit.xml").is_file():
        return
    from harness.report.junit import mistake, run_of, write_report
    from harness.report.run_folder import RunFolder

    folder = RunFolder(base)
    if run_of(folder.shared_junit) is not None:
        with suppress(OSError):  # pytest says already why the call was refused
            write_report(mistake(folder.name, NO_TEST_KNOWN), folder.junit, folder.shared_junit)


def _named(config: pytest.Config) -> str | None:
    """Return what ``--reports`` names, also where pytest could not read the options."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--reports")
    arguments = [*config.getini("addopts"), *shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))]
    try:
        named: str | None = parser.parse_known_args([*arguments, *map(str, config.invocation_params.args)])[0].reports
    except argparse.ArgumentError:  # it has no value
        return None
    return named
