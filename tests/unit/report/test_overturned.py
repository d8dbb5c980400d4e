"""A verdict that the run as a whole overturns: record, journal and JUnit say the same of its test."""

from xml.etree import ElementTree

import pytest

from harness.report import RunJournal, RunRecord
from harness.report.journal import read_journal
from harness.report.junit import new_report, overturn, write_report
from harness.report.ran_tests import overturned_in, ran_tests
from harness.report.rebuild import rebuild
from harness.trial import Outcome
from harness.trial.verdict_record import HangUp, TestRecord, TrialVerdict

REFUSED = Outcome.POLICY_DISCONNECT
VIOLATION, OTHER = "t.py::test_violation[dk]", "t.py::test_other[dk]"


def trials(*hang_ups, verdict=True, wanted=REFUSED):
    made = (TrialVerdict(1, "packet", "publish on x", REFUSED, (wanted,)),) if verdict else ()
    return TestRecord(made, hang_ups).as_data()


@pytest.fixture
def record(tmp_path):
    made = RunRecord("run-1", RunJournal(tmp_path / "run-1" / "journal.jsonl"))
    made.plan({VIOLATION: "dk", OTHER: "dk"})
    return made


def run_test(record, test, result="passed", **call):
    record.begin(test)
    record.phase(test, {"phase": "setup", "result": "passed"})
    record.phase(test, {"phase": "call", "result": result, "properties": {"verdict": REFUSED}})
    record.phase(test, {"phase": "teardown", "result": "passed", **call})


@pytest.mark.parametrize(("result", "wanted"), [("passed", REFUSED), ("failed", Outcome.TOLERATED)])
def test_record_journal_and_junit_agree(record, tmp_path, result, wanted):
    run_test(record, VIOLATION, result, trials=trials(HangUp(1.0, 4, 1, True), wanted=wanted))
    run_test(record, OTHER, trials=trials(*[HangUp(1.0, 4, -1, False)] * 3, verdict=False))
    told = record.overturn()
    record.finish("")
    assert list(told) == [VIOLATION]
    assert "3 connections ended at packet 4 too" in told[VIOLATION]
    assert record.cases[VIOLATION].result == "error"
    assert (record.boards["dk"].results["error"], record.boards["dk"].results["passed"]) == (1, 1)
    journal = read_journal(tmp_path / "run-1" / "journal.jsonl")
    assert overturned_in(journal) == told
    assert {test.test: test.result for test in ran_tests(journal)} == {VIOLATION: "error", OTHER: "passed"}
    assert journal[-1]["ended"] == {"error": 1, "passed": 1}
    assert record.cases[VIOLATION].properties["verdict"] == "inconclusive"
    assert {test.test: test.verdicts for test in ran_tests(journal)} == {VIOLATION: "inconclusive", OTHER: REFUSED}
    write_report(rebuild(tmp_path / "run-1"), tmp_path / "junit.xml")
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot().find("testsuite")
    assert (suite.get("errors"), suite.get("failures"), suite.get("tests")) == ("1", "0", "2")
    told = [one.get("value") for one in suite.iterfind("testcase/properties/property[@name='verdict']")]
    assert told == ["inconclusive", REFUSED]


def test_what_failed_of_something_else_stays_failed(record, tmp_path):
    run_test(record, VIOLATION, "failed", trials=trials(HangUp(1.0, 4, 1, True)))
    run_test(record, OTHER, trials=trials(*[HangUp(1.0, 4, -1, False)] * 3, verdict=False))
    assert record.overturn() == {}
    record.finish("")
    journal = read_journal(tmp_path / "run-1" / "journal.jsonl")
    assert {test.test: test.result for test in ran_tests(journal)} == {VIOLATION: "failed", OTHER: "passed"}
    (note,) = (line["text"] for line in journal if line["k"] == "note")
    assert note.startswith(f"{VIOLATION} stays failed: something else failed it. overturned by the run: 3 connections")
    write_report(rebuild(tmp_path / "run-1"), tmp_path / "junit.xml")
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot().find("testsuite")
    assert (suite.get("errors"), suite.get("failures")) == ("0", "1")


def test_an_error_stays_what_it_was(record):
    run_test(record, VIOLATION, "error", trials=trials(HangUp(1.0, 4, 1, True)))
    run_test(record, OTHER, trials=trials(*[HangUp(1.0, 4, -1, False)] * 3, verdict=False))
    assert record.overturn() == {}


def test_of_a_test_that_was_run_again_the_last_time_counts(record):
    record.begin(VIOLATION)
    for again in (True, False):
        record.phase(VIOLATION, {"phase": "setup", "result": "passed"})
        told = {"rerun": True} if again else {}
        record.phase(VIOLATION, {"phase": "call", "result": "failed" if again else "passed", **told})
        found = trials(*[HangUp(1.0, 4, -1, False)] * 3) if again else trials()
        record.phase(VIOLATION, {"phase": "teardown", "result": "passed", "trials": found})
    run_test(record, OTHER, trials=trials(HangUp(1.0, 4, 1, True)))
    assert record.overturn() == {}


def test_runs_without_trials_overturn_nothing(record):
    run_test(record, VIOLATION)
    assert record.overturn() == {}


def test_a_failure_becomes_an_error_with_the_reason():
    suites = new_report("run-1")
    case = ElementTree.SubElement(suites[0], "testcase", {"classname": "t", "name": "test_violation[dk]"})
    ElementTree.SubElement(case, "failure", {"message": "expected tolerated"})
    overturn(suites, {VIOLATION: "overturned by the run: x"})
    assert [child.tag for child in case] == ["error"]
    assert case[0].get("message") == "overturned by the run: x"
