"""A whole run behind a connection limit: what it shows of the limit takes back a verdict that rests on it.

The verdict is made wrong on purpose: the place of the action is always the first, so that a limit can hit it each time.
The limit is one of packets, which needs no clock; ages are in tests/unit/trial/test_run_rules.py.
"""

from __future__ import annotations

import json

from harness.cli.main import main
from tests.integration.disturbed_runs import CONFTEST
from tests.integration.runs import run

BOARDS = """
verdicts: {hold: 0.05}
clouds:
  tolerant: {kind: local, on_violation: tolerate, faults: {observer: [{deed: drop, byte: 900000000}]}}
boards:
  - name: one
    virtual: {}
    cloud: tolerant
    faults:
      commands: [{command: drop-pdn, phase: flight}, {command: change-cell, phase: action, times: 1}]
"""

FIXED_PLACE = (
    CONFTEST
    + """
from harness.timeline import Timeline
from harness.trial.wire.draws import RecordingDraws

Timeline.__init__.__kwdefaults__["keep"] = 4000
RecordingDraws.randrange = lambda self, *range_: self._drawn.append(0) or 0
"""
)

# CONNECT, the baseline, and then the action, or whatever else is tried.
TESTS = """
import pytest
from harness.faults import Deed, Fault
from harness.trial import Outcome

@pytest.fixture
def limited(broker, provisioned):
    broker.faults.append(Fault(Deed.FIN, packet=3))
    yield
    provisioned.link.disconnect()  # before the proxy's end does it

def test_violation(board, trial, limited, timeline):
    trial.publish(f"{board.cloud.account.mqtt_prefix}a/x", witness=None).expect(Outcome.POLICY_DISCONNECT)
    for _ in range(5000):  # a long test, whose begin memory has dropped when it ends; its file has all of it
        timeline.add("step", "test", "going on")

def test_allowed(board, trial, provisioned, limited):
    topic = f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/d2c"
    trial.publish(topic, witness=None).expect(Outcome.TOLERATED)

def test_undisturbed(board, trial):
    trial.publish(f"{board.cloud.account.mqtt_prefix}a/x", witness=None).expect(Outcome.TOLERATED)
"""


def test_a_limit_that_ends_what_is_allowed_too_takes_a_pass_and_a_failure_back(tmp_path, capsys):
    result = run(tmp_path, BOARDS, TESTS, conftest=FIXED_PLACE)
    assert result.exit_code == 1, result.output
    found = {case.name: case for case in result.cases}
    results = [(name.partition("[")[0], case.result) for name, case in found.items()]
    assert results == [("test_violation", "error"), ("test_allowed", "error"), ("test_undisturbed", "passed")]
    for name, outcome in (("test_violation", "policy disconnect"), ("test_allowed", "policy disconnect")):
        case = result.case(name)
        assert "overturned by the run: 4 connections ended at packet 2 too" in case.message
        assert f"It was {outcome} (publish on " in case.message
        assert case.properties["verdict"] == "inconclusive"
    lines = [line for line in result.journal if line["k"] == "overturned"]
    assert [line["test"].partition("::")[2] for line in lines] == ["test_violation[one]", "test_allowed[one]"]
    summary = json.loads((result.run_folder / "run.json").read_text())
    assert (summary["counts"]["error"], summary["counts"]["failed"], summary["counts"]["passed"]) == (2, 0, 1)
    assert "overturned by the run" in (result.run_folder / "report.html").read_text()
    assert "ERROR: inconclusive" in (result.run_folder / "tests.txt").read_text()
    assert "1 passed, 2 errors" in result.output
    # judged again from its files, the same
    main(["judge", str(result.run_folder)])
    said = capsys.readouterr().out
    assert all(f"{line['test']}: overturned by the run: " in said for line in lines)
    assert "edited" not in said
    # and faults of the boards file that never struck are said
    (note,) = summary["notes"]
    assert note == (
        "faults of the boards file that never struck: one: drop-pdn in phase flight;"
        " tolerant: observer: drop at byte 900000000 (out)"
    )
    assert note in result.output
    assert "drop-pdn in phase flight" in (result.run_folder / "report.html").read_text()
