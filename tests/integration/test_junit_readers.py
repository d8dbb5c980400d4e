"""A run's junit.xml, read as CI services read it: with workers and without, reruns, and every kind of result."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml, Properties

from tests.integration.runs import run
from tests.unit.report.junit_readers import read_by_github_action, read_by_gitlab, refused_by_xunit_plugin

BOARDS = "boards:\n  - {name: dk, virtual: {}}\n  - {name: rack-3, virtual: {}}\n"
TESTS = """
import pytest

from harness.errors import LabError
from harness.modem.errors import *  # noqa: F403


def test_passes(modem):
    modem.identity()


def test_fails(modem):
    print("what the test said \\x1b[31m\\x00 <&]]>")
    assert modem.identity() is None, "wrong \\x00 <b>&]]>"


def test_lab_trouble(modem):
    raise LabError("the rack is on fire")


def test_skipped(board):
    pytest.skip("not today")


def test_in_the_end(modem, request):
    request.addfinalizer(lambda: 1 / 0)
    assert False, "and before that"


tries = {}


def test_comes_and_goes(modem, board):
    tries[board.name] = tries.get(board.name, 0) + 1
    assert tries[board.name] > 2, f"try {tries[board.name]}"
"""
CONFTEST = 'pytest_plugins = ["harness.plugin"]\n'
CI = {"CI_JOB_URL": "https://gitlab.example/team/lab/-/jobs/42"}


@pytest.fixture(scope="module", params=["case", "output"])
def report(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    tests = TESTS.replace("from harness.modem.errors import *  # noqa: F403\n", "")
    arguments = ("--reruns", "2", "--only-rerun", "try", "--junit-properties", request.param)
    workers = ("-n", "0") if request.param == "output" else ()
    result = run(folder, BOARDS, tests, *arguments, *workers, env=CI)
    assert result.exit_code == 1, result.output
    return result, request.param


def root(result):
    return ElementTree.parse(result.folder / "reports" / "junit.xml").getroot()


RESULTS = {
    "test_passes": {"success"},
    "test_fails": {"failed"},
    "test_lab_trouble": {"error"},
    "test_skipped": {"skipped"},
    "test_in_the_end": {"failed", "error"},  # as pytest does: one case for each
    "test_comes_and_goes": {"success"},
}


def results(cases):
    found: dict[str, set[str]] = {}
    for case in cases:
        found.setdefault(case.name, set()).add(case.status)
    return found


def test_gitlab_shows_each_case_with_cause_and_page(report):
    result, _ = report
    cases = read_by_gitlab(root(result))
    for board in ("dk", "rack-3"):
        assert {f"{name}[{board}]": wanted for name, wanted in RESULTS.items()}.items() <= results(cases).items()
    for case in cases:
        if case.status in ("failed", "error"):
            page = f"{CI['CI_JOB_URL']}/artifacts/file/reports/{result.run_folder.name}/report.html#c-"
            assert f"\npage: {page}" in case.output, case
            assert "\ncause: " in case.output
            anchor = case.output.partition(page)[2].split()[0]
            assert f'id="c-{anchor}"' in (result.run_folder / "report.html").read_text()


def test_a_github_action_shows_each_case(report):
    result, _ = report
    cases = read_by_github_action(root(result))
    failed = {word if word != "error" else "failed" for word in RESULTS["test_in_the_end"]}
    assert results(cases)["test_in_the_end[dk]"] == failed
    assert results(cases)["test_lab_trouble[dk]"] == {"failed"}
    assert all("page: " in case.output for case in cases if case.status == "failed")


def test_the_schema_of_jenkins_xunit_plugin_holds_where_properties_stand_in_the_output(report):
    result, place = report
    refused = set(refused_by_xunit_plugin(root(result)))
    assert refused == (set() if place == "output" else {"properties in testcase"})


def test_junitparser_reads_the_same_counts(report):
    result, place = report
    (suite,) = JUnitXml.fromfile(str(result.folder / "reports" / "junit.xml"))
    cases = list(suite)
    kinds = [type(one).__name__ for case in cases for one in case.result]
    told = (suite.tests, suite.errors, suite.failures, suite.skipped)
    assert told == (len(cases), kinds.count("Error"), kinds.count("Failure"), kinds.count("Skipped")) == (14, 4, 4, 2)
    (passed,) = [case for case in cases if case.name == "test_passes[dk]"]
    if place == "case":
        assert {"board", "imei", "verdict"} <= {one.name for one in passed.child(Properties)}
    else:
        assert "board: dk\n" in passed.system_out


def test_a_test_that_passed_when_it_was_run_again_says_so_once(report):
    result, place = report
    (case,) = [case for case in result.cases if case.name == "test_comes_and_goes[dk]"]
    assert case.result == "passed"
    text = (result.folder / "reports" / "junit.xml").read_text()
    if place == "case":
        assert (case.properties["reruns"], case.properties["first_failure"]) == ("2", ["try 1", "assert 1 > 2"][0])
        names = [one.get("name") for one in root(result).iter("testcase") for one in one.iter("property")]
        assert names.count("imei") <= len(list(root(result).iter("testcase")))
    else:
        assert "reruns: 2" in text
    page = (result.run_folder / "report.html").read_text()
    assert "now at attempt 3" in page
    assert "2 flaky" in result.output or "flaky 2" in result.output
