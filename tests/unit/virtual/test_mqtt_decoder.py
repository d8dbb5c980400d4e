"""The decoder: round trips, arbitrary chunks, arbitrary bytes, broken packets, and what paho-mqtt really sends."""

import contextlib
import select
import socket
from typing import Any

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from harness.virtual import mqtt
from harness.virtual.mqtt import FROM_CLIENT, FROM_SERVER, Decoder, Malformed, PacketType, UnsupportedProtocol
from tests.unit.virtual.test_mqtt_packets import BY_HAND

ALL = FROM_CLIENT | FROM_SERVER

strings = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
topics = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0+#"), min_size=1, max_size=20)
levels = st.one_of(st.just("+"), st.text("abc$", max_size=3))
filters = st.builds(
    lambda parts, tail: "/".join(parts) + tail, st.lists(levels, min_size=1, max_size=4), st.sampled_from(["", "/#"])
).filter(bool)
packet_ids = st.integers(1, 0xFFFF)
wills = st.builds(mqtt.Will, topics, st.binary(max_size=20), st.integers(0, 2), st.booleans())
connects = st.builds(
    mqtt.Connect,
    strings,
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.none() | wills,
    strings,
    st.none() | st.binary(max_size=9),
)
publishes = st.one_of(
    st.builds(mqtt.Publish, topics, st.binary(max_size=300), st.just(0), st.booleans()),
    st.builds(
        mqtt.Publish, topics, st.binary(max_size=300), st.integers(1, 2), st.booleans(), st.booleans(), packet_ids
    ),
)
packets = st.one_of(
    connects,
    publishes,
    st.builds(mqtt.Connack, st.integers(0, 5), st.booleans()),
    st.builds(mqtt.Subscribe, packet_ids, st.lists(st.tuples(filters, st.integers(0, 2)), min_size=1).map(tuple)),
    st.builds(mqtt.Suback, packet_ids, st.lists(st.sampled_from([0, 1, 2, 0x80]), min_size=1).map(tuple)),
    st.builds(mqtt.Unsubscribe, packet_ids, st.lists(filters, min_size=1).map(tuple)),
    *(st.builds(kind, packet_ids) for kind in (mqtt.Puback, mqtt.Pubrec, mqtt.Pubrel, mqtt.Pubcomp, mqtt.Unsuback)),
    *(st.builds(kind) for kind in (mqtt.Pingreq, mqtt.Pingresp, mqtt.Disconnect)),
)


def drain(decoder):
    found = []
    while (packet := decoder.next_packet()) is not None:
        found.append(packet)
    return found


def decode(octets, accept=ALL):
    decoder = Decoder(accept)
    decoder.feed(octets)
    return drain(decoder)


@pytest.mark.parametrize(("packet", "octets"), BY_HAND, ids=lambda value: type(value).__name__)
def test_every_packet_from_bytes_written_by_hand(packet, octets):
    assert decode(bytes.fromhex(octets)) == [packet]


@given(st.lists(packets, max_size=6), st.randoms(use_true_random=False))
def test_round_trip_in_arbitrary_chunks(sent, random):
    octets = b"".join(packet.encode() for packet in sent)
    decoder, found, at = Decoder(ALL), [], 0
    while at < len(octets):
        size = random.choice((1, 2, 3, 7, 50, 1000))
        decoder.feed(octets[at : at + size])
        found += drain(decoder)
        at += size
    assert found == sent


@given(st.binary(max_size=200), st.sampled_from([FROM_CLIENT, FROM_SERVER, ALL]))
def test_arbitrary_bytes_raise_nothing_but_malformed(octets, accept):
    with contextlib.suppress(Malformed):
        decode(octets, accept)


@given(packets, st.data())
def test_a_damaged_packet_raises_nothing_but_malformed(packet, data):
    octets = bytearray(packet.encode())
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        decode(bytes(octets))


BROKEN = {
    "reserved type 0": "00 00",
    "reserved type 15": "f0 00",
    "remaining length of five bytes": "30 ff ff ff ff 01",
    "PUBLISH QoS 3": "36 05 0001 61 0001",
    "PUBLISH QoS 0 with DUP": "38 03 0001 61",
    "PUBLISH packet identifier 0": "32 05 0001 61 0000",
    "PUBLISH topic with wildcard": "30 05 0003 612f23",
    "PUBLISH empty topic": "30 02 0000",
    "PUBLISH topic past the end": "30 04 0009 6161",
    "PUBLISH topic not UTF-8": "30 04 0002 c328",
    "PUBLISH topic with NUL": "30 05 0003 610061",
    "PUBLISH topic with surrogate": "30 05 0003 eda080",
    "SUBSCRIBE flags 0": "80 06 0001 0001 61 00",
    "SUBSCRIBE without filters": "82 02 0001",
    "SUBSCRIBE QoS 3": "82 06 0001 0001 61 03",
    "SUBSCRIBE bad filter": "82 07 0001 0002 6123 00",
    "UNSUBSCRIBE flags 0": "a0 05 0001 0001 61",
    "UNSUBSCRIBE without filters": "a2 02 0001",
    "PUBACK of one byte": "40 01 00",
    "PUBREL flags 0": "60 02 0001",
    "PINGREQ with body": "c0 01 00",
    "CONNACK flags": "20 02 02 00",
    "SUBACK code 3": "90 03 0001 03",
    "CONNECT reserved flag": "10 0d 0004 4d515454 04 03 003c 0001 61",
    "CONNECT will QoS without will": "10 0d 0004 4d515454 04 0a 003c 0001 61",
    "CONNECT password without user": "10 10 0004 4d515454 04 42 003c 0001 61 0001 70",
    "CONNECT with bytes left over": "10 0e 0004 4d515454 04 02 003c 0001 61 00",
    "CONNECT other protocol": "10 0d 0004 48545450 04 02 003c 0001 61",
}


@pytest.mark.parametrize("octets", BROKEN.values(), ids=BROKEN.keys())
def test_broken_packets(octets):
    with pytest.raises(Malformed):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize("octets", ["10 0c 0004 4d515454 03 02 003c 0000", "10 0d 0004 4d515454 05 02 003c 00 0000"])
def test_other_protocol_levels_are_told_apart(octets):
    with pytest.raises(UnsupportedProtocol, match="level"):
        decode(bytes.fromhex(octets))


def test_packets_before_a_broken_one_are_delivered_first():
    decoder = Decoder(FROM_CLIENT)
    decoder.feed(mqtt.Pingreq().encode() + b"\xf0")
    assert decoder.next_packet() == mqtt.Pingreq()
    with pytest.raises(Malformed, match="0xf0"):
        decoder.next_packet()


def test_refused_before_the_body_is_there():
    with pytest.raises(Malformed, match="CONNACK is not expected"):
        decode(b"\x20", FROM_CLIENT)
    decoder = Decoder(FROM_CLIENT, longest=131072)
    decoder.feed(b"\x30\x80\x80\x80\x64")
    with pytest.raises(Malformed, match="announces 209715200 bytes"):
        decoder.next_packet()


def test_accepted_types_may_change_between_packets():
    decoder = Decoder(frozenset({PacketType.CONNECT}))
    decoder.feed(mqtt.Connect("a").encode() + mqtt.Pingreq().encode())
    assert decoder.next_packet() == mqtt.Connect("a")
    decoder.accept = FROM_CLIENT - {PacketType.CONNECT}
    assert decoder.next_packet() == mqtt.Pingreq()
    decoder.feed(b"\x10")
    with pytest.raises(Malformed, match="CONNECT is not expected"):
        decoder.next_packet()


def test_what_paho_sends_and_understands():
    """Bytes of a codec that this project did not write, both ways, on one thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = paho.Client(CallbackAPIVersion.VERSION2, "nrf-1", protocol=paho.MQTTv311, clean_session=False)
    client.will_set("will/topic", b"gone", qos=1, retain=True)
    client.username_pw_set("user", "secret")
    heard: list[tuple[Any, ...]] = []
    client.on_connect = lambda *args: heard.append(("connect", args[3].value, args[2].session_present))
    client.on_subscribe = lambda *args: heard.append(("subscribe", args[2], [code.value for code in args[3]]))
    client.on_publish = lambda *args: heard.append(("publish", args[2]))
    client.on_unsubscribe = lambda *args: heard.append(("unsubscribe", args[2]))
    client.on_message = lambda *args: heard.append(
        ("message", args[2].topic, args[2].payload, args[2].qos, args[2].retain)
    )
    host, port = listener.getsockname()
    client.connect(host, port, keepalive=30)
    server, _ = listener.accept()
    decoder = Decoder(FROM_CLIENT)

    def from_paho():
        client.loop_write()
        while (packet := decoder.next_packet()) is None:
            decoder.feed(server.recv(4096))
        return packet

    def to_paho(packet):
        server.sendall(packet.encode())
        assert select.select([client.socket()], [], [], 5)[0]
        client.loop_read()

    server.settimeout(5)
    with listener, server:
        will = mqtt.Will("will/topic", b"gone", 1, True)
        assert from_paho() == mqtt.Connect("nrf-1", False, 30, will, "user", b"secret")
        to_paho(mqtt.Connack(0, session_present=True))
        _, subscribed = client.subscribe([("a/+/c", 1), ("#", 0)])
        assert subscribed is not None
        assert from_paho() == mqtt.Subscribe(subscribed, (("a/+/c", 1), ("#", 0)))
        to_paho(mqtt.Suback(subscribed, (1, 0x80)))
        published = client.publish("a/b/c", b"\x00\xff", qos=1, retain=True).mid
        assert from_paho() == mqtt.Publish("a/b/c", b"\x00\xff", 1, True, False, published)
        to_paho(mqtt.Puback(published))
        twice = client.publish("a", "x" * 200, qos=2).mid
        assert from_paho() == mqtt.Publish("a", b"x" * 200, 2, packet_id=twice)
        to_paho(mqtt.Pubrec(twice))
        assert from_paho() == mqtt.Pubrel(twice)
        to_paho(mqtt.Pubcomp(twice))
        to_paho(mqtt.Publish("in/coming", b"42", 1, retain=True, packet_id=9))
        assert from_paho() == mqtt.Puback(9)
        _, unsubscribed = client.unsubscribe("#")
        assert unsubscribed is not None
        assert from_paho() == mqtt.Unsubscribe(unsubscribed, ("#",))
        to_paho(mqtt.Unsuback(unsubscribed))
        client.disconnect()
        assert from_paho() == mqtt.Disconnect()
    assert heard == [
        ("connect", 0, True),
        ("subscribe", subscribed, [1, 0x80]),
        ("publish", published),
        ("publish", twice),
        ("message", "in/coming", b"42", 1, True),
        ("unsubscribe", unsubscribed),
    ]
