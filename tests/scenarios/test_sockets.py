"""Raw sockets of a board: what poll says when the cloud hangs up, and any program's traffic through the board."""

from __future__ import annotations

import re
import threading

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from harness.firmware import Capability
from harness.timeline import Kind
from harness.trial import Outcome
from tests.scenarios.expected import allowed, forbidden, publish

# The page: "the modem reports POLLHUP". POLLIN comes with it on stream sockets, unless it was told before. A firmware's
# TCP client tells it as cause -104, and where it is in data mode by the status of that.
_POLLHUP = re.compile(
    r'#XAPOLL: \d+,(17|16)\Z|#XPOLL: \d+,"0x0011"\Z|#XTCPCLI: -104,"disconnected"\Z|#XDATAMODE: -104\Z'
)
_NAMED = ("(17, 0x0011)", "(16, 0x0010)", "(told as cause -104)")
_LINES = (Kind.URC, Kind.RESULT)
_DEADLINE = 30.0


@pytest.mark.needs(Capability.POLL_EVENTS)
@pytest.mark.violation
def test_violation_reads_as_pollhup(board, device, trial, topics, timeline):
    topic = topics.team("a/harness")
    forbidden(board, publish(topic))
    mark = timeline.mark()
    trial.publish(topic, witness=None).expect(Outcome.POLICY_DISCONNECT)
    events = timeline.since(mark)
    told = [event.text for event in events if event.kind in _LINES and _POLLHUP.match(event.text)]
    named = [event.text for event in events if event.kind is Kind.STEP and "POLLHUP" in event.text]
    assert told, "expected POLLHUP (17, 0x0011 or 16; cause -104) from the board, got no such line"
    assert named[0].endswith(_NAMED)


class _Paho:
    """paho-mqtt's own client, which knows nothing of boards."""

    def __init__(self, client_id: str, address: tuple[str, int]) -> None:
        self.connected, self.acknowledged = threading.Event(), threading.Event()
        self.answered = threading.Event()  # by PUBACK, or by a hang-up
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv311, reconnect_on_failure=False
        )
        self.client.on_connect = lambda *_: self.connected.set()
        self.client.on_publish = lambda *_: self._acknowledge()
        self.client.on_disconnect = lambda *_: self.answered.set()
        self.client.connect(*address)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _acknowledge(self) -> None:
        self.acknowledged.set()
        self.answered.set()


@pytest.fixture
def paho(mqtt_through_board, provisioned):
    made = _Paho(provisioned.device_id, mqtt_through_board.address)
    assert made.connected.wait(_DEADLINE), "no CONNACK came through the board"
    yield made
    made.close()


def test_another_program_publishes_through_the_board(board, paho, topics, observer):
    topic = topics.team(f"{topics.device_id}/jobs/harness")
    allowed(board, publish(topic))
    payload = bytes(range(256)) * 16 + b"+++"
    mark = observer.timeline.mark()
    paho.client.publish(topic, payload, 1)
    assert paho.acknowledged.wait(_DEADLINE)
    found = observer.wait_message(lambda message: message.topic == topic, since=mark, timeout=_DEADLINE)
    assert found is not None


@pytest.mark.violation
def test_violation_throws_another_program_out(board, paho, topics, request):
    topic = topics.team("a/harness")
    forbidden(board, publish(topic))
    paho.client.publish(topic, b"x", 1)
    assert paho.answered.wait(_DEADLINE), "expected a hang-up, and nothing came"
    if paho.acknowledged.is_set():
        paho.close()
        # The same by a trial, which proves whose it is: the board's evidence then stands with that of other scenarios.
        request.getfixturevalue("trial").publish(topic, witness=None).expect(Outcome.POLICY_DISCONNECT)
    assert not paho.acknowledged.is_set(), "expected a hang-up, got PUBACK"
