"""The driver of a board that only carries bytes: what it asks of its session, and what it says without one."""

from typing import Any

import pytest

from harness.errors import BoardLost, NoAnswer
from harness.firmware import Login, MqttEventKind
from harness.firmware.interface import Firmware
from harness.firmware.mqtt_event import MqttEvent, drafted
from harness.firmware.raw_sockets import driver as module
from harness.firmware.raw_sockets.driver import RawSocketMqtt
from harness.timeline import Timeline, now
from tests.fake import Fake

LOGIN = Login("dev-1", "h", 8883, 42)
SHORT = 0.01


class Port(Fake):
    """A port with a timeline and nothing else."""

    name = "b"
    failure = None

    def __init__(self):
        self.timeline = Timeline()

    def wait(self, match, *, since, timeout):
        return self.timeline.wait(match, since=since, timeout=timeout)


class Session:
    """Notes what it is asked. ``says``: what it answers."""

    says = True
    failure: Exception | None = None

    def __init__(self, *made, timeout):
        self.made, self.timeout = made, timeout
        self.asked = []

    def stands(self):
        self.asked.append("stands")
        return self.says

    def close(self):
        self.asked.append("close")

    def drop(self):
        self.asked.append("drop")

    def publish(self, *message, **how):
        self.asked.append((message, how))
        return self.says

    subscribe = unsubscribe = publish


@pytest.fixture
def device(monkeypatch):
    monkeypatch.setattr(module, "MqttSession", Session)
    make_socket: Any = lambda port: ("socket of", port)  # noqa: E731
    return RawSocketMqtt(Port(), Firmware("X"), make_socket)


CALLS = [
    (lambda device: device.publish("t", b"x"), (("t", b"x"), {"qos": 1, "retain": False})),
    (lambda device: device.publish("t", b"x", qos=0, retain=True), (("t", b"x"), {"qos": 0, "retain": True})),
    (lambda device: device.subscribe("t"), (("t",), {"qos": 1})),
    (lambda device: device.subscribe("t", qos=0), (("t",), {"qos": 0})),
    (lambda device: device.unsubscribe("t"), (("t",), {})),
    (lambda device: device.is_connected(), "stands"),
]


@pytest.mark.parametrize(("call", "asked"), CALLS)
@pytest.mark.parametrize("says", [True, False])
def test_a_request_is_the_sessions(device, call, asked, says):
    assert call(device) is False
    device.connect(LOGIN)
    session = device._session
    session.says = says
    assert call(device) is says
    assert session.asked == [asked]


def test_a_connect_gets_a_new_socket_of_the_board_and_its_time(device):
    device.connect(LOGIN, timeout=33.0)
    first = device._session
    assert (first.made, first.timeout) == ((("socket of", device._port), LOGIN), 33.0)
    device.connect(LOGIN)
    assert first.asked == ["close"]
    assert device._session.timeout == 60.0
    assert device.firmware.product == "X"


@pytest.mark.parametrize(("end", "asked"), [("disconnect", "close"), ("drop", "drop")])
def test_a_session_is_ended_once(device, end, asked):
    getattr(device, end)()
    device.connect(LOGIN)
    session = device._session
    getattr(device, end)()
    getattr(device, end)()
    assert session.asked == [asked]
    assert not device.is_connected()


def tell(device, kind):
    device._port.timeline.extend([drafted(MqttEvent(kind, now()), "b")])


def test_an_event_is_waited_for(device):
    tell(device, MqttEventKind.PUBACK)
    mark = device.mark()
    tell(device, MqttEventKind.SUBACK)
    tell(device, MqttEventKind.PUBACK)
    found = device.wait(lambda event: event.kind is MqttEventKind.PUBACK, since=mark, timeout=SHORT)
    assert found is not None
    assert found.seq > mark
    assert device.wait(lambda event: event.kind is MqttEventKind.CLOSED, since=0, timeout=SHORT) is None
    with pytest.raises(NoAnswer, match=r"expected CLOSED, got nothing within 0.01 s"):
        device.hear(lambda event: event.kind is MqttEventKind.CLOSED, "CLOSED", since=0, timeout=SHORT)


def test_a_bridge_that_could_not_go_on_is_an_error(device):
    device.connect(LOGIN)
    tell(device, MqttEventKind.PUBACK)
    assert device.wait(lambda event: True, since=0, timeout=SHORT)
    device._session.failure = BoardLost("b: gone")
    with pytest.raises(BoardLost, match="b: gone"):
        device.wait(lambda event: True, since=0, timeout=SHORT)
