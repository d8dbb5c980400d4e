"""JUnit: in progress, interrupted, rebuilt from a journal; each read by a reader that is not ours."""

import json
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml

from harness.errors import Misuse
from harness.report import RunJournal, RunRecord
from harness.report.journal import read_journal
from harness.report.junit import (
    UNFINISHED,
    add_error,
    address,
    interrupt,
    mistake,
    new_report,
    replace_file,
    run_of,
    unfinished,
    write_report,
)
from harness.report.rebuild import rebuild
from harness.report.run_summary import summary_of


def counts(path):
    """Tests, errors, failures, skipped: as the suite says, which its cases must bear out."""
    (suite,) = JUnitXml.fromfile(str(path))
    cases = list(suite)
    kinds = [type(result).__name__ for case in cases for result in case.result]
    told = (suite.tests, suite.errors, suite.failures, suite.skipped)
    assert told == (len(cases), kinds.count("Error"), kinds.count("Failure"), kinds.count("Skipped"))
    return told


def test_a_run_in_progress_is_one_error_that_names_it(tmp_path):
    write_report(unfinished("run-1", tmp_path / "run-1"), tmp_path / "junit.xml")
    assert counts(tmp_path / "junit.xml") == (1, 1, 0, 0)
    (error,) = ElementTree.parse(tmp_path / "junit.xml").getroot().iter("error")
    assert error.get("message") == f"run run-1: {UNFINISHED}"
    assert run_of(tmp_path / "junit.xml") == "run-1"


def test_a_mistake_is_one_error(tmp_path):
    write_report(mistake("run-1", "boards.yaml:3:5: unknown key 'bord'"), tmp_path / "junit.xml")
    assert counts(tmp_path / "junit.xml") == (1, 1, 0, 0)
    (error,) = ElementTree.parse(tmp_path / "junit.xml").getroot().iter("error")
    assert error.get("message") == "boards.yaml:3:5: unknown key 'bord'"


def test_no_report_is_of_no_run(tmp_path):
    (tmp_path / "torn.xml").write_text("<testsuites><testsui")
    assert run_of(tmp_path / "torn.xml") is None
    assert run_of(tmp_path / "missing.xml") is None


def test_a_file_that_cannot_be_written_leaves_the_former_one(tmp_path):
    (tmp_path / "junit.xml").mkdir()  # nothing can be moved to where a folder is
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "junit.xml", b"<testsuites/>")
    assert [path.name for path in tmp_path.iterdir()] == ["junit.xml"]


@pytest.mark.parametrize(
    ("test", "classname", "name"),
    [
        ("tests/s/test_a.py::test_x", "tests.s.test_a", "test_x"),
        ("test_a.py::TestC::test_x[b-1]", "test_a.TestC", "test_x[b-1]"),
        ("test_a.py::test_x[b::c/d.py::e]", "test_a", "test_x[b::c/d.py::e]"),
    ],
)
def test_address_is_what_pytest_writes(test, classname, name):
    assert address(test) == {"classname": classname, "name": name}


def test_an_interrupted_report_names_what_ran_and_what_was_not_run(tmp_path):
    suites = new_report("run-1")
    ElementTree.SubElement(suites[0], "testcase", {**address("t.py::test_a"), "time": "1"})
    interrupt(suites, "interrupted by SIGTERM", ["t.py::test_a", "t.py::test_b"], ["t.py::test_c"])
    write_report(suites, tmp_path / "junit.xml")
    assert counts(tmp_path / "junit.xml") == (3, 3, 0, 0)
    last = list(suites.iter("testcase"))[-1]
    assert last.find("error").get("message") == "interrupted by SIGTERM: 1 test was not run"
    assert "t.py::test_c" in last.find("error").text


def record(tmp_path):
    made = RunRecord("run-1", RunJournal(tmp_path / "run-1" / "journal.jsonl"))
    made.plan({f"t.py::test_{letter}[dk]": "dk" for letter in "abcdefg"})
    return made


def go(record, letter, *phases):
    test = f"t.py::test_{letter}[dk]"
    record.begin(test)
    for phase, result in phases:
        record.phase(test, {"phase": phase, "result": result, "seconds": 1.0, "message": f"{result} it is"})


OUTCOMES = {
    "a": [("setup", "passed"), ("call", "passed"), ("teardown", "passed")],
    "b": [("setup", "passed"), ("call", "failed"), ("teardown", "passed")],
    "c": [("setup", "error"), ("teardown", "passed")],
    "d": [("setup", "skipped"), ("teardown", "passed")],
    "e": [("setup", "passed"), ("call", "failed"), ("teardown", "error")],
    "f": [("setup", "passed"), ("call", "passed")],
}


def test_a_killed_run_is_rebuilt_from_its_journal(tmp_path):
    made = record(tmp_path)
    for letter, phases in OUTCOMES.items():
        go(made, letter, *phases)
    journal = tmp_path / "run-1" / "journal.jsonl"
    with journal.open("a") as file:
        file.write('{"k": "phase", "test": "t.py::te')  # torn by the kill
    write_report(rebuild(tmp_path / "run-1"), tmp_path / "junit.xml")
    # a passed; b and e failed; c and e's teardown are errors, f was running and g not begun; d skipped
    assert counts(tmp_path / "junit.xml") == (8, 4, 2, 1)
    text = (tmp_path / "junit.xml").read_text()
    assert "killed" in text
    assert "1 test was not run" in text
    assert "t.py::test_g[dk]" in text


def test_the_last_line_of_an_interrupted_run_counts_what_was_cut_off_as_errors(tmp_path):
    made = record(tmp_path)
    for letter, phases in OUTCOMES.items():
        go(made, letter, *phases)
    go(made, "g")  # it began, and not even its set-up ended
    made.finish("interrupted by SIGTERM")
    lines = read_journal(tmp_path / "run-1" / "journal.jsonl")
    assert lines[-1]["ended"] == {"passed": 1, "failed": 1, "error": 4, "skipped": 1}
    summary, _ = summary_of("run-1", lines)
    assert summary.counts.total() == 7
    assert summary.counts["passed"] == 1


def test_a_run_that_ended_is_rebuilt_without_another_error(tmp_path):
    made = record(tmp_path)
    for letter in "abcdefg":
        go(made, letter, *OUTCOMES["a"])
    made.finish("")
    write_report(rebuild(tmp_path / "run-1"), tmp_path / "junit.xml")
    assert counts(tmp_path / "junit.xml") == (7, 0, 0, 0)


def test_a_folder_without_journal_is_refused_in_one_line(tmp_path):
    with pytest.raises(Misuse, match="cannot read the journal"):
        rebuild(tmp_path)
    (tmp_path / "journal.jsonl").write_text(json.dumps({"k": "end"}) + "\n")
    with pytest.raises(Misuse, match="not a journal of a run"):
        rebuild(tmp_path)
    (tmp_path / "journal.jsonl").write_text("what\n" + json.dumps({"k": "phase"}) + "\n")
    with pytest.raises(Misuse, match=r"journal\.jsonl:1: not JSON"):
        rebuild(tmp_path)


def test_an_error_of_the_harness_itself_has_text_for_readers_of_the_body_alone():
    suites = new_report("run-1")
    add_error(suites, "run", "what")
    (error,) = suites.iter("error")
    assert error.text == "what"
