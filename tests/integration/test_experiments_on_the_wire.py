"""Experiments on real TLS connections to the broker, disturbed in between: no verdict is wrong, either way."""

import secrets

import pytest

from harness.faults import Deed, Direction, Fault, TcpProxy
from harness.settings import CloudSettings
from harness.trial.experiment import Conclusion, Experiment, ExperimentRule, Night, Subject, Suspect
from tests.integration.broker_lab import lab
from tests.integration.wire_runner import FORBIDDEN, WireRunner
from tests.simulation.play import play

RULE = ExperimentRule(hold=0.05)
SUBJECT = Subject(f"publish on {FORBIDDEN} (QoS 1)", differs="topic")

DISTURBANCES = {
    "nothing": (),
    "RST at an age of 50 ms": (Fault(Deed.RST, age=0.05),),
    "RST at an age of 8 ms": (Fault(Deed.RST, age=0.008),),
    "FIN at the second packet": (Fault(Deed.FIN, packet=2),),
    "FIN at the third packet": (Fault(Deed.FIN, packet=3),),
    "RST at the fourth packet": (Fault(Deed.RST, packet=4),),
    "RST at a packet by chance": (Fault(Deed.RST, chance=0.05),),
    "FIN of the answer, by chance": (Fault(Deed.FIN, Direction.IN, chance=0.05),),
    "cuts without memory": (Fault(Deed.RST, mean_age=0.05),),
    "garbled by chance": (Fault(Deed.GARBLE, chance=0.03),),
    "the first three connections cut at the first place": tuple(
        Fault(Deed.FIN, packet=3, connection=number) for number in (1, 2, 3)
    ),
}


@pytest.fixture(params=["close", "tolerate"])
def broker(request):
    with lab("dev", profile=CloudSettings(on_violation=request.param)) as running:
        yield running, request.param


@pytest.mark.parametrize("faults", DISTURBANCES.values(), ids=DISTURBANCES)
def test_no_disturbance_makes_a_verdict_wrong(broker, faults):
    running, violation = broker
    right = Conclusion.POLICY_DISCONNECT if violation == "close" else Conclusion.TOLERATED
    night, found = Night(), []
    with TcpProxy(("127.0.0.1", running.port), faults, seed=11) as proxy:
        wire = WireRunner(running, proxy.address[1])
        for _ in range(3):
            result = play(Experiment.of_action(SUBJECT, RULE, night, secrets.SystemRandom()), wire.do)
            found.append(result.conclusion)
            assert result.conclusion in (right, Conclusion.INCONCLUSIVE), result.evidence
        wire.close()
        if any(fault.packet for fault in faults):
            assert proxy.struck
    if not faults:
        assert set(found) == {right}
        assert wire.connections <= 13


def test_the_suspect_is_named_from_real_connections():
    """A limit of three packets before a tolerant cloud: never a policy, and named as what it is."""
    with (
        lab("dev", profile=CloudSettings(on_violation="tolerate")) as running,
        TcpProxy(("127.0.0.1", running.port), [Fault(Deed.FIN, packet=3)]) as proxy,
    ):
        wire = WireRunner(running, proxy.address[1])
        result = play(Experiment.of_action(SUBJECT, RULE, Night(), secrets.SystemRandom()), wire.do)
        wire.close()
    assert (result.conclusion, result.suspect) == (Conclusion.INCONCLUSIVE, Suspect.PACKET_LIMIT)
