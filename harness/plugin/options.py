"""The harness's own options and its marker, and the plug-ins that a session has from its beginning."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from harness.plugin import garbage
from harness.plugin.held_junit import add_report
from harness.plugin.marks import NEEDS_HELP
from harness.plugin.run_start import (
    LEADER,
    announce,
    begin_work,
    choose_workers,
    lead_workers,
    only_lists,
    reports_begun,
)
from harness.plugin.state import FAULTS, INTERRUPTION, REPORTS, RUN
from harness.plugin.worker_input import is_worker, worker_input


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness's own options."""
    group = parser.getgroup("nrf91", "nRF91 boards and clouds")
    group.addoption(
        "--boards", metavar="FILE", help="boards file (default: boards.yaml in the root folder, or a virtual board)"
    )
    group.addoption("--board", metavar="NAME|TAG", action="append", default=[], help="only these boards; repeatable")
    jobs = "boards at a time (default: all that are selected)"
    group.addoption("--jobs", metavar="N", type=_number("--jobs", _jobs), help=jobs)
    group.addoption(
        "--wait",
        metavar="SECONDS",
        type=_number("--wait", _seconds),
        default=0.0,
        help="how long to wait for a board that is in use",
    )
    group.addoption("--cloud", metavar="NAME", help="use this cloud of the boards file for every board")
    group.addoption("--reports", metavar="DIR", help="where runs are reported (default: reports in the root folder)")
    group.addoption(
        "--junit-properties",
        choices=("case", "output"),
        default="case",
        help="where JUnit has a case's properties; the schema of Jenkins' xunit-plugin allows them only in its output",
    )
    group.addoption(
        "--live-page", action="store_true", help="make the run's report.html anew every ten seconds while it goes on"
    )
    group.addoption(
        "--policy-trials",
        choices=("minimal", "full"),
        default="minimal",
        help="derived policy trials: the smallest set that notices every change to the policies, or all",
    )
    group.addoption(
        "--confidence",
        metavar="P",
        type=_number("--confidence", float),
        help="bound on the chance that a refusal is a coincidence (default: the boards file's, 1e-4); 1e-2 is quick",
    )
    group.addoption(
        "--lab-ca",
        metavar="DIR",
        help="folder of the lab's CA, made on first use (default: .lab/ca beside the boards file)",
    )
    group.addoption(
        "--key-origin", metavar="WHERE", choices=("device", "host", "cloud", "claim"), help="where keys are made"
    )
    group.addoption("--reprovision", action="store_true", help="make new credentials even if valid ones are there")


def _number(option: str, read: Callable[[str], float]) -> Callable[[str], float]:
    """Return what reads the value of ``option``; a mistake is one line, where argparse would tell pytest's usage."""

    def number(text: str) -> float:
        try:
            return read(text)
        except ValueError as error:
            why = "it must be a number" if read is float else str(error)
            raise pytest.UsageError(f"{option} {text}: {why}; correct it") from None

    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds < math.inf:
        raise ValueError("it must be a number of seconds, 0 or more")
    return seconds


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise ValueError("it must be a number of boards, 1 or more")
    return int(text)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Say that a run has begun, before anything else is imported. Called where the plug-in is installed."""
    _keep_from_rewriting(early_config)
    given = early_config.known_args_namespace
    if given.boards or given.board:
        garbage.look_for_none(early_config)
    announce(early_config, given)


def _keep_from_rewriting(config: pytest.Config) -> None:
    """Have pytest import the harness as Python does.

    It rewrites the asserts of every module of a plug-in that is installed. Here they are no tests' asserts, and where
    Python may keep no bytecode (PYTHONDONTWRITEBYTECODE), that is half of what a run costs each of its processes.
    """
    hook = getattr(config.pluginmanager, "rewrite_hook", None)
    getattr(hook, "_must_rewrite", set()).discard(__name__.partition(".")[0])  # pytest has no public way


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Choose the number of workers before pytest-xdist reads its option."""
    announce(config, config.option)  # where the plug-in is not installed, but named in a conftest.py
    choose_workers(config)


@pytest.hookimpl(specname="pytest_configure", tryfirst=True)
def pytest_session_begins(config: pytest.Config) -> None:
    """Let signals wait before other plug-ins begin: pytest would call the end of the run an internal error."""
    if INTERRUPTION in config.stash:
        config.stash[INTERRUPTION].begin()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the plug-ins of the whole session: the JUnit report, and the leader of the workers."""
    config.addinivalue_line("markers", "violation: breaks a policy on purpose; the board must be hung up on")
    config.addinivalue_line("markers", NEEDS_HELP)
    given = worker_input(config)
    if given is not None:
        begin_work(config, given)
    elif not only_lists(config.option) and not is_worker(config):
        add_report(config)
        shared_out = getattr(config.option, "dist", "no")
        asked_for = config.option.boards or config.option.board
        if shared_out == "load" or (shared_out != "no" and asked_for):  # no other way keeps a board's tests together
            lead_workers(config)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Record the session from now on, if boards were asked for. First: another plug-in may end it here."""
    if REPORTS in session.config.stash:
        reports_begun(session.config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Look for garbage again, in what tests of boards make."""
    garbage.look_for_new(session.config, boards=RUN in session.config.stash)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Report that no test was selected, where some are of boards: a former run's report would pass for this one's."""
    config = session.config
    if session.exitstatus != pytest.ExitCode.NO_TESTS_COLLECTED or only_lists(config.option) or is_worker(config):
        return
    leads = config.pluginmanager.has_plugin(LEADER)  # then workers have collected, and one of them says so
    known = FAULTS in config.stash if leads else RUN in config.stash
    if known or REPORTS in config.stash:
        reports_begun(config).refuse("no test was selected")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Handle signals no more."""
    if INTERRUPTION in config.stash:
        config.stash[INTERRUPTION].remove()
