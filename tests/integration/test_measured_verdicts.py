"""Five hundred trials of the measure: the rule, the runner and the judge together, over real connections.

``python -m benchmarks.verdicts`` runs as many as one likes; docs/verdicts.md has the figures of 10,000.
"""

import pytest

from benchmarks.verdicts import main
from harness.faults import Deed, Fault, TcpProxy
from harness.settings import CloudSettings
from harness.trial import Outcome
from harness.trial.experiment import ExperimentRule
from harness.trial.rejudge import rejudge
from tests.integration.broker_lab import lab
from tests.integration.socket_board import SocketBoard


@pytest.mark.timeout(1800)  # two minutes at load 30
def test_no_verdict_is_wrong_under_any_fault(tmp_path, capfd):
    """Not one is wrong, escapes, hangs, or is judged otherwise from its timeline."""
    assert main(["--trials", "500", "--seed", "4", "--keep", str(tmp_path)]) == 0, capfd.readouterr()
    assert list(tmp_path.glob("*.jsonl")) == []


@pytest.mark.parametrize(
    ("profile", "forbidden"),
    [
        (CloudSettings(), Outcome.POLICY_DISCONNECT),
        (CloudSettings(on_violation="tolerate"), Outcome.TOLERATED),
        (CloudSettings(on_violation="ack-close"), Outcome.ACKNOWLEDGED_THEN_CLOSED),
        (CloudSettings(on_violation="suback80"), Outcome.IGNORED),
        (CloudSettings(close_style="rst"), Outcome.POLICY_DISCONNECT),
    ],
)
def test_clouds_are_told_apart_without_faults(profile, forbidden):
    with lab("dev", profile=profile) as running:
        board = SocketBoard(running, "dev", running.port)
        assert board.publish("no/action").outcome is forbidden
        assert board.publish("ok/action").outcome is Outcome.TOLERATED
        unanswered = Outcome.POLICY_DISCONNECT if forbidden is Outcome.ACKNOWLEDGED_THEN_CLOSED else forbidden
        assert board.publish("no/action", qos=0).outcome is unanswered, "QoS 0 has no answer to come first"
        board.close()


def test_a_refusal_behind_a_limit_of_packets_is_proved_from_fewer_places():
    """The ninth packet, with CONNECT, is the fourth place: eight draws of twelve are never sent."""
    with lab("dev") as running, TcpProxy(("127.0.0.1", running.port), [Fault(Deed.RST, packet=9)]) as proxy:
        board = SocketBoard(running, "dev", proxy.address[1], ExperimentRule(hold=0.05))
        found = [board.publish(f"no/action{number}") for number in range(3)]
        board.close()
    assert {one.outcome for one in found} == {Outcome.POLICY_DISCONNECT}, found
    assert any("among up to 12, then 4 was drawn" in one.evidence for one in found)
    assert all(one.same for one in rejudge(board.device.timeline.since())), "judged again, the draws are read back"
