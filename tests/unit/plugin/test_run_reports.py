"""The shared JUnit report of a run that ended before it had a test: never that of the run before it."""

from types import SimpleNamespace

import pytest

from harness.plugin.end_of_run import end_lines
from harness.plugin.run_reports import RunReports
from harness.report import RunFolder, RunJournal
from harness.report.junit_form import PropertiesPlace
from harness.report.run_lock import goes_on
from harness.trial import Outcome
from harness.trial.verdict_record import HangUp, TestRecord, TrialVerdict

FORMER = b"<testsuites/>"


def nothing():
    raise AssertionError("nobody asks for it")


def all_collected():
    return SimpleNamespace(uncollected=[])


@pytest.fixture
def reports(tmp_path):
    (tmp_path / "junit.xml").write_bytes(FORMER)
    made = RunReports(RunFolder(tmp_path), all_collected, nothing)
    made.announce()
    return made


def shared(tmp_path):
    return (tmp_path / "junit.xml").read_bytes()


def test_an_interruption_while_tests_are_collected_is_told(reports, tmp_path):
    assert shared(tmp_path) != FORMER
    reports.finish("interrupted by SIGTERM", {})
    assert b"interrupted by SIGTERM before the first test" in shared(tmp_path)


@pytest.mark.parametrize("interrupted", ["", "interrupted by SIGTERM"])
def test_a_run_without_board_tests_leaves_the_former_report(reports, tmp_path, interrupted):
    reports.collected = True
    reports.finish(interrupted, {})
    assert shared(tmp_path) == FORMER
    assert [path.name for path in tmp_path.iterdir()] == ["junit.xml"]


def test_a_run_goes_on_from_its_plan_until_its_reports_are_closed(reports):
    reports.plan({"test_it.py::test_it[one]": "one"}, {})
    assert goes_on(reports.folder.path)
    reports.close()
    assert not goes_on(reports.folder.path)


def test_the_journal_never_stands_without_the_lock(reports, monkeypatch):
    """Else another run's reports would call this one killed."""
    seen = []
    monkeypatch.setattr(RunJournal, "begin", lambda *_: seen.append(goes_on(reports.folder.path)))
    reports.plan({"test_it.py::test_it[one]": "one"}, {})
    reports.close()
    assert seen == [True]


def test_a_mistake_that_was_told_stays(reports, tmp_path):
    reports.refuse("boards.yaml:1: wrong")
    reports.finish("interrupted by SIGTERM", {})
    assert b"boards.yaml:1: wrong" in shared(tmp_path)


def reports_of_a_limit(tmp_path, result):
    """The reports of a run whose violation ended with ``result`` where a packet limit ends what is allowed, too."""
    reports = RunReports(RunFolder(tmp_path), nothing, lambda: PropertiesPlace.CASE)
    reports.announce()
    violation, other = "t.py::test_violation[one]", "t.py::test_other[one]"
    reports.plan({violation: "one", other: "one"}, {})
    refused = TrialVerdict(1, "packet", "publish on x", Outcome.POLICY_DISCONNECT, (Outcome.POLICY_DISCONNECT,))
    found = {
        violation: (result, TestRecord((refused,), (HangUp(1.0, 4, 1, True),))),
        other: ("passed", TestRecord((), (HangUp(1.0, 4, -1, False),) * 3)),
    }
    for test, (ended, trials) in found.items():
        reports.record.begin(test)
        reports.record.phase(test, {"phase": "call", "result": ended})
        reports.record.phase(test, {"phase": "teardown", "result": "passed", "trials": trials.as_data()})
    return reports


def test_a_run_that_is_ended_hard_has_its_verdicts_overturned_too(tmp_path):
    reports = reports_of_a_limit(tmp_path, "passed")
    reports.give_up("ended by SIGTERM, twice")
    reports.close()
    assert b"overturned by the run: 3 connections ended at packet 4 too" in shared(tmp_path)


def test_the_terminal_tells_of_a_failure_that_stays_though_its_verdict_was_taken_back(tmp_path):
    reports = reports_of_a_limit(tmp_path, "failed")
    assert reports.record.overturn() == {}
    lines = end_lines(reports, width=None, colours=False, properties=(), left=(), missing="")
    reports.close()
    (told,) = (line for line in lines if "stays failed" in line)
    assert told.startswith("t.py::test_violation[one] stays failed: something else failed it. overturned by the run: 3")
