"""The control of an experiment on a subscription: a message from the observer to the board."""

import json

from harness.firmware import MqttEventKind
from harness.trial.controls import ObservedDelivery
from tests.unit.trial.fakes import LATENCY, FakeDevice
from tests.unit.trial.test_controls import FakeObserver
from tests.unit.trial.test_controls import device as device

TOPIC = "prod/team/m/d/dev-1/c2d"


class Publishing(FakeObserver):
    """Its messages arrive at ``device`` after a moment, unless they are to get lost."""

    def __init__(self, device, *, loses=False):
        super().__init__()
        self.device = device
        self.loses = loses
        self.published = []

    def publish(self, topic, payload):
        self.published.append((self.healed, topic, payload))
        if not self.loses:
            self.device.event(MqttEventKind.MESSAGE, topic=topic, payload=payload)


def test_it_says_what_it_does_and_which_rights_it_needs(device):
    action = ObservedDelivery(device, Publishing(device), TOPIC)
    assert action.description == f"a message from the observer on {TOPIC}"
    assert action.rights == (("iot:Subscribe", TOPIC), ("iot:Receive", TOPIC))


def test_the_board_subscribes_and_gets_what_the_observer_publishes(device):
    observer = Publishing(device)
    action = ObservedDelivery(device, observer, TOPIC)
    assert action.arm(timeout=1.0) is True
    assert action.send("n1") is True
    ((healed, topic, payload),) = observer.published
    assert (healed, topic) == (1, TOPIC)
    assert json.loads(payload) == {"appId": "HARNESS", "messageType": "DATA", "data": "n1"}
    begin = device.clock.now
    assert action.seen("n1", timeout=2.0) is True
    assert device.clock.now - begin == LATENCY


def test_a_subscription_that_nobody_answers_takes_its_time(device):
    device.subscribe = lambda topic_filter, *, qos=1: True
    begin = device.clock.now
    assert ObservedDelivery(device, Publishing(device), TOPIC).arm(timeout=2.0) is False
    assert device.clock.now - begin == 2.0


def test_a_subscription_that_is_forbidden_is_none(device):
    device.forbidden = {TOPIC}
    assert ObservedDelivery(device, Publishing(device), TOPIC).arm(timeout=1.0) is False


def test_a_message_that_is_lost_takes_its_time(device):
    action = ObservedDelivery(device, Publishing(device, loses=True), TOPIC)
    action.send("n1")
    begin = device.clock.now
    assert action.seen("n1", timeout=0.5) is False
    assert device.clock.now - begin == 0.5


def test_another_message_is_not_the_controls_nor_is_one_from_before(device):
    observer = Publishing(device, loses=True)
    action = ObservedDelivery(device, observer, TOPIC)
    device.event(MqttEventKind.MESSAGE, topic=TOPIC, payload=b"n1", after=0.0)
    action.send("n1")
    device.event(MqttEventKind.MESSAGE, topic=TOPIC, payload=b"n2")
    assert action.seen("n1", timeout=0.5) is False
    action.send("n2")
    action.send("n3")
    device.event(MqttEventKind.MESSAGE, topic=TOPIC, payload=b"n3")
    device.event(MqttEventKind.MESSAGE, topic=TOPIC, payload=b"n2")
    assert action.seen("n2", timeout=0.5) is True
    assert action.seen("n3", timeout=0.5) is True


def test_of_many_messages_at_once_the_first_is_still_seen():
    device = FakeDevice()
    action = ObservedDelivery(device, Publishing(device, loses=True), TOPIC)
    for number in range(20):
        action.send(f"<{number}>")
        if number == 0:
            device.event(MqttEventKind.MESSAGE, topic=TOPIC, payload=b"<0>", after=0.0)
    assert action.seen("<0>", timeout=0.5) is True
    assert action.seen("<1>", timeout=0.5) is False


def test_the_end_of_the_connection_ends_the_wait(device):
    action = ObservedDelivery(device, Publishing(device, loses=True), TOPIC)
    action.send("n1")
    device.event(MqttEventKind.CLOSED, -128)
    begin = device.clock.now
    assert action.seen("n1", timeout=9.0) is False
    assert device.clock.now - begin == LATENCY
