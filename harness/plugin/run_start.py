"""The start of a run of board tests: the modules and plug-ins for it are imported and registered only then.

Other tests of the same environment have this plug-in too, and should pay nothing for it.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import Misuse
from harness.plugin import garbage
from harness.plugin.held_junit import report_of
from harness.plugin.state import FOLDER, INTERRUPTION, OWN_BOARD, REPORTS, SIDE_BY_SIDE, folder_of, root_of, run_of

if TYPE_CHECKING:
    from harness.plugin.run_reports import RunReports
    from harness.plugin.worker_input import WorkerInput


LEADER = "nrf91-side-by-side"
"""The name of the plug-in that leads the workers."""
_RECORDER = "nrf91-recorder"
_LISTING = (
    "collectonly",
    "help",
    "version",
    "markers",
    "showfixtures",
    "show_fixtures_per_test",
    "cacheshow",
    "setupplan",
)
_DEATHS = 3  # as the scheduler has it, which is not imported where no board is asked for


def reports_begun(config: pytest.Config) -> RunReports:
    """Return the reports of this run of board tests; at first, begin them, and listen to signals.

    For the process that pytest was started in.
    """
    if REPORTS not in config.stash:
        from harness.plugin.interruption import Interruption
        from harness.plugin.run_reports import RunReports
        from harness.report.junit_form import PropertiesPlace

        def place() -> PropertiesPlace:  # pytest may not have taken over its options yet
            return PropertiesPlace(config.getoption("--junit-properties"))

        reports = RunReports(folder_of(config), lambda: report_of(config), place)
        config.stash[REPORTS] = reports
        config.add_cleanup(reports.end_unbegun)
        began = config.pluginmanager.has_plugin("session")
        config.stash[INTERRUPTION] = Interruption(reports.give_up, None if began else reports.refuse)
        config.stash[INTERRUPTION].install()
    if not config.pluginmanager.has_plugin(_RECORDER) and config.pluginmanager.has_plugin("session"):
        from harness.plugin.recorder import Recorder

        config.pluginmanager.register(Recorder(config, config.stash[REPORTS]), _RECORDER)
    return config.stash[REPORTS]


def only_lists(given: argparse.Namespace) -> bool:
    """Tell whether pytest will run no test, but say what there is. ``given``: the options."""
    return any(getattr(given, name, False) for name in _LISTING)


def announce(config: pytest.Config, given: argparse.Namespace) -> None:
    """Put the last run's report away if boards are asked for: nobody must take it for this run's.

    As early as can be: what is imported next takes a second, in which a run may be killed. ``given``: the options, as
    pytest has not taken them over yet.
    """
    worker = "PYTEST_XDIST_WORKER" in os.environ
    if not (given.boards or given.board) or only_lists(given) or worker:
        return
    if FOLDER not in config.stash:
        from harness.report.run_folder import RunFolder

        config.stash[FOLDER] = RunFolder(Path(given.reports or root_of(config) / "reports"))
    reports_begun(config).announce()


def plan(config: pytest.Config, tests: Mapping[str, str]) -> None:
    """Take note of what will be run: test (its node id) to board, "" for one that uses none."""
    from harness.plugin.recording import run_began

    reports = reports_begun(config)
    try:
        run = run_of(config)
    except Misuse as mistake:  # where workers collect, nobody has read the boards file here before
        reports.refuse(str(mistake))
        raise pytest.UsageError(str(mistake)) from mistake
    reports.plan(tests, run_began(tests, run.boards_file, run.lab_name, reports.folder.path))
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and any(tests.values()) and (trouble := run.trouble({name for name in tests.values() if name})):
        reporter.ensure_newline()
        reporter.write_line(f"doctor: {trouble}", red=True)
    if reports.record is not None and reporter and config.option.verbose <= 0:
        _show_live(config, reports, reporter)


def _show_live(config: pytest.Config, reports: RunReports, reporter: pytest.TerminalReporter) -> None:
    from harness.plugin.live import Live
    from harness.report.live import LiveRun
    from harness.report.live.live_page import LivePage

    assert reports.record is not None  # noqa: S101 - a run without boards has no rows
    workers = config.option.numprocesses if isinstance(getattr(config.option, "numprocesses", None), int) else 1
    page = LivePage(reports.folder.path) if config.getoption("--live-page") else None
    live = LiveRun(reports.record.planned, time.monotonic(), workers)
    shown = Live(live, reporter, reports.folder, run_of(config).lab_name, page)
    config.pluginmanager.register(shown, "nrf91-live")
    shown.start()


def begin_work(config: pytest.Config, given: WorkerInput) -> None:
    """Begin as a worker."""
    if given.clouds:  # there are boards
        garbage.look_for_none(config)
    from harness.plugin.interruption import Interruption
    from harness.plugin.worker import Worker

    config.stash[OWN_BOARD] = given.board
    config.stash[INTERRUPTION] = Interruption()
    config.stash[INTERRUPTION].install()
    config.pluginmanager.register(Worker(config, given), "nrf91-worker")


def lead_workers(config: pytest.Config) -> None:
    """Lead pytest-xdist's workers."""
    from harness.plugin.parallel_boards import ParallelBoards

    config.pluginmanager.register(ParallelBoards(config), LEADER)


def choose_workers(config: pytest.Config) -> None:
    """Ask pytest-xdist for a worker for each selected board where there are several, unless ``-n`` was given.

    Raises UsageError if the system does not let so many run side by side.
    """
    option = config.option
    wanted = getattr(option, "numprocesses", "no xdist")
    if wanted not in (None, "auto") or only_lists(option) or option.usepdb or hasattr(config, "workerinput"):
        return
    boards = selected_boards(config)
    workers = min(boards, config.getoption("--jobs") or boards)
    if workers > 1:
        option.numprocesses = workers
        if workers == boards:
            config.stash[SIDE_BY_SIDE] = [board.name for board in run_of(config).selected]
        if getattr(option, "maxworkerrestart", None) is None:
            option.maxworkerrestart = str(boards * _DEATHS)  # each board has its own limit
        from harness.plugin.forked_workers import fork_workers
        from harness.plugin.limits import lacking

        fork_workers(config, workers)
        if why := lacking(workers):  # behind it, because a process that may still have a thread is not forked
            if REPORTS in config.stash:
                reports_begun(config).refuse(why)
            raise pytest.UsageError(why)


def selected_boards(config: pytest.Config) -> int:
    """Return how many boards this run is for; 0 if that cannot be told: collection will then say why."""
    path = root_of(config) / (config.getoption("--boards") or "boards.yaml")
    try:
        if not path.is_file():  # a pipe or a device would be waited for
            return 0
        if path.read_text("utf-8").count("name") < 2:
            return 1  # without reading it as YAML, which takes longer than all of pytest's start
    except (OSError, UnicodeDecodeError):
        return 0
    from harness.errors import HarnessError

    try:
        run = run_of(config)
        run.check_api_keys({board.name for board in run.selected})
        return len(run.selected)
    except HarnessError:
        return 0
