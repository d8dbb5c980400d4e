"""Triggers: what they send, and what shows that it was really sent."""

from __future__ import annotations

import json

import pytest

from harness.cloud import ObservedMessage
from harness.cloud.observer import SOURCE
from harness.timeline import Kind, Timeline
from harness.trial import DesiredChanges, DeviceAsks, DeviceReports, DeviceSends, ObserverSends
from tests.fake import Fake
from tests.unit.trial.fakes import LOGIN, FakeDevice

SHADOW = "$aws/things/dev-1/shadow"


class FakeObserver(Fake):
    """Receives what it publishes, on ``hears`` in place of the topic where that is given; None: nothing comes."""

    def __init__(self, hears=""):
        self.timeline = Timeline()
        self.hears = hears

    def listen(self, topic):
        assert topic.startswith("prod/")

    def publish(self, topic, payload):
        if self.hears is not None:
            text, data = ObservedMessage.draft(self.hears or topic, payload, 1, False)
            self.timeline.add(Kind.CLOUD, SOURCE, text, **data)

    def wait_message(self, match, *, since, timeout):
        messages = (ObservedMessage.of(event) for event in self.timeline.since(since))
        return next((one for one in messages if one is not None and match(one)), None)


class FakeCloud(Fake):
    """Its shadow holds what it is told; ``deaf``: it takes everything and holds nothing."""

    def __init__(self, deaf=False):
        self.state = {}
        self.deaf = deaf

    def patch_state(self, device_id, *, desired):
        if not self.deaf:
            self.state["desired"] = desired

    def device(self, device_id):
        return {"id": device_id, "state": self.state}


@pytest.fixture
def device():
    device = FakeDevice()
    device.connect(LOGIN)
    return device


@pytest.mark.parametrize(("hears", "seen"), [("", True), (None, False), ("other", False)])
def test_observer_shows_its_message_by_a_copy(hears, seen):
    observer = FakeObserver(hears)
    sending = ObserverSends(observer, "prod/team/a/x")("n1")
    assert sending.seen(0.5) is seen


def test_copy_of_an_earlier_message_shows_nothing():
    observer = FakeObserver()
    observer.publish("prod/team/a/x", b"n1")
    observer.hears = None
    assert not ObserverSends(observer, "prod/team/a/x")("n1").seen(0.5)


@pytest.mark.parametrize(
    ("trigger", "topic", "payload"),
    [
        (lambda device: DeviceSends(device, "lab/x"), "lab/x", {"harness": "n1"}),
        (lambda device: DeviceAsks(device, "dev-1"), f"{SHADOW}/get", {"clientToken": "n1"}),
        (
            lambda device: DeviceReports(device, "dev-1", None),
            f"{SHADOW}/update",
            {"state": {"reported": {"harness": {"trial": "n1"}}}, "clientToken": "n1"},
        ),
    ],
)
def test_device_shows_its_publish_by_the_puback(device, trigger, topic, payload):
    sending = trigger(device)("n1")
    ((where, what),) = device.published
    assert (where, json.loads(what)) == (topic, payload)
    assert sending.seen(0.5)
    device.silent_for = {topic}
    assert not trigger(device)("n2").seen(0.5)  # the PUBACK of n1 is not its own
    device.forbidden = {topic}
    assert not trigger(device)("n3").seen(0.5)
    assert not trigger(device)("n4").seen(0.5)  # not connected any more


@pytest.mark.parametrize("reported", [{"harness": {"trial": "n1"}}, {"harness": {"trial": "n0"}}, None])
def test_report_shows_in_rest_device_state(device, reported):
    cloud = FakeCloud()
    cloud.state = {"desired": {"harness": {"token": "n1"}}} | ({} if reported is None else {"reported": reported})
    sending = DeviceReports(device, "dev-1", cloud)("n1")
    assert sending.seen(0.5) is (reported == {"harness": {"trial": "n1"}})


@pytest.mark.parametrize("deaf", [False, True])
def test_desired_change_shows_in_rest_device_state(deaf):
    assert DesiredChanges(FakeCloud(deaf), "dev-1")("n1").seen(0.5) is not deaf


def test_device_that_rest_does_not_know_shows_nothing():
    cloud = FakeCloud()
    cloud.device = lambda _device_id: None
    assert not DesiredChanges(cloud, "dev-1")("n1").seen(0.5)


class NotingCloud(FakeCloud):
    """``asked``: what it was asked about, and told."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def patch_state(self, device_id, *, desired):
        self.asked.append((device_id, desired))
        super().patch_state(device_id, desired=desired)

    def device(self, device_id):
        self.asked.append(device_id)
        return super().device(device_id)


def test_what_shows_the_sending_is_said_in_words(device):
    assert ObserverSends(FakeObserver(), "prod/t")("n1").shown_by == "the observer's own copy"
    assert DeviceSends(device, "lab/x")("n1").shown_by == "the PUBACK for lab/x"
    assert DeviceReports(device, "dev-1", None)("n1").shown_by == f"the PUBACK for {SHADOW}/update"
    assert DeviceReports(device, "dev-1", FakeCloud())("n1").shown_by == "REST device state"
    assert DesiredChanges(FakeCloud(), "dev-1")("n1").shown_by == "REST device state"


def test_rest_is_told_and_asked_of_the_device_in_question(device):
    cloud = NotingCloud()
    assert DesiredChanges(cloud, "dev-1")("n1").seen(0.5)
    assert cloud.asked == [("dev-1", {"harness": {"token": "n1"}}), "dev-1"]
    cloud = NotingCloud()
    DeviceReports(device, "dev-2", cloud)("n1").seen(0.5)
    assert cloud.asked == ["dev-2"]


def test_a_copy_is_waited_for_as_long_as_it_may_take():
    observer = FakeObserver(None)
    waits = []
    observer.wait_message = lambda match, *, since, timeout: waits.append((since, timeout))
    assert not ObserverSends(observer, "prod/t")("n1").seen(2.5)
    assert waits == [(0, 2.5)]


def test_a_puback_is_waited_for_as_long_as_it_may_take_where_the_board_took_the_publish(device):
    device.silent_for = {"lab/x"}
    sending = DeviceSends(device, "lab/x")("n1")
    begin = device.clock.now
    assert not sending.seen(2.5)
    assert device.clock.now - begin == 2.5
    device.disconnect()
    begin = device.clock.now
    assert not DeviceSends(device, "lab/x")("n1").seen(2.5)
    assert device.clock.now == begin


@pytest.mark.parametrize("state", [{}, {"state": {}}, {"state": {"desired": {}}}])
def test_a_state_that_says_nothing_shows_nothing(state):
    """Not even where what is looked for is a part of how nothing is written."""
    cloud = FakeCloud()
    cloud.device = lambda _device_id: state
    for token in ("n1", "null", "nul"):
        assert not DesiredChanges(cloud, "dev-1")(token).seen(0.5)
