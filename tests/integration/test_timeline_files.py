"""What a run writes down of its boards: one timeline each, and a journal that tells failure from error."""

from __future__ import annotations

import re
from importlib.metadata import version

from harness.timeline import Kind, read_timeline
from tests.integration.runs import run

BOARDS = """
boards:
  - {name: one, virtual: {}}
  - {name: two, virtual: {}}
  - {name: three, firmware: at-client, virtual: {}}
lab: attic
"""

TESTS = """
import pytest
from harness.errors import NotRegistered

def test_works(trial, board, provisioned):
    topic = f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/d2c"
    trial.publish(topic, b"\\xff%NONCE%", witness=None)

@pytest.mark.parametrize("command", ["AT%NOSUCH", "AT+CGSN"])
def test_command(modem, board, command):
    board.opened.port.command(command)

@pytest.fixture
def covered(board):
    raise NotRegistered("no coverage")

def test_needs_coverage(covered):
    pass
"""


def test_a_run_is_written_down_board_by_board(tmp_path):
    result = run(tmp_path, BOARDS, TESTS)
    assert result.exit_code == 1, result.output
    files = {
        path.name.removesuffix(".jsonl.gz"): read_timeline(path) for path in (result.run_folder / "timeline").iterdir()
    }
    assert sorted(files) == ["one", "three", "two"]
    for name, file in files.items():
        assert file.header["board"] == name
        assert file.header["run"] == result.run_folder.name
        assert (file.header["lab"], file.header["harness"]) == ("attic", version("nrf91-harness"))
        assert {event.source for event in file.events} <= {
            name,
            "pytest",
            "trial",
            "observer",
            "local",
            "harness",
            "radio",
        }
        assert [event.seq for event in file.events] == list(range(len(file.events)))
        assert (file.cut, file.unknown) == ("", {})
        ends = {test.id: test.events[-1] for test in file.tests.values()}
        assert {end.kind for end in ends.values()} == {Kind.END}
        refused = ends[f"test_inner.py::test_command[{name}-AT%NOSUCH]"].data
        assert (refused["result"], refused["error"], refused["branch"], refused["party"]) == (
            *("failed", "AtError", "Refusal"),
            "modem/firmware",
        )
        assert re.fullmatch(r"port.py:\d+|answer.py:\d+", refused["place"])
        lab = ends[f"test_inner.py::test_needs_coverage[{name}]"].data
        assert (lab["result"], lab["error"], lab["branch"], lab["party"]) == (
            *("error", "NotRegistered", "LabError"),
            "radio",
        )
        passed = ends[f"test_inner.py::test_command[{name}-AT+CGSN]"].data
        assert (passed["result"], passed["error"], sorted(passed["seconds"])) == (
            *("passed", ""),
            ["call", "setup", "teardown"],
        )
    assert_one_record_of_a_trial(files["one"])
    assert result.case("test_works[three]").message.endswith("AT client has no MQTT commands")


def assert_one_record_of_a_trial(file):
    (test,) = [test for test in file.tests.values() if test.id == "test_inner.py::test_works[one]"]
    assert test.events[0].data["key"] == "test_inner.py::test_works"
    kinds = [event.data["kind"] for event in test.events if event.kind is Kind.MQTT]
    assert kinds.count("accepted") == 1
    assert kinds.count("puback") >= 3
    urcs = [event for event in test.events if event.text.startswith("#XMQTTEVT: 3,")]
    assert len(urcs) == kinds.count("puback")
    assert any(event.data.get("encoding") == "base64" for event in test.events if event.kind is Kind.TX)
    seen = [event for event in test.events if event.source == "observer" and "topic" in event.data]
    assert all({"payload", "qos"} <= event.data.keys() for event in seen)


def test_the_journal_tells_failure_from_error_and_whom_it_points_at(tmp_path):
    result = run(tmp_path, BOARDS.splitlines(keepends=True)[1] + "  - {name: one, virtual: {}}\n", TESTS)
    begin, *tests, end = result.journal
    phases = [entry for entry in tests if entry["k"] == "phase"]
    assert begin["planned"] == {"one": 4}
    assert end["ended"] == {"passed": 2, "failed": 1, "error": 1}
    found = [
        (entry["key"].partition("::")[2], entry["phase"], entry["result"], entry["raised"], entry["party"])
        for entry in phases
        if "raised" in entry
    ]
    assert found == [
        ("test_command[AT%NOSUCH]", "call", "failed", "AtError", "modem/firmware"),
        ("test_needs_coverage", "setup", "error", "NotRegistered", "radio"),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+00:00", entry["at"]) for entry in result.journal)
    with_evidence = [(entry["key"], entry["phase"]) for entry in phases if "evidence" in entry["properties"]]
    assert with_evidence == [("test_inner.py::test_works", "call")]
    assert [entry["expected"] for entry in phases if entry["phase"] == "call"] == [[], [], []]
