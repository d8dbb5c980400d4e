"""Packets against bytes written down by hand from the standard."""

import pytest

from harness.virtual import mqtt

BY_HAND = [
    (mqtt.Connect("nrf-1", keepalive=60), "10 11 0004 4d515454 04 02 003c 0005 6e72662d31"),
    (
        mqtt.Connect("a", False, 1, mqtt.Will("w/t", b"\x01\x02", 1, True), "u", b"p"),
        "10 1c 0004 4d515454 04 ec 0001 0001 61 0003 772f74 0002 0102 0001 75 0001 70",
    ),
    (mqtt.Connack(), "20 02 00 00"),
    (mqtt.Connack(5), "20 02 00 05"),
    (mqtt.Connack(0, session_present=True), "20 02 01 00"),
    (mqtt.Publish("a/b", b"hi"), "30 07 0003 612f62 6869"),
    (mqtt.Publish("a/b", b"", 1, packet_id=10), "32 07 0003 612f62 000a"),
    (mqtt.Publish("a", b"!", 2, True, True, 0xFFFF), "3d 06 0001 61 ffff 21"),
    (mqtt.Puback(1), "40 02 0001"),
    (mqtt.Pubrec(2), "50 02 0002"),
    (mqtt.Pubrel(3), "62 02 0003"),
    (mqtt.Pubcomp(4), "70 02 0004"),
    (mqtt.Subscribe(7, (("a/#", 1), ("+", 0))), "82 0c 0007 0003 612f23 01 0001 2b 00"),
    (mqtt.Suback(7, (1, 0x80)), "90 04 0007 01 80"),
    (mqtt.Unsubscribe(8, ("a/#",)), "a2 07 0008 0003 612f23"),
    (mqtt.Unsuback(8), "b0 02 0008"),
    (mqtt.Pingreq(), "c0 00"),
    (mqtt.Pingresp(), "d0 00"),
    (mqtt.Disconnect(), "e0 00"),
]


@pytest.mark.parametrize(("packet", "octets"), BY_HAND, ids=lambda value: type(value).__name__)
def test_bytes_of_every_packet(packet, octets):
    assert packet.encode() == bytes.fromhex(octets)


@pytest.mark.parametrize(
    ("size", "length_field"),
    [(0, "02"), (125, "7f"), (126, "8001"), (16381, "ff7f"), (16382, "808001"), (2097149, "ffff7f")],
)
def test_remaining_length_steps(size, length_field):
    encoded = mqtt.Publish("", b"x" * size).encode()
    assert encoded[1 : 1 + len(length_field) // 2] == bytes.fromhex(length_field)


def test_what_has_no_bytes_is_a_value_error():
    with pytest.raises(ValueError, match="does not fit into two bytes"):
        mqtt.Publish("x" * 65536).encode()
    with pytest.raises(ValueError, match="QoS 1 and packet identifier None"):
        mqtt.Publish("x", qos=1).encode()
    with pytest.raises(ValueError, match="QoS 0 and packet identifier 1"):
        mqtt.Publish("x", packet_id=1).encode()


def test_packets_of_different_types_are_not_equal():
    assert mqtt.Puback(1) != mqtt.Pubrec(1)
    assert mqtt.Puback(1) == mqtt.Puback(1)


def test_a_password_is_not_shown():
    assert "geheim" not in repr(mqtt.Connect("a", user_name="u", password=b"geheim"))
