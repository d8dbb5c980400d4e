"""The session's own book of what is not acknowledged yet."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.enums import MQTTErrorCode

from harness.firmware.raw_sockets.mqtt_session import MqttSession
from harness.timeline import Timeline


class Client:
    """Publishes as paho does: its thread tells of the end while publish() is at work, and takes a lock of its own."""

    def __init__(self, session: Any, early: bool) -> None:
        self.session, self.early, self.told = session, early, True

    def publish(self, _topic: str, _payload: bytes, _qos: int, _retain: bool) -> Any:
        if self.early:
            thread = threading.Thread(target=self.session._published, args=(self, None, 7, None, None), daemon=True)
            thread.start()
            thread.join(5.0)
            self.told = not thread.is_alive()
        return SimpleNamespace(mid=7, rc=MQTTErrorCode.MQTT_ERR_SUCCESS)


@pytest.mark.parametrize(("qos", "pubacks"), [(1, 1), (0, 0)])
@pytest.mark.parametrize("early", [True, False])
def test_the_end_of_a_message_may_come_before_publish_has_returned(qos, pubacks, early):
    """Where the session held its lock around paho's publish(), each waited for the other's."""
    session: Any = object.__new__(MqttSession)
    session._port = SimpleNamespace(name="dk-1", timeline=Timeline())
    session._lock, session._unacknowledged, session._ended = threading.Lock(), {}, set()
    session._client = client = Client(session, early)
    assert session.publish("t", b"x", qos=qos, retain=False)
    assert client.told, "paho's thread waits for the session's lock"
    if not early:
        session._published(client, None, 7, None, None)
    sent, *acknowledged = session._port.timeline.since()
    assert sent.text.startswith("MQTT PUBLISH t")
    told = [(event.text, event.data) for event in acknowledged]
    assert told == [("puback", {"kind": "puback", "result": 0, "packet_id": 7})] * pubacks
    assert not session._unacknowledged
    assert not session._ended
