"""How tests and the run are reported: JUnit, journal, and the end of the terminal's output."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.junitxml import xml_key

from harness.errors import LabError, Misuse
from harness.plugin.own_junit import BOARD_TEST
from harness.plugin.state import (
    BOARD_PARAMETER,
    CASE,
    DERIVED,
    LEFT,
    OWN_NAMES,
    RUN,
    derived_of,
    folder_of,
    run_of,
    uses_board,
)

if TYPE_CHECKING:
    from harness.policy_trials.own_names import OwnNames


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report the lab's trouble as an error in one line, note derived trials, and journal each phase as it ends."""
    report = yield
    if RUN not in item.config.stash:  # no test of this session asks for a board
        return report
    from harness.plugin.recording import phase_ended
    from harness.redact import SECRETS

    setattr(report, BOARD_TEST, uses_board(item))
    phase = report.when or ""
    trouble = call.excinfo is not None and isinstance(call.excinfo.value, LabError | Misuse)
    if call.excinfo is not None and trouble:
        report.longrepr = call.excinfo.getrepr(style="value", chain=False)
        if phase == "call":
            report.when = "setup"  # what pytest, and every reader of JUnit, takes for an error and not a failure
    given: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    if phase == "call" and not trouble and not report.skipped:
        found: OwnNames | None = getattr(item, "funcargs", {}).get(OWN_NAMES)
        if DERIVED in given:
            derived_of(item.config).note_trial(given[BOARD_PARAMETER], given[DERIVED])
        if found is not None and not _cut_short(call.excinfo):
            derived_of(item.config).note_own_names(given[BOARD_PARAMETER], found)
    _scrub(report)
    case = item.stash.get(CASE, None)
    if case is not None:
        case.seconds += report.duration
        if report.failed:
            case.result = "failed" if phase == "call" and not trouble else "error"
        elif report.skipped:
            case.result = "skipped"
        result = case.result if report.failed else report.outcome
        message = SECRETS.scrub(str(call.excinfo.value)) if call.excinfo is not None else ""
        folder_of(item.config).write_journal(
            {**phase_ended(item, phase, result, call), "outcome": report.outcome}
            | {"seconds": round(report.duration, 3), "message": message}
        )
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Begin the journal of a run that uses boards."""
    if RUN not in session.config.stash or session.config.getoption("collectonly"):
        return
    from harness.plugin.recording import run_began

    if any(map(uses_board, session.items)):
        entry = run_began(session.items, run_of(session.config).boards_file)
        folder_of(session.config).write_journal(entry)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close what the run opened, whatever happened to it, and say in JUnit where derived trials came from."""
    run = session.config.stash.get(RUN, None)
    if run is None:
        return
    session.config.stash[LEFT] = run.close()
    if run.cases:
        from harness.plugin.recording import run_ended

        run.folder.write_journal(run_ended(run.cases))
    if run.cases and xml_key in session.config.stash:
        for cloud, line in derived_of(session.config).summary().items():
            session.config.stash[xml_key].add_global_property(f"policy_trials.{cloud}", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """End with a short table and where the reports are."""
    run = config.stash.get(RUN, None)
    if run is None or not run.cases:
        return
    from harness.lab import BUILT_IN_LAB
    from harness.report import table

    terminalreporter.section("nRF91 boards")
    if run.boards_file == BUILT_IN_LAB:
        terminalreporter.write_line(
            f"boards: the built-in virtual one, because there is no {config.rootpath}/boards.yaml"
        )
    for line in table(run.cases):
        terminalreporter.write_line(line)
    for line in derived_of(config).summary().values():
        terminalreporter.write_line(line)
    for line in config.stash.get(LEFT, []):
        terminalreporter.write_line(f"left behind: {line}", yellow=True)
    published = run.folder.publish_junit()
    terminalreporter.write_line(f"reports: {run.folder.path}" + (f" (JUnit also at {published})" if published else ""))


def _cut_short(excinfo: pytest.ExceptionInfo[BaseException] | None) -> bool:
    from harness.policy_trials.own_names import RestNotRun

    return excinfo is not None and isinstance(excinfo.value, RestNotRun)


def _scrub(report: pytest.TestReport) -> None:
    """Cut secrets from what pytest shows: a traceback shows arguments, and a captured log whatever was logged."""
    from harness.redact import SECRETS

    text = report.longreprtext
    clean = SECRETS.scrub(text)
    if clean != text:
        report.longrepr = clean
    report.sections = [(name, SECRETS.scrub(content)) for name, content in report.sections]
