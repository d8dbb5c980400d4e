"""Traces whose cause is known from their public source: named as it is, or "cannot be told", never as another one."""

import json
from pathlib import Path

import pytest

from harness.trial.diagnosis import Cause
from tests.unit.trial.diagnosis.made import Line, diagnose


def late_end_of_an_own_disconnect():
    """Serial Modem, work-queue build: the end of the old session is reported inside the next CONNECT."""
    line = Line().tx("AT#XMQTTCON=0", 6.639).add("result", "OK", 0.017, ok=True)
    line.tx('AT#XMQTTCFG="c",60,1', 0.0).add("result", "OK", 0.009, ok=True)
    line.tx('AT#XMQTTCON=1,"u","p","h",8883,0', 0.0).add("result", "OK", 5.154, ok=True)
    return line.urc("#XMQTTEVT: 1,0").urc("#XMQTTEVT: 0,0", 0.531)


def message_in_order():
    """Serial Modem: an inbound message, nothing else."""
    return (
        Line().urc("#XMQTTMSG: 4,17").mqtt("message", topic="test", payload="test message body").urc("#XMQTTEVT: 2,0")
    )


def attach_with_a_cell_change():
    """nRF Connect SDK, MQTT sample of nRF Cloud: the cell changes while the cloud connection is set up."""
    line = Line().log("Connecting to LTE...").log("+CGEV: EXCE STATUS 0").log('+CEREG: 2,"AAAA","00000001",7')
    line.log("+CSCON: 1").log("+CGEV: ME PDN ACT 0").log('+CEREG: 1,"AAAA","00000001",7,,,"11100000","11100000"')
    line.log("Connected to network", 1.8).log("+CGEV: IPV6 0").log("Host name:         mqtt.nrfcloud.com")
    line.log('+CEREG: 1,"AAAA","00000002",7,,,"11100000","11100000"')
    return line.log("Connection to nRF Cloud ready", 4.4).log("+CSCON: 0")


def missing_credentials():
    """nRF Connect SDK, the same sample's page, section Troubleshooting."""
    line = Line().log(
        "<err> nrf_cloud_transport: Could not connect to nRF Cloud MQTT Broker mqtt.nrfcloud.com, port: 8883. err: -111"
    )
    return line.log("<err> nrf_cloud_mqtt_cell_location_sample: NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR: -9", 0.0)


def connect_refused_by_policy():
    """eclipse-paho/paho.mqtt.rust #119."""
    return Line().tx("MQTT CONNECT").log("TLS alert (warning): close notify", 0.136)


def subscribe_refused():
    """espressif/esp-aws-iot #106 and jandelgado/esp32-aws-iot #3."""
    line = Line().log("Connected to AWS").log("Subscribing...").log("mbedtls_ssl_read returned -0x7880", 0.21)
    return line.log("Error subscribing : -12", 0.0)


def invalid_topic():
    """espressif/esp-idf #6341: characters that no topic filter may have; the same again after each reconnect."""
    line = Line().log("MQTT_EVENT_CONNECTED").log("sent subscribe successful, msg_id=1", 5.04)
    line.log("transport_read() error: errno=128", 0.04).log("MQTT_EVENT_DISCONNECTED", 0.01)
    return line.log("MQTT_EVENT_CONNECTED", 15.07).log("transport_read() error: errno=128", 1.03)


def connected_in_the_shadow():
    """hello-nrfcloud/backend, DeviceShadow.feature: no reason while the device is connected."""
    return Line().cloud("state", reported={"connection": {"status": "connected", "keepalive": 1200}})


def outage_reported_as_a_duplicate():
    """espressif/esp-aws-iot #222: the reason names the eviction of the old connection, not the outage."""
    return Line().cloud(
        "", eventType="disconnected", clientInitiatedDisconnect=False, disconnectReason="DUPLICATE_CLIENTID"
    )


def modem_crash():
    """DevZone 111879."""
    line = Line().log("RRC mode: Connected").log("Modem has crashed, reason 0x11, PC: 0x688de", 1.386)
    return line.log("re-initializing the modem")


def modem_crash_with_dead_at_channel():
    """DevZone 120949."""
    line = Line().log("Modem has crashed, reason 0x10, PC: 0x11af7e").log("AT+CESQ error -1")
    return line.log("Could not get registration status, error: -1")


def kept_alive_too_seldom():
    """nRF Cloud, hello-nrfcloud/backend: the fields are stamped 1800 s after the last report, keep-alive 1200 s."""
    line = Line().connect(1200).publish().hung_up(after=1799.9)
    return line.cloud("", reported={"connection": {"disconnectReason": "MQTT_KEEP_ALIVE_TIMEOUT"}})


def violation_on_a_tcp_client():
    """Serial LTE Modem, slm_at_tcp_proxy.c: POLLHUP is cause -104."""
    line = _on_a_tcp_client().tx("MQTT PUBLISH $aws/things/other/shadow/update (QoS 1, id 1)")
    return line.urc('#XTCPCLI: -104,"disconnected"').mqtt("closed", 0.0, result=-104)


def network_lost_below_a_tcp_client():
    """The same: POLLERR is cause -5, POLLNVAL -115."""
    line = _on_a_tcp_client().urc("+CGEV: NW PDN DEACT 0")
    return line.urc('#XTCPCLI: -5,"disconnected"').mqtt("closed", 0.0, result=-115)


def tcp_client_that_hangs_up_by_itself():
    """Nothing was asked for, and nothing else was heard."""
    return _on_a_tcp_client().urc('#XTCPCLI: -104,"disconnected"', 30.0).mqtt("closed", 0.0, result=-104)


def _on_a_tcp_client():
    line = Line().tx('AT#XTCPCLI=1,"mqtt.nrfcloud.com",8883,16842753').add("rx", '#XTCPCLI: 0,"connected"')
    line.add("result", "OK", ok=True).tx("MQTT CONNECT as nrf-1 (keep-alive 1200 s)")
    return line.urc("#XTCPDATA: 4").mqtt("accepted", 0.0)


TRACES = [
    (late_end_of_an_own_disconnect, Cause.OWN_DISCONNECT),
    (message_in_order, None),
    (attach_with_a_cell_change, None),
    (missing_credentials, Cause.CREDENTIAL_REFUSED),
    (connect_refused_by_policy, Cause.POLICY),
    (subscribe_refused, Cause.POLICY),
    (invalid_topic, Cause.MISUSE),
    (connected_in_the_shadow, None),
    (outage_reported_as_a_duplicate, Cause.NETWORK_LOST),
    (modem_crash, Cause.MODEM_FAULT),
    (modem_crash_with_dead_at_channel, Cause.MODEM_FAULT),
    (kept_alive_too_seldom, Cause.KEEP_ALIVE),
    (violation_on_a_tcp_client, Cause.POLICY),
    (network_lost_below_a_tcp_client, Cause.NETWORK_LOST),
    (tcp_client_that_hangs_up_by_itself, None),
]
TOLD = {
    late_end_of_an_own_disconnect,
    missing_credentials,
    modem_crash,
    modem_crash_with_dead_at_channel,
    kept_alive_too_seldom,
    network_lost_below_a_tcp_client,
}
"""Where the lines are enough; for the rest "cannot be told" is the right answer."""
RECORDED = {
    "sm-own-disconnect-late-urc": "late_end_of_an_own_disconnect",
    "sm-msg-in-order": "message_in_order",
    "ncs-attach-with-cell-change": "attach_with_a_cell_change",
    "ncs-missing-credentials": "missing_credentials",
    "aws-connect-refused-policy": "connect_refused_by_policy",
    "aws-subscribe-refused-suspected": "subscribe_refused",
    "aws-subscribe-refused-confirmed": "subscribe_refused",
    "invalid-topic-subscribe": "invalid_topic",
    "nrfcloud-shadow-connected": "connected_in_the_shadow",
    "aws-duplicate-after-blip": "outage_reported_as_a_duplicate",
    "modem-crash-0x11": "modem_crash",
    "modem-crash-at-dead": "modem_crash_with_dead_at_channel",
}
"""What stands here for each trace of tests/data/disconnect-traces.json."""


@pytest.mark.parametrize(("trace", "known"), TRACES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_known_trace_is_never_called_something_else(trace, known):
    found = diagnose(trace().events).cause
    assert found is (known if trace in TOLD else Cause.INCONCLUSIVE)


@pytest.mark.parametrize("trace", [message_in_order, attach_with_a_cell_change, connected_in_the_shadow])
def test_where_nothing_happened_nothing_is_found(trace):
    assert diagnose(trace().events).findings == ()


def test_every_recorded_trace_is_among_them():
    """Two of the file are the same refusal of a SUBSCRIBE, by two libraries."""
    recorded = json.loads((Path(__file__).parents[3] / "data" / "disconnect-traces.json").read_text())
    assert {trace["id"] for trace in recorded} == set(RECORDED)
    assert {trace.__name__ for trace, _ in TRACES} >= set(RECORDED.values())
