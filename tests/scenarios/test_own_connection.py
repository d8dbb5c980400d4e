"""Firmware that holds its connection itself: it connects, publishes, and is hung up on when it violates a policy.

Nothing here knows which firmware it is: a test asks for what it needs, and for a message it is the documents that say
whether it must arrive or cost the connection.
"""

from __future__ import annotations

import pytest

from harness.firmware import Capability
from harness.firmware.cloud_library.chain import Link
from harness.policy.evaluation.membership import Membership
from harness.trial import Outcome, nonce
from tests.scenarios.expected import allowed, allows, connect, forbidden, publish, subscribe


@pytest.fixture(autouse=True)
def framed(own, board):
    allowed(board, connect(board.device.id))


def proved(verdict):
    """The provocation, and it alone, got the connection hung up on; the page's chain stands in its order.

    Taken back, it left the same firmware connected each time.
    """
    verdict.expect(Outcome.POLICY_DISCONNECT)
    assert verdict.chains
    stayed = [attempt.connected for provoked, attempt in verdict.attempts if not provoked]
    assert any(stayed), str(verdict)
    for chain in verdict.chains:
        assert chain.order, str(chain)
        assert not {Link.POLLHUP, Link.CLOSED_BY_REMOTE} <= set(chain.missing), str(chain)


def test_connects_by_itself(own_trials):
    own_trials.connect().expect(Outcome.TOLERATED)


@pytest.mark.needs(Capability.OWN_PUBLISH)
class TestMessage:
    """What the firmware publishes goes where the firmware likes. The documents say what must become of it."""

    @pytest.fixture
    def topic(self, own, board):
        names = {"device": board.device.id, "prefix": board.cloud.account.mqtt_prefix}
        return own.setup.facts.topic.format_map(names)

    def test_message_arrives(self, own, own_trials, board, observer, topic, evidence):
        allowed(board, publish(topic))
        observer.heal()
        observer.listen(topic)
        mark = board.timeline.mark()
        own_trials.connect(after=lambda: own.publish(nonce())).expect(Outcome.TOLERATED)
        found = observer.wait_message(lambda message: message.topic == topic, since=mark, timeout=board.device.patience)
        assert found is not None, f"nobody saw a message on {topic}"
        evidence(f"the team's MQTT device received {len(found.payload)} bytes on {topic}")

    @pytest.mark.violation
    def test_violation_message(self, own, own_trials, board, topic):
        forbidden(board, publish(topic))
        verdict = own_trials.experiment(f"a message on {topic}", lambda: own.publish(nonce()), lambda: None, at=True)
        proved(verdict)


@pytest.mark.needs(Capability.PAIRING)
class TestPairing:
    """The cloud tells the firmware its topics by the pairing in its shadow: there they can be others."""

    @pytest.mark.violation
    def test_violation_pairing_topics_of_another_team(self, own_trials, board, cloud, topics):
        """UNCONFIRMED that nRF Cloud lets an account change desired.pairing; where it does not, the harness says so."""
        own = topics.team(f"m/d/{topics.device_id}")
        foreign = topics.foreign(f"m/d/{topics.device_id}")
        forbidden(board, subscribe(f"{foreign}/+/r"))
        if not allows(board, subscribe(f"{own}/+/r")):
            pytest.skip("the documents of this cloud forbid its own topics too")

        def pair(base):
            cloud.patch_state(
                topics.device_id, desired={"pairing": {"topics": {"d2c": f"{base}/d2c", "c2d": f"{base}/c2d"}}}
            )

        try:
            verdict = own_trials.experiment(
                "pairing topics of another team in its shadow", lambda: pair(foreign), lambda: pair(own)
            )
        finally:
            pair(own)
        proved(verdict)

    def test_asks_to_be_added_when_its_association_is_removed(self, own, own_trials, board, evidence):
        """Its rights change with its next connection, so the one that is open may stay.

        UNCONFIRMED whether nRF Cloud ends it: its documentation asks for a reconnect, and AWS IoT's log of an example
        shows a close behind a change of groups. Both are accepted, and the report says which it was. What proves the
        chain of a hang-up is the pairing above.
        """
        reason = board.device.cannot_be(Membership.PROVISIONED)
        if reason is not None:
            pytest.skip(reason)
        own_trials.connect().expect(Outcome.TOLERATED)
        mark = own.mark()
        board.be(Membership.PROVISIONED)
        try:
            ended = own_trials.ended(since=mark)
            line = own_trials.asks_for_association()
        finally:
            board.be(Membership.ASSOCIATED)
        own_trials.connect().expect(Outcome.TOLERATED)
        open_one = f"the open connection ended ({ended!r})" if ended else "the open connection stayed"
        evidence(f"without its association {open_one}, the next one said {line!r}; with it again it connected")
