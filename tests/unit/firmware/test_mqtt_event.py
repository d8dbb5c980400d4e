"""An MQTT event in its form on the timeline, and what a watcher makes of a batch of lines."""

import pytest

from harness.firmware import MqttEvent, MqttEventKind
from harness.firmware.mqtt_event import drafted, mqtt_event, mqtt_events, watching
from harness.modem.signal import signal_in
from harness.timeline import Event, Kind, Timeline


class Watcher:
    """Makes a PUBACK of every "puback", and cannot read "garbled". ``seen``: what it was shown."""

    def __init__(self):
        self.seen = []

    def see(self, t, kind, text, data):
        self.seen.append((t, kind, text, data))
        if text == "garbled":
            raise ValueError(text)
        return MqttEvent(MqttEventKind.PUBACK, t, 7) if text == "puback" else None


def test_each_draft_is_followed_by_its_event():
    watcher = Watcher()
    step = (1.0, Kind.STEP, "board-1", "puback", {})
    cloud = (2.0, Kind.CLOUD, "observer", "puback", {})
    garbled = (3.0, Kind.URC, "board-1", "garbled", {})
    puback = (4.0, Kind.URC, "board-1", "puback", {"a": 1})
    log = (5.0, Kind.RX, "board-1", "log", {})
    assert watching(watcher, "board-1")([step, cloud, garbled, puback, log]) == [
        step,
        cloud,
        garbled,
        (3.0, Kind.FAULT, "board-1", "garbled, skipped: garbled", {"garbled": True}),
        puback,
        (4.0, Kind.MQTT, "board-1", "puback", {"kind": "puback", "result": 7}),
        log,
    ]
    assert watcher.seen == [(t, kind, text, data) for t, kind, _, text, data in (garbled, puback, log)]


@pytest.mark.parametrize(
    ("event", "text", "data"),
    [
        (MqttEvent(MqttEventKind.ACCEPTED, 1.0), "accepted", {"kind": "accepted", "result": 0}),
        (MqttEvent(MqttEventKind.REFUSED, 1.0, 5), "CONNACK return code 5", {"kind": "refused", "result": 5}),
        (MqttEvent(MqttEventKind.CLOSED, 1.0), "disconnected as asked", {"kind": "closed", "result": 0}),
        (
            MqttEvent(MqttEventKind.PUBACK, 1.0, packet_id=7),
            "puback",
            {"kind": "puback", "result": 0, "packet_id": 7},
        ),
        (
            MqttEvent(MqttEventKind.CLOSED, 1.0, -128),
            "hung up: ENOTCONN (128)",
            {"kind": "closed", "result": -128, "errno": "ENOTCONN"},
        ),
        (MqttEvent(MqttEventKind.CLOSED, 1.0, -9999), None, {"kind": "closed", "result": -9999, "errno": ""}),
        (
            MqttEvent(MqttEventKind.MESSAGE, 1.0, 0, "a/b", b"xyz"),
            "message on a/b (3 bytes)",
            {"kind": "message", "result": 0, "topic": "a/b", "payload": "xyz"},
        ),
        (
            MqttEvent(MqttEventKind.MESSAGE, 1.0, 0, "a/b", b"\xff"),
            "message on a/b (1 bytes)",
            {"kind": "message", "result": 0, "topic": "a/b", "payload": "/w==", "encoding": "base64"},
        ),
    ],
)
def test_an_event_comes_back_from_the_timeline_as_it_was(event, text, data):
    draft = drafted(event, "board-1")
    assert draft[:3] == (1.0, Kind.MQTT, "board-1")
    assert draft[3] == (str(event) if text is None else text)
    assert draft[4] == data
    back = mqtt_event(Event(42, *draft))
    assert back == event
    assert back is not None
    assert back.seq == 42
    assert back.topic == event.topic


def test_an_event_of_an_unknown_kind_names_it():
    with pytest.raises(ValueError, match=r"^'of-tomorrow' is not a valid MqttEventKind$"):
        mqtt_event(Event(1, 1.0, Kind.MQTT, "board-1", "?", {"kind": "of-tomorrow", "result": 0}))


def test_a_line_with_signal_figures_has_them_in_its_data():
    line, unknown = "+CESQ: 99,99,255,255,31,62", "+CESQ: 99,99,255,255,255,255"
    drafts = [(1.0, Kind.RX, "board-1", text, {"role": "answer"}) for text in (line, unknown, "OK")]
    assert watching(Watcher(), "board-1")(drafts) == [
        (*drafts[0][:4], {"role": "answer", "signal": signal_in(line)}),
        drafts[1],
        drafts[2],
    ]
    assert signal_in(line) != {}


def test_events_are_those_of_one_board():
    timeline = Timeline()
    for port in ("board-1", "board-2"):
        timeline.add(Kind.RX, port, "puback", kind_of_nothing=1)
        timeline.extend([drafted(MqttEvent(MqttEventKind.SUBACK, 1.0), port)])
    found = mqtt_events(timeline.since(), "board-2")
    assert [(event.kind, event.seq) for event in found] == [(MqttEventKind.SUBACK, 3)]


def test_an_end_says_who_made_it_and_how():
    assert str(MqttEvent(MqttEventKind.CLOSED, 0.0, 0)) == "disconnected as asked"
    assert str(MqttEvent(MqttEventKind.CLOSED, 0.0, 1)).startswith("hung up: ")
