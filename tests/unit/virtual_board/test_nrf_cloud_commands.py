"""#XNRFCLOUD as a host sees it; the cloud's side is written out as packets."""

import json

import pytest

from harness.virtual.board.outputs import CloseLink, LinkClosed, LinkData, LinkFailed, LinkOpened, LinkSend, OpenLink
from harness.virtual.board.serial_modem.nrf_cloud import NRF_CLOUD_LINK
from harness.virtual.mqtt import FROM_CLIENT, Connack, Connect, Decoder, Disconnect, Publish, Suback, Subscribe
from tests.unit.virtual_board.bench import ERROR, OK, urcs
from tests.unit.virtual_board.test_sockets import lines

SHADOW = {
    "desired": {
        "pairing": {"state": "paired", "topics": {"d2c": "prod/t/m/d/x/d2c", "c2d": "prod/t/m/d/x/c2d"}},
        "nrfcloud_mqtt_topic_prefix": "prod/t/",
    }
}


def sent(bench):
    """The packets of the firmware's own connection since the last look; other actions are left out."""
    packets, decoder = [], Decoder(FROM_CLIENT)
    for action in bench.taken():
        if isinstance(action, LinkSend) and action.link == NRF_CLOUD_LINK:
            decoder.feed(action.data)
            packets.append(decoder.next_packet())
    return packets


def cloud(bench, *packets):
    return bench.link(LinkData(b"".join(packet.encode() for packet in packets), link=NRF_CLOUD_LINK))


@pytest.fixture
def ready(bench):
    """Connected and paired."""
    own = bench.ask("AT#XNRFCLOUD?").split(b'"')[1].decode()
    assert bench.ask("AT#XNRFCLOUD=1") == OK
    assert bench.taken() == [OpenLink("mqtt.nrfcloud.com", 8883, 16842753, NRF_CLOUD_LINK)]
    assert bench.link(LinkOpened(NRF_CLOUD_LINK)) == b""
    assert sent(bench) == [Connect(own, keepalive=1200)]
    cloud(bench, Connack())
    assert next(packet.filters[0][0] for packet in sent(bench)) == f"{own}/shadow/get/accepted"
    cloud(bench, Suback(1, (1,)), Suback(2, (1,)), Suback(3, (1,)))
    assert [packet.topic for packet in sent(bench)] == [f"$aws/things/{own}/shadow/get"]
    answer = Publish(f"{own}/shadow/get/accepted", json.dumps(SHADOW).encode(), 0, False)
    assert cloud(bench, answer) == b""
    report, subscription = sent(bench)
    assert json.loads(report.payload)["state"]["reported"]["pairing"]["state"] == "paired"
    assert subscription == Subscribe(4, (("prod/t/m/d/x/+/r", 1),))
    assert cloud(bench, Suback(4, (1,))) == urcs("#XNRFCLOUD: 1,0")
    return bench


def test_wrong_states_are_refused(bench):
    for refused in ("=0", "=2", "=3", ""):
        assert bench.ask(f"AT#XNRFCLOUD{refused}") == ERROR
    bench.ask("AT#XNRFCLOUD=1")
    assert bench.ask("AT#XNRFCLOUD=1") == ERROR
    assert bench.ask("AT#XNRFCLOUD=?") == lines("#XNRFCLOUD: (0,1,2),<send_location>")


def test_a_connection_that_fails_is_told_to_nobody(bench):
    bench.ask("AT#XNRFCLOUD=1")
    assert bench.link(LinkFailed("refused", NRF_CLOUD_LINK)) == b""
    assert bench.ask("AT#XNRFCLOUD=1") == OK


def test_messages_both_ways(ready):
    assert ready.ask("AT#XNRFCLOUD=2") == OK
    assert ready.type(b'{"a":1}+++') == urcs("#XDATAMODE: 0")
    (message,) = sent(ready)
    assert (message.topic, message.payload, message.qos) == ("prod/t/m/d/x/d2c", b'{"a":1}', 1)
    assert cloud(ready, Publish("prod/t/m/d/x/c2d/r", b'{"b":2}', 0, False)) == urcs('#XNRFCLOUD: {"b":2}')


def test_an_end_is_told_without_a_reason(ready):
    assert ready.link(LinkClosed(link=NRF_CLOUD_LINK)) == urcs("#XNRFCLOUD: 0,0")
    assert ready.ask("AT#XNRFCLOUD=2") == ERROR
    assert ready.ask("AT#XNRFCLOUD=1,1") == OK
    assert b"#XNRFCLOUD: 0,1,16842753," in ready.ask("AT#XNRFCLOUD?")


def test_an_end_by_command(ready):
    assert ready.ask("AT#XNRFCLOUD=0") == OK + urcs("#XNRFCLOUD: 0,0")
    assert sent(ready) == [Disconnect()]


def test_a_device_outside_every_team_never_gets_ready(bench):
    bench.ask("AT#XNRFCLOUD=1")
    bench.link(LinkOpened(NRF_CLOUD_LINK))
    cloud(bench, Connack())
    bench.taken()
    pairing = json.dumps({"desired": {"pairing": {"state": "not_associated"}}}).encode()
    assert cloud(bench, Publish("x/shadow/get/accepted", pairing, 0, False)) == b""
    assert not [packet for packet in sent(bench) if isinstance(packet, Subscribe)]
    assert bench.ask("AT#XNRFCLOUD=2") == ERROR


def test_a_reset_closes_it(ready):
    ready.ask("AT#XRESET")
    ready.advance(3)
    assert CloseLink(True, NRF_CLOUD_LINK) in ready.taken()
