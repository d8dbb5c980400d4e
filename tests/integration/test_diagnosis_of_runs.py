"""Diagnosers on the timeline file of a run on a virtual board, with causes brought about on purpose."""

from __future__ import annotations

import pytest

from harness.timeline import read_timeline
from harness.trial.diagnosis import Cause, Weight
from tests.integration.runs import run
from tests.unit.trial.diagnosis.made import diagnose

BOARDS = """
boards:
  - {name: one, virtual: {}}
"""

TESTS = """
import pytest

@pytest.fixture(autouse=True)
def connected(board, trial, provisioned):
    topic = f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/d2c"
    trial.publish(topic, witness=None)

def test_forbidden(board, trial):
    trial.publish(f"{board.cloud.account.mqtt_prefix}a/x", witness=None)

def test_quiet(board, trial):
    pass

def test_own_disconnect(board):
    board.opened.mqtt.disconnect()

def test_radio_off(board):
    board.opened.modem.set_functional_mode(4)

def test_reset(board):
    mark = board.opened.port.timeline.mark()
    board.opened.port.command("AT#XRESET")
    board.opened.port.wait_line("Ready", 10.0, since=mark)
"""

EXPECTED = {
    "test_forbidden": Cause.POLICY,  # an experiment showed it
    "test_radio_off": Cause.OWN_DISCONNECT,  # its line has the errno of a hang-up
    "test_own_disconnect": Cause.INCONCLUSIVE,  # it came as it was asked for, and so did the restart
    "test_reset": Cause.INCONCLUSIVE,
    "test_quiet": Cause.INCONCLUSIVE,
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    result = run(tmp_path_factory.mktemp("run"), BOARDS, TESTS)
    assert result.exit_code == 0, result.output
    recording = read_timeline(result.run_folder / "timeline" / "one.jsonl")
    return {test.id.partition("::")[2].partition("[")[0]: test.events for test in recording.tests.values()}


@pytest.mark.parametrize(("test", "cause"), EXPECTED.items())
def test_the_cause_is_read_from_the_file(recorded, test, cause):
    diagnosis = diagnose(recorded[test])
    assert diagnosis.cause is cause, diagnosis


def test_a_refusal_is_seen_as_certain_only_from_the_experiment(recorded):
    events = recorded["test_forbidden"]
    (proved,) = [one for one in diagnose(events).findings if one.weight is Weight.CERTAIN]
    assert "with a chance of a coincidence below 1 in" in proved.text
    ends = [i for i, event in enumerate(events) if event.data.get("kind") == "closed" and event.data["result"]]
    opened = max(i for i, event in enumerate(events[: ends[0]]) if event.data.get("kind") == "accepted")
    alone = diagnose(events[opened : ends[0] + 1])
    (possible,) = [one for one in alone.findings if one.cause is not Cause.MISUSE]
    assert (alone.cause, possible.cause, possible.weight) == (Cause.INCONCLUSIVE, Cause.POLICY, Weight.POSSIBLE)
    assert "/a/x" in possible.text


def test_a_quiet_session_has_no_findings(recorded):
    assert diagnose(recorded["test_quiet"]).findings == ()


@pytest.mark.parametrize("test", ["test_own_disconnect", "test_reset"])
def test_what_the_harness_asked_for_is_possible_and_no_more(recorded, test):
    found = {(one.cause, one.weight) for one in diagnose(recorded[test]).findings}
    assert found == {(Cause.OWN_DISCONNECT, Weight.POSSIBLE)}
