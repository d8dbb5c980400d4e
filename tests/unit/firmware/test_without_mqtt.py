"""Firmwares that pass AT commands on and have no MQTT of their own."""

from types import SimpleNamespace

import pytest

from harness.errors import Misuse, NoAnswer
from harness.firmware import FIRMWARES, Login
from harness.timeline import Timeline

LOGIN = Login("dev-1", "mqtt.nrfcloud.com", 8883, 16842753)


@pytest.fixture
def port():
    def no_line(*_args, **_kwargs):
        raise NoAnswer("dk1: no line")

    return SimpleNamespace(
        name="dk1", timeline=Timeline(), failure=None, type_line=lambda _text: None, wait_line=no_line
    )


def opened(name, port):
    kind = FIRMWARES[name]
    firmware = kind.recognise(port)
    assert firmware is not None
    return kind.driver(port, firmware)


@pytest.fixture(params=["at-client", "shell"])
def device(request, port):
    return opened(request.param, port)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda device: device.connect(LOGIN), "connect to mqtt.nrfcloud.com"),
        (lambda device: device.publish("a/b", b"x"), "publish on a/b"),
        (lambda device: device.subscribe("a/#"), "subscribe to a/#"),
        (lambda device: device.unsubscribe("a/#"), "unsubscribe from a/#"),
        (lambda device: device.wait(lambda event: True, since=0, timeout=1.0), "wait for an MQTT event"),
    ],
)
def test_mqtt_is_refused_before_anything_is_sent(device, call, what):
    with pytest.raises(Misuse) as caught:
        call(device)
    assert str(caught.value).startswith(f"dk1: cannot {what}: this firmware ({device.firmware}) has no MQTT commands")


def test_there_are_no_events(device):
    device.disconnect()
    assert device.events(device.mark()) == []
    assert device.is_connected() is False
    assert device.firmware.topic_fault("a/b") == f"{device.firmware} has no MQTT commands"


def test_there_is_no_will_to_drop_it_for(device):
    with pytest.raises(Misuse) as caught:
        device.drop()
    assert str(caught.value) == f"dk1: {device.firmware} has no MQTT will, and cannot be dropped for one"


def test_the_refusal_says_what_to_do(device):
    with pytest.raises(Misuse) as caught:
        device.subscribe("a/#")
    assert str(caught.value).endswith("has no MQTT commands; use a board with Serial Modem for it")
