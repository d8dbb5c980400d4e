"""What single lines say of the connection."""

from __future__ import annotations

import pytest

from harness.firmware.cloud_library.evidence import EVENT_LITERALS, LITERALS, Evidence, LogClass, evidence_in
from harness.firmware.cloud_library.numbers import Generation, event_name, generation_of
from harness.firmware.cloud_library.reader import KEYS


@pytest.mark.parametrize(
    ("line", "what", "code"),
    [
        ("<inf> nrf_cloud_mqtt_device_message: Connection to nRF Cloud ready", LogClass.CONNECTED, 0),
        ("<inf> cloud_connection: Connected to nRF Cloud", LogClass.CONNECTED, 0),
        ("CLOUD_EVT_READY", LogClass.CONNECTED, 0),
        ("#XNRFCLOUD: 1,0", LogClass.CONNECTED, 0),
        ("#XMQTTEVT: 0,0", LogClass.CONNECTED, 0),
        ("#XMQTTEVT: 0,5", LogClass.REFUSED, 5),
        ("<dbg> cloud: state_connected_entry: Connected to Cloud", LogClass.CONNECTED, 0),
        (
            "Could not connect to nRF Cloud MQTT Broker mqtt.nrfcloud.com, port: 45858. err: -111",
            LogClass.REFUSED,
            -111,
        ),
        ("NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR: -9", LogClass.REFUSED, -9),
        ("nRF Cloud event: NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR, status: -9", LogClass.REFUSED, -9),
        ("<err> cloud_connection: Could not connect to nRF Cloud, error: -9", LogClass.REFUSED, -9),
        ("<err> aws_iot: AWS broker connect failed -111", LogClass.REFUSED, -111),
        ("<dbg> nrf_cloud_transport: nct_mqtt_evt_handler: MQTT_EVT_CONNACK: result 5", LogClass.REFUSED, 5),
        ("MQTT_EVT_CONNACK: result 1", LogClass.REFUSED, 1),
        ("NRF_CLOUD_EVT_ERROR: 1", LogClass.REFUSED, 1),
        ("NRF_CLOUD_EVT_ERROR: 6", LogClass.REFUSED, 6),
        ("<err> nrf_cloud_transport: MQTT input error: -128", LogClass.KICKED, -128),
        ("<err> mqtt_helper: Cloud MQTT input error: -128", LogClass.KICKED, -128),
        ("Socket error: POLLHUP", LogClass.KICKED, 1),
        ("CLOUD_EVT_DISCONNECTED: 1", LogClass.KICKED, 1),
        ("nRF Cloud event: NRF_CLOUD_EVT_TRANSPORT_DISCONNECTED, status: 1", LogClass.KICKED, 1),
        ("#XMQTTEVT: 1,-128", LogClass.KICKED, -128),
        ("Socket error: POLLNVAL", LogClass.LINK_LOST, 2),
        ("<wrn> cloud_connection: Network connectivity lost!", LogClass.LINK_LOST, 0),
        ('+CEREG: 2,"AAAA","00000001",7', LogClass.LINK_LOST, 2),
        ("+CEREG: 0", LogClass.LINK_LOST, 0),
        ("+CEREG: 3", LogClass.LINK_LOST, 3),
        ("+CEREG: 4", LogClass.LINK_LOST, 4),
        ("CLOUD_EVT_DISCONNECTED: 0", LogClass.USER_DISCONNECT, 0),
        ("#XMQTTEVT: 1,0", LogClass.USER_DISCONNECT, 0),
        ("<err> nrf_cloud_transport: MQTT ping error: -128", LogClass.KEEPALIVE, 0),
        ("Modem has crashed, reason 0x11, PC: 0x688de", LogClass.MODEM_FAULT, 0),
        ("nrf_cloud_event: 5", LogClass.CONNECTED, 0),
        ("cloud_event: 2, data: 1", LogClass.KICKED, 1),
    ],
)
def test_a_line_is_evidence_of(line, what, code):
    assert evidence_in(line) == Evidence(what, code, line)


@pytest.mark.parametrize(
    "line",
    [
        "CLOUD_EVT_DISCONNECTED",  # that it ended, not why
        "<dbg> x: y: NRF_CLOUD_EVT_TRANSPORT_DISCONNECTED",
        "CLOUD_EVT_DISCONNECTED: 3",  # a failed poll has no one cause
        "NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR: -3",  # the network
        "Could not connect to nRF Cloud MQTT Broker x, port: 45858. err: -116",
        "MQTT_EVT_CONNACK: result 0",
        "NRF_CLOUD_EVT_ERROR: 0",
        "NRF_CLOUD_EVT_ERROR: 7",
        "NRF_CLOUD_EVT_ERROR: 8",
        "NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR: 0",
        "<dbg> nrf_cloud_dns: c: Connected to nRF Cloud host: mqtt.nrfcloud.com. Socket ID: 0",
        "<dbg> mqtt_helper: poll: POLLNVAL while disconnecting",
        '+CEREG: 1,"AAAA","00000001",7',
        "+CEREG: 5,1",  # an answer: <n>,<stat>
        "#XMQTTEVT: 3,0",
        "MQTT input error: -22",
        "#XMQTTEVT: 1,-116",
        "nrf_cloud_event: 8, status: 1",  # a disconnect in NCS 1.x, a location in NCS 2
        "the quick brown fox",
    ],
)
def test_a_line_is_no_evidence(line):
    assert evidence_in(line) is None


def test_a_reset_is_weaker_evidence_than_a_close():
    assert evidence_in("MQTT input error: -104").strong is False
    assert evidence_in("#XMQTTEVT: 1,-113").strong is False
    assert evidence_in("MQTT input error: -128").strong is True


@pytest.mark.parametrize(
    ("number", "generation", "name"),
    [
        (12, Generation.CURRENT, "TRANSPORT_DISCONNECTED"),
        (8, Generation.NCS_1, "TRANSPORT_DISCONNECTED"),
        (2, Generation.CLOUD_API, "DISCONNECTED"),
        (16, Generation.CURRENT, "TRANSPORT_CONNECT_ERROR"),
        (16, Generation.NCS_1, None),
        (5, None, "READY"),
        (8, None, None),
    ],
)
def test_events_have_their_generations_numbers(number, generation, name):
    assert event_name(number, generation) == name


@pytest.mark.parametrize(
    ("line", "generation", "what", "code"),
    [
        ("nrf_cloud_event: 8, status: 1", Generation.NCS_1, LogClass.KICKED, 1),
        ("nrf_cloud_event: 12, status: 1", Generation.CURRENT, LogClass.KICKED, 1),
        ("nrf_cloud_event: 16, status: -9", Generation.CURRENT, LogClass.REFUSED, -9),
    ],
)
def test_a_generations_end_is_read_by_its_number(line, generation, what, code):
    assert evidence_in(line, generation) == Evidence(what, code, line)


@pytest.mark.parametrize(
    ("line", "generation", "what"),
    [
        ("Unknown nRF Cloud event type: 5", None, LogClass.CONNECTED),
        ("Unknown nRF Cloud event type: 3", Generation.CURRENT, None),  # an association request, not the API's READY
        ("<err> nrf_cloud_integration: Unknown nRF Cloud event type: 3", Generation.NCS_1, None),
        ("<wrn> asset_tracker: Unknown cloud event type: 3", Generation.NCS_1, LogClass.CONNECTED),
        ("<dbg> app: nrf_cloud_event_handler: Cloud event: 3", Generation.CURRENT, None),
        ("<dbg> app: nrf_cloud_event_handler: Cloud event: 5", Generation.CURRENT, LogClass.CONNECTED),
        ("Cloud event: 3", None, None),
        ("Cloud event: 5", None, None),
    ],
)
def test_whose_number_an_event_has_is_read_from_its_words_and_the_generation(line, generation, what):
    evidence = evidence_in(line, generation)
    assert (None if evidence is None else evidence.what) == what


@pytest.mark.parametrize(
    ("banner", "generation"),
    [
        ("*** Booting nRF Connect SDK v3.0.1-9eb5615da66b ***", Generation.CURRENT),
        ("*** Booting nRF Connect SDK v2.0.0 ***", Generation.CURRENT),
        ("*** Booting nRF Connect SDK v1.9.1 ***", Generation.NCS_1),
        ("*** Booting Zephyr OS build v2.6.99-ncs1  ***", Generation.NCS_1),
        ("*** Booting Zephyr OS build v3.2.99-ncs2  ***", Generation.CURRENT),
        ("*** Booting MCUboot v2.1.0 ***", None),
    ],
)
def test_a_banner_tells_the_generation(banner, generation):
    assert generation_of(banner) == generation


def test_no_telling_line_is_missed_by_the_fast_search():
    assert [text for text in (*LITERALS, *EVENT_LITERALS) if not any(key in text for key in KEYS)] == []
