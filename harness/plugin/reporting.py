"""What a test's process reports of each phase: attached to pytest's report, as plain values, for the Recorder.

With workers the two are different processes, without workers they are one; the code is the same.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import LabError, Misuse
from harness.plugin.boards_out import BoardIsOut
from harness.plugin.collection import parameters_of
from harness.plugin.state import CASE, DERIVED, INTERRUPTION, OWN_NAMES, RUN, out_of

if TYPE_CHECKING:
    from harness.policy_trials.own_names import OwnNames

TIMEOUT = "Timeout"
"""What ended a test that pytest-timeout ended, where others have the class of their error."""
FOUND = "nrf91"
"""The attribute of pytest's report with what the harness found: plain values, because xdist sends no others."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Make sure that a test that is interrupted from here on can be torn down."""
    if INTERRUPTION in item.config.stash:
        from harness.plugin.interruption import prepare_for_interruption

        prepare_for_interruption(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report the lab's trouble as an error in one line, and attach what the phase found."""
    report = yield
    if RUN not in item.config.stash:  # no test of this session asks for a board
        return report
    from harness.plugin.recording import phase_ended, timed_out
    from harness.redact import SECRETS

    phase = report.when or ""
    error = None if call.excinfo is None else call.excinfo.value
    late = timed_out(error)
    trouble = late or isinstance(error, LabError | Misuse)
    if call.excinfo is not None and trouble:
        if not late:  # there the stack shows where it hung
            report.longrepr = call.excinfo.getrepr(style="value", chain=False)
        if phase == "call":
            report.when = "setup"  # what pytest, and every reader of JUnit, takes for an error and not a failure
    if isinstance(error, BoardIsOut):
        # One place for all tests of the board, so that pytest's summary says it once, with their number.
        report.longrepr = (f"board {error.board}", None, str(error))  # type: ignore[assignment]
    _scrub(report)
    result = report.outcome if report.outcome != "failed" or (phase == "call" and not trouble) else "error"
    found: dict[str, Any] = {"phase": phase, "result": result, "seconds": round(report.duration, 3)}
    found["message"] = "" if error is None else SECRETS.scrub(_message(error))
    case = item.stash.get(CASE, None)
    if case is not None:
        if result != "passed":
            case.result = result
        if report.failed and error is not None:
            out_of(item.config).note_error(case.board, item.nodeid, error)
        case.properties = {name: SECRETS.scrub(str(value)) for name, value in case.properties.items()}
        found |= phase_ended(item, phase, result, call) | {"out": out_of(item.config).causes.pop(item.nodeid, "")}
        if phase == "call" and not trouble and not report.skipped:
            found |= _tried(item, call)
    told = {name: value for name, value in found.items() if value != ""}
    # Once to JSON and back makes text of all other values: xdist refuses even subclasses of str.
    setattr(report, FOUND, json.loads(json.dumps(told, default=str)))
    return report


def _message(error: BaseException) -> str:
    if isinstance(error, pytest.FixtureLookupError):  # its text is Python's of its arguments
        said = error.formatrepr()
        return f"{said.errorstring.partition(chr(10))[0].strip()}: {said.filename}:{said.firstlineno + 1} asks for it"
    return str(error)


def _tried(item: pytest.Item, call: pytest.CallInfo[None]) -> dict[str, str]:
    """Return what the test adds to the summary of derived trials."""
    given, tried = parameters_of(item), {}
    names: OwnNames | None = getattr(item, "funcargs", {}).get(OWN_NAMES)
    if DERIVED in given:
        tried["trial"] = given[DERIVED].id
    if names is not None and not _cut_short(call.excinfo):
        tried["own_names"] = str(names)
    return tried


def _cut_short(excinfo: pytest.ExceptionInfo[BaseException] | None) -> bool:
    from harness.policy_trials.own_names import RestNotRun

    return excinfo is not None and isinstance(excinfo.value, RestNotRun)


def _scrub(report: pytest.TestReport) -> None:
    """Cut secrets from pytest's texts: a traceback shows arguments, and a captured log everything that was logged."""
    from harness.redact import SECRETS

    text = report.longreprtext
    clean = SECRETS.scrub(text)
    if clean != text:
        report.longrepr = clean
    report.sections = [(name, SECRETS.scrub(content)) for name, content in report.sections]
