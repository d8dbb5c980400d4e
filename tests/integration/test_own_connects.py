"""The own login, where a cloud refuses it without a word, and where the link cuts it: the two are told apart."""

from __future__ import annotations

import json

import pytest

from harness.policy.documents.profile import DOCUMENTS
from tests.integration.disturbed_runs import CONFTEST
from tests.integration.runs import run

BOARDS = """
clouds:
  refusing: {kind: local, enforces: [provisioned.json, associated.json]}
  correct: {kind: local}
boards:
  - {name: refused, virtual: {}, cloud: refusing}
  - {name: cut, virtual: {}, cloud: correct}
"""

TESTS = """
import pytest
from harness.faults import Deed, Direction, Fault
from harness.trial import Outcome

# The cloud's answers alone: what they are compared with must have one.
CUTS = [Fault(Deed.RST, packet=1), Fault(Deed.FIN, Direction.IN, chance=1.0)]

@pytest.mark.parametrize("cut", CUTS, ids=["out", "in"])
def test_own_connect(board, trial, broker, cut):
    if board.name == "cut":
        broker.faults.append(cut)
    verdict = trial.verify_connection()
    print(verdict)
    assert verdict.outcome is (Outcome.INCONCLUSIVE if board.name == "cut" else Outcome.REFUSED_AT_CONNECT)
    if board.name == "refused":
        assert "A coin chose the login before each of" in verdict.evidence
        assert "The right one was a CONNECT of MQTT 5" in verdict.evidence
    elif cut.direction is Direction.IN:
        assert "closed instead of a CONNACK" in str(board.timeline.since())

def test_it_goes_on(board, trial):
    if board.name == "cut":
        trial.verify_connection().expect(Outcome.TOLERATED)
"""


@pytest.fixture
def without_connect(tmp_path):
    """Documents of the page that let no device connect."""
    for name in ("provisioned.json", "associated.json"):
        document = json.loads((DOCUMENTS / "page" / name).read_text())
        document["Statement"] = [one for one in document["Statement"] if "iot:Connect" not in str(one["Action"])]
        (tmp_path / name).write_text(json.dumps(document))


def test_a_login_that_the_cloud_refuses_and_one_that_the_link_cuts(tmp_path, without_connect):
    result = run(tmp_path, BOARDS, TESTS, "-n", "0", conftest=CONFTEST)
    assert [case.result for case in result.cases] == ["passed"] * 6, result.output
