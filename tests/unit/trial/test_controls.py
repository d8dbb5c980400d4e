"""The allowed action: what it sends, what shows that it arrived, and how long each of both is waited for."""

import json

import pytest

from harness.cloud import ObservedMessage
from harness.cloud.observer import SOURCE
from harness.firmware import MqttEventKind
from harness.timeline import Kind, Timeline
from harness.trial import Control, ObservedPublish, ShadowUpdate
from harness.trial.controls import CHASER, LOST, run_control, subscribed
from tests.fake import Fake
from tests.unit.trial.fakes import LATENCY, LOGIN, FakeAction, FakeDevice

TOPIC = "prod/team/m/d/dev-1/d2c"
UPDATE = "$aws/things/dev-1/shadow/update"


class FakeObserver(Fake):
    """``heard``: messages that arrived; ``asked``: how long each of them was waited for."""

    def __init__(self):
        self.timeline = Timeline()
        self.asked = []
        self.healed = 0

    def heal(self):
        self.healed += 1

    def hear(self, topic, payload):
        text, data = ObservedMessage.draft(topic, payload, 1, False)
        self.timeline.add(Kind.CLOUD, SOURCE, text, **data)

    def wait_message(self, match, *, since, timeout):
        self.asked.append(timeout)
        messages = (ObservedMessage.of(event) for event in self.timeline.since(since))
        return next((one for one in messages if one is not None and match(one)), None)


@pytest.fixture
def device():
    """Connected, and with CONNACK behind it."""
    device = FakeDevice()
    device.connect(LOGIN)
    device.wait(lambda event: event.kind is MqttEventKind.ACCEPTED, since=0, timeout=1.0)
    return device


@pytest.fixture
def observer():
    return FakeObserver()


def control(device, action=None, *, patience=8.0, settle=0.5, soon=0.5):
    action = action or FakeAction(device)
    return run_control(device, action, "n1", timeout=patience, soon=soon, settle=settle, clock=device.clock)


def waits(device):
    """Have the device note how long it was waited for."""
    asked = []
    wait = device.wait
    device.wait = lambda match, *, since, timeout: asked.append(timeout) or wait(match, since=since, timeout=timeout)
    return asked


def test_an_observed_publish_is_in_nrf_clouds_schema_and_seen_by_the_observer(device, observer):
    action = ObservedPublish(device, observer, TOPIC)
    assert action.description == f"a QoS 1 publish on {TOPIC}, seen by the observer,"
    assert action.arm(timeout=1.0) is True
    assert action.send("n1") is True
    ((topic, payload),) = device.published
    assert (topic, json.loads(payload)) == (TOPIC, {"appId": "HARNESS", "messageType": "DATA", "data": "n1"})
    assert action.seen("n1", timeout=0.5) is False
    observer.hear(TOPIC, payload)
    assert action.seen("n1", timeout=0.25) is True
    assert observer.asked == [0.5, 0.25]


@pytest.mark.parametrize(("topic", "payload"), [(TOPIC, b"n2"), ("prod/team/other", b"n1")])
def test_another_message_at_the_observer_is_not_the_controls(device, observer, topic, payload):
    action = ObservedPublish(device, observer, TOPIC)
    action.send("n1")
    observer.hear(topic, payload)
    assert action.seen("n1", timeout=0.5) is False


def test_a_message_that_the_observer_had_before_is_not_the_controls(device, observer):
    action = ObservedPublish(device, observer, TOPIC)
    observer.hear(TOPIC, b"n1")
    action.send("n1")
    action.send("n2")
    assert action.seen("n1", timeout=0.5) is False


def test_of_many_messages_at_once_the_first_is_still_seen(observer):
    """Where the earliest begins is forgotten then, so it is looked for in all that there is."""
    device = FakeDevice()
    device.connected = True
    publish, update = ObservedPublish(device, observer, TOPIC), ShadowUpdate(device, "dev-1")
    for number in range(20):
        publish.send(f"<{number}>")
        update.send(f"<{number}>")
        if number == 0:
            observer.hear(TOPIC, b"<0>")
            device.event(MqttEventKind.MESSAGE, topic=f"{UPDATE}/accepted", payload=b"<0>", after=0.0)
    assert publish.seen("<0>", timeout=0.5) is True
    assert update.seen("<0>", timeout=0.5) is True
    assert publish.seen("<1>", timeout=0.5) is False
    assert update.seen("<1>", timeout=0.5) is False


def test_a_publish_that_the_board_refuses_is_not_sent(device, observer):
    device.disconnect()
    assert ObservedPublish(device, observer, TOPIC).send("n1") is False
    assert ShadowUpdate(device, "dev-1").send("n1") is False


def test_a_shadow_update_reports_a_value_and_listens_to_its_answer(device):
    action = ShadowUpdate(device, "dev-1")
    assert action.description == f"a QoS 1 publish on {UPDATE}, answered on {UPDATE}/accepted,"
    assert action.send("n1") is True
    ((topic, payload),) = device.published
    assert topic == UPDATE
    assert json.loads(payload) == {"state": {"reported": {"harness": {"trial": "n1"}}}, "clientToken": "n1"}
    begin = device.clock.now
    assert action.seen("n1", timeout=0.5) is False
    assert device.clock.now - begin == 0.5


def test_an_answer_from_before_is_not_the_shadow_updates(device):
    action = ShadowUpdate(device, "dev-1")
    device.event(MqttEventKind.MESSAGE, topic=f"{UPDATE}/accepted", payload=b"n1", after=0.0)
    action.send("n1")
    action.send("n2")
    assert action.seen("n1", timeout=0.5) is False


def test_a_control_that_works_lasts_from_sending_to_being_seen(device):
    action = FakeAction(device)
    asked = waits(device)

    def seen(nonce, *, timeout):
        device.clock.pause(0.25)
        asked.append((nonce, timeout))
        return True

    action.seen = seen
    assert control(device, action) == Control(True, True, LATENCY + 0.25, "")
    assert asked == [0.5, ("n1", 0.5)]
    assert device.published == [("allowed", b"n1")]


def test_a_control_that_does_not_arrive_was_acknowledged_all_the_same(device):
    device.swallow = {"allowed"}
    assert control(device, settle=2.5) == Control(True, False, LATENCY, "it did not arrive within 2.5 s")


def test_a_control_that_the_board_refuses_took_no_time(device):
    device.disconnect()
    asked = waits(device)
    assert control(device) == Control(False, False, 0.0, "the board refused to send it")
    assert asked == []


def test_a_control_that_nobody_acknowledges_is_waited_for_with_patience(device):
    device.silent_for = {"allowed"}
    device.unsubscribe = lambda topic_filter: True  # a path that is dead
    assert control(device, patience=7.5) == Control(False, False, 7.5, "nothing came back within 7.5 s", chased=True)
    assert control(device, patience=7.5, soon=7.5).seconds == 7.5


def test_a_control_whose_acknowledgement_is_lost_does_not_cost_all_patience(device):
    device.silent_for = {"allowed"}
    assert control(device, soon=0.75) == Control(False, False, 0.75 + LATENCY, LOST, chased=True)
    assert device.unsubscribed == [CHASER]
    assert control(device, soon=8.0).seconds == 8.0
    assert device.unsubscribed == [CHASER], "no time was left for it"


def test_an_acknowledgement_that_takes_long_is_one(device):
    device.silent_for = {"allowed"}
    device.published.append(("allowed", b"n1"))
    device.event(MqttEventKind.PUBACK, after=0.75 + LATENCY / 2)
    assert control(device, soon=0.75) == Control(True, True, 0.75 + LATENCY, "", chased=True)
    assert device.coming == [], "the packet behind would take the UNSUBACK for its own"
    device.event(MqttEventKind.PUBACK, after=0.75 + LATENCY / 2)
    assert control(device, soon=0.75, settle=None) == Control(True, True, 0.75 + LATENCY, "", chased=True)


def test_a_control_behind_which_nothing_is_answered_any_more_has_failed(device):
    device.silent_for = {"allowed"}
    device.published.append(("allowed", b"n1"))
    device.event(MqttEventKind.PUBACK, after=1.0)
    device.unsubscribe = lambda topic_filter: True
    detail = "what was sent behind it was not answered within 8 s"
    assert control(device) == Control(False, False, 8.0, detail, chased=True)
    device.event(MqttEventKind.PUBACK, after=7.5)
    assert control(device) == Control(False, False, 8.0, detail, chased=True)
    device.event(MqttEventKind.PUBACK, after=1.0)
    device.unsubscribe = lambda topic_filter: False  # the board refused to send it
    assert control(device) == Control(True, True, 1.0, "")


def test_a_control_whose_connection_ends_behind_its_late_acknowledgement_was_acknowledged(device):
    device.silent_for = {"allowed"}
    device.published.append(("allowed", b"n1"))
    device.unsubscribe = lambda topic_filter: True
    device.event(MqttEventKind.PUBACK, after=1.0)
    device.event(MqttEventKind.CLOSED, -128, after=1.5)
    assert control(device) == Control(True, True, 1.5, "", chased=True)


def test_a_control_that_is_hung_up_on_says_how(device):
    device.forbidden = {"allowed"}
    assert control(device) == Control(False, False, LATENCY, "hung up: ENOTCONN (128)")


@pytest.mark.parametrize("before", [MqttEventKind.PUBACK, MqttEventKind.CLOSED])
def test_what_came_before_a_control_says_nothing_of_it(device, before):
    device.event(before, after=0.0)
    device.mark()
    device.connected = True
    device.silent_for = {"allowed"}
    assert control(device).detail == LOST


def test_another_event_is_no_acknowledgement(device):
    device.silent_for = {"allowed"}
    device.event(MqttEventKind.SUBACK)
    device.event(MqttEventKind.PUBACK, after=0.5)
    device.published.append(("allowed", b"n1"))
    assert control(device) == Control(True, True, 0.5, "")


def test_a_subscription_is_one_once_suback_has_come(device):
    device.event(MqttEventKind.PUBACK, after=LATENCY / 2)
    assert subscribed(device, "t", timeout=1.0) is True
    device.forbidden = {"t"}
    begin = device.clock.now
    assert subscribed(device, "t", timeout=1.0) is False
    assert device.clock.now - begin == LATENCY  # the end of the connection ends the wait
    assert subscribed(device, "t", timeout=1.0) is False  # not connected any more


def test_a_subscription_that_nobody_answers_is_none(device):
    device.event(MqttEventKind.SUBACK, after=0.0)  # of an earlier one
    device.subscribe = lambda topic_filter, *, qos=1: True
    begin = device.clock.now
    assert subscribed(device, "t", timeout=2.0) is False
    assert device.clock.now - begin == 2.0


def test_a_subscription_that_the_board_refuses_is_not_waited_for(device):
    device.disconnect()
    begin = device.clock.now
    assert subscribed(device, "t", timeout=2.0) is False
    assert device.clock.now == begin
