"""Log lines to MQTT events behind them on the timeline."""

from __future__ import annotations

import pytest

from harness.firmware.cloud_library.evidence import Evidence, LogClass, evidence_in
from harness.firmware.cloud_library.numbers import Generation
from harness.firmware.cloud_library.watcher import _as_mqtt, evidence_of, log_watch
from harness.firmware.mqtt_event import MqttEventKind, mqtt_events
from harness.timeline import Kind, Timeline


def watched(*lines, kind=Kind.RX, data=None):
    timeline, watch = Timeline(), log_watch("b")
    for number, line in enumerate(lines):
        timeline.extend(watch([(float(number), kind, "b", line, data or {})]))
    return timeline.since(0)


@pytest.mark.parametrize(
    ("line", "kind", "result"),
    [
        ("CLOUD_EVT_READY", "accepted", 0),
        ("NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR: -9", "refused", -9),
        ("<err> nrf_cloud_transport: MQTT input error: -128", "closed", -128),
        ("MQTT input error: -104", "closed", -104),
        ("Socket error: POLLHUP", "closed", -128),
        ("Network connectivity lost!", "closed", -115),
        ("CLOUD_EVT_DISCONNECTED: 0", "closed", 0),
        ("<err> nrf_cloud_transport: MQTT ping error: -128", "other", 0),
    ],
)
def test_a_telling_line_is_followed_by_its_event(line, kind, result):
    events = watched(line)
    assert [event.kind for event in events] == [Kind.RX, Kind.MQTT]
    (event,) = mqtt_events(events, "b")
    assert (event.kind, event.result) == (kind, result)
    assert evidence_of(events[1]) == evidence_in(line)
    assert evidence_of(events[1]._replace(kind=Kind.STEP)) is None


@pytest.mark.parametrize(("code", "result"), [(-104, -104), (-1, -1), (0, -128), (1, -128)])
def test_an_end_that_nobody_here_asked_for_is_never_0(code, result):
    assert _as_mqtt(Evidence(LogClass.KICKED, code, "")) == (MqttEventKind.CLOSED, result)


def test_other_lines_are_followed_by_nothing():
    assert [event.kind for event in watched("<inf> app: hello", "temperature 21")] == [Kind.RX, Kind.RX]


def test_a_modems_notice_counts_and_an_answer_does_not():
    assert evidence_of(watched("+CEREG: 2", kind=Kind.URC)[-1]).what is LogClass.LINK_LOST
    assert len(watched("+CEREG: 2", data={"role": "answer"})) == 1
    for role in ("cut", "garbled"):
        assert len(watched("+CEREG: 2", data={"role": role})) == 2


def test_what_is_no_line_of_the_log_hides_nothing_behind_it():
    timeline, watch = Timeline(), log_watch("b", Generation.NCS_1)
    lines = [(Kind.TX, "AT#XNRFCLOUD=1"), (Kind.RX, "nrf_cloud_event: 8, status: 1")]
    timeline.extend(watch([(1.0, kind, "b", text, {}) for kind, text in lines]))
    assert [event.kind for event in timeline.since(0)] == [Kind.TX, Kind.RX, Kind.MQTT]


def test_what_the_board_dropped_is_a_fault():
    (_, fault) = watched("--- 12 messages dropped ---")
    assert (fault.kind, fault.data) == (Kind.FAULT, {"dropped": 12})


def test_a_line_in_two_pieces_is_one_event_that_says_so():
    events = watched("<err> nrf_cloud_transport: MQTT inp+CEREG: 1", "ut error: -128")
    (kicked,) = [event for event in events if evidence_of(event)]
    assert evidence_of(kicked).what is LogClass.KICKED
    assert kicked.data["torn"] is True


def test_the_events_time_is_the_lines_and_the_boards_is_kept():
    event = watched("[00:00:12.345,678] <err> nrf_cloud_transport: MQTT input error: -128")[1]
    assert (event.t, event.data["uptime"]) == (0.0, 12.345678)
