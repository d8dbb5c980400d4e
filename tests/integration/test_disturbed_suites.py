"""A suite behind each of ten disturbances: no violation test passes on a cloud that tolerates everything, and no
allowed test fails on a correct one. Errors are right: nothing can be proved on some of these links.
"""

from __future__ import annotations

import pytest

from tests.integration.disturbed_runs import CONFTEST
from tests.integration.runs import EARLY, run

pytestmark = pytest.mark.timeout(EARLY)
DISTURBANCES = {
    "RST one second after each connection began": "Fault(Deed.RST, age=1.0)",
    "RST 30 ms after it": "Fault(Deed.RST, age=0.03)",
    "FIN at packet 2": "Fault(Deed.FIN, packet=2)",
    "FIN at packet 3": "Fault(Deed.FIN, packet=3)",
    "RST at packet 6": "Fault(Deed.RST, packet=6)",
    "cuts without memory, mean 0.1 s": "Fault(Deed.RST, mean_age=0.1)",
    "RST at a packet by chance": "Fault(Deed.RST, chance=0.05)",
    "FIN of an answer by chance": "Fault(Deed.FIN, Direction.IN, chance=0.05)",
    "a close that only the board sees": "Fault(Deed.FIN_NEAR, chance=0.05)",
    "garbled by chance": "Fault(Deed.GARBLE, chance=0.03)",
}
"""And a second client with the board's id, which the cloud's own command makes."""

BOARDS = """
verdicts: {hold: 0.05, budget: 1}
clouds:
  tolerant: {kind: local, on_violation: tolerate}
  correct: {kind: local}
boards:
  - {name: one, virtual: {}, cloud: %s}
"""

TESTS = """
import pytest
from harness.faults import Deed, Direction, Fault
from harness.trial import LAB_OUTCOMES, Outcome
from harness.trial.experiment import Breaker

DISTURBANCES = [%s]

@pytest.fixture(autouse=True)
def whatever_came_before(board):
    board._breaker, board._suspect = Breaker(), None  # each test is a night of its own

@pytest.fixture
def topic(board, provisioned):
    prefix = board.cloud.account.mqtt_prefix
    return f"{prefix}a/x" if board.cloud.name == "tolerant" else f"{prefix}m/d/{provisioned.device_id}/d2c"

@pytest.mark.parametrize("fault", DISTURBANCES, ids=str)
def test_disturbed(board, trial, topic, broker, fault):
    broker.faults.append(fault)
    verdict = trial.publish(topic, witness=None)
    assert verdict.outcome in {Outcome.TOLERATED, *LAB_OUTCOMES}, str(verdict)

def test_second_client(board, trial, topic, provisioned):
    command = {"client_id": provisioned.device_id, "backoff": 0.05, "times": 10_000}
    board.cloud.stand_in.command("duplicate-client", **command)
    try:
        verdict = trial.publish(topic, witness=None)
    finally:
        board.cloud.stand_in.command("stop-duplicate", client_id=provisioned.device_id)
    assert verdict.outcome in {Outcome.TOLERATED, *LAB_OUTCOMES}, str(verdict)

def test_undisturbed(trial, topic):
    trial.publish(topic, witness=None).expect(Outcome.TOLERATED)
"""


@pytest.mark.parametrize("cloud", ["tolerant", "correct"])
def test_no_disturbance_makes_a_violation_pass_or_an_allowed_action_fail(tmp_path, cloud):
    result = run(tmp_path, BOARDS % cloud, TESTS % ", ".join(DISTURBANCES.values()), conftest=CONFTEST)
    found = [case.result for case in result.cases]
    assert found == ["passed"] * (len(DISTURBANCES) + 2), result.output
