"""The firmware's own connection to nRF Cloud (#XNRFCLOUD): it pairs, sends, hears, and is thrown out like any other.

Why it ended the firmware tells nobody, so an experiment has to prove it.
"""

from __future__ import annotations

import pytest

from harness.firmware import Capability
from harness.firmware.nrf_cloud_commands import NrfCloudConnection
from harness.trial import Outcome, nonce
from tests.scenarios.expected import allowed, forbidden, hear, publish

_DEADLINE = 60.0
_BY_COAP = ("1.99", "2.")  # Serial Modem's versions with CONFIG_NRF_CLOUD_COAP
pytestmark = pytest.mark.needs(Capability.NRF_CLOUD)


@pytest.fixture
def connection(board, provisioned, topics):
    """Connected and paired. Skips boards whose firmware would connect as another device."""
    allowed(board, publish(topics.team(f"m/d/{topics.device_id}/d2c")), hear(f"{topics.device_id}/shadow/get/accepted"))
    made = NrfCloudConnection(board.opened.port)
    state = made.state()
    if (state.device_id, state.sec_tag) != (provisioned.device_id, provisioned.credentials.sec_tag):
        pytest.skip(f"the firmware connects as {state.device_id} with sec_tag {state.sec_tag}, not as this device")
    provisioned.link.disconnect()  # the device has one connection
    made.connect(timeout=_DEADLINE)
    yield made
    if made.state().ready:
        made.disconnect()


@pytest.fixture
def arrives(connection, observer, topics, request):
    """Sends a message by the firmware's connection and sees it arrive; a trial shows if the cloud is at fault."""

    def send():
        token, mark = nonce(), observer.timeline.mark()
        connection.send(f'{{"appId":"HARNESS","messageType":"DATA","data":"{token}"}}'.encode())
        found = observer.wait_message(lambda message: token.encode() in message.payload, since=mark, timeout=15.0)
        if found is None:
            if connection.state().ready:
                connection.disconnect()
            # Whose it is, a trial proves: the same message by the board's own client.
            witness = request.getfixturevalue("seen_by_observer")
            topic = topics.team(f"m/d/{topics.device_id}/d2c")
            request.getfixturevalue("trial").publish(topic, witness=witness).expect(Outcome.TOLERATED)
        assert found is not None, "expected the message at the observer, got nothing"
        assert found.topic == topics.team(f"m/d/{topics.device_id}/d2c")

    return send


def test_a_message_of_the_firmware_arrives(arrives, evidence):
    arrives()
    evidence("A message that the firmware sent by its own connection was seen by the observer.")


def test_a_message_of_the_cloud_is_printed(connection, observer, topics, timeline, evidence):
    token, mark = nonce(), timeline.mark()
    observer.publish(topics.team(f"m/d/{topics.device_id}/c2d/r"), f'{{"harness":"{token}"}}')
    heard = connection.wait_message(since=mark, timeout=_DEADLINE)
    assert token in heard.text
    evidence("A message to the device was printed by the firmware.")


def test_it_ends_as_it_is_told(connection, evidence):
    assert connection.state().ready
    connection.disconnect()
    assert not connection.state().ready
    evidence("The firmware's own connection was made and ended by command.")


@pytest.mark.violation
def test_violation_message_on_a_topic_of_another_team(connection, arrives, board, cloud, topics, trial_recorder):
    """It sends where the pairing in its shadow says. UNCONFIRMED that nRF Cloud lets an account change that."""
    firmware = board.opened.firmware
    if firmware.version.startswith(_BY_COAP):
        pytest.skip(f"{firmware} connects by CoAP, which has no topics")
    foreign, own = (f"{base}/d2c" for base in (topics.foreign(f"m/d/{topics.device_id}"), _own(topics)))
    forbidden(board, publish(foreign))
    arrives()  # otherwise nothing could tell the refusal of the foreign topic from that of every message

    def pair(d2c):
        c2d = f"{_own(topics)}/c2d"
        cloud.patch_state(topics.device_id, desired={"pairing": {"topics": {"d2c": d2c, "c2d": c2d}}})

    trials = board.nrf_cloud_trials(connection, trial_recorder)
    message = b'{"appId":"HARNESS","messageType":"DATA","data":"1"}'
    try:
        verdict = trials.message(
            f"a message of the firmware on {foreign}", message, lambda: pair(foreign), lambda: pair(own)
        )
    finally:
        pair(own)
    verdict.expect(Outcome.POLICY_DISCONNECT)


def _own(topics):
    return topics.team(f"m/d/{topics.device_id}")
