"""MQTT 3.1.1 on the wire, without I/O: typed packets, their bytes, an incremental decoder, rules for topic names.

The broker and the virtual board's client share it. A client builds packets and reads answers like this::

    wire.write(Connect(client_id="nrf-351358811234567", keepalive=60).encode())
    decoder = Decoder(FROM_SERVER)
    decoder.feed(wire.read())
    while (packet := decoder.next_packet()) is not None:
        match packet:
            case Connack(return_code=0): ...

Source: OASIS MQTT Version 3.1.1.
"""

from harness.virtual.mqtt.decoder import FROM_CLIENT, FROM_SERVER, Decoder, UnsupportedProtocol
from harness.virtual.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    PacketType,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)
from harness.virtual.mqtt.topics import check_filter, check_topic
from harness.virtual.mqtt.wire import Malformed

__all__ = [
    "FROM_CLIENT",
    "FROM_SERVER",
    "Connack",
    "Connect",
    "Decoder",
    "Disconnect",
    "Malformed",
    "Packet",
    "PacketType",
    "Pingreq",
    "Pingresp",
    "Puback",
    "Pubcomp",
    "Publish",
    "Pubrec",
    "Pubrel",
    "Suback",
    "Subscribe",
    "Unsuback",
    "Unsubscribe",
    "UnsupportedProtocol",
    "Will",
    "check_filter",
    "check_topic",
]
