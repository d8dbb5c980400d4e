"""The fourteen control packets and their bytes. Source: MQTT 3.1.1 §3.

Encoding does not judge content: a client under test may well publish on a topic with a wildcard. It raises ValueError
only for what has no bytes at all (a string over 65535 bytes, a QoS 1 PUBLISH without a packet identifier).
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar

from harness.virtual.mqtt.wire import encode_bytes, encode_length, encode_string, encode_u16


class PacketType(IntEnum):
    """Upper four bits of the first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


def _frame(packet_type: PacketType, flags: int, body: bytes) -> bytes:
    return bytes((packet_type << 4 | flags,)) + encode_length(len(body)) + body


@dataclass(frozen=True, slots=True)
class Will:
    """What the server publishes when the connection ends without DISCONNECT."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Connect:
    """First packet of a client. ``keepalive``: seconds, 0 means none."""

    client_id: str
    clean_session: bool = True
    keepalive: int = 0
    will: Will | None = None
    user_name: str | None = None
    password: bytes | None = field(default=None, repr=False)

    def encode(self) -> bytes:
        flags = self.clean_session << 1
        payload = encode_string(self.client_id)
        if self.will is not None:
            flags |= 0x04 | self.will.qos << 3 | self.will.retain << 5
            payload += encode_string(self.will.topic) + encode_bytes(self.will.payload)
        if self.user_name is not None:
            flags |= 0x80
            payload += encode_string(self.user_name)
        if self.password is not None:
            flags |= 0x40
            payload += encode_bytes(self.password)
        head = b"\x00\x04MQTT\x04" + bytes((flags,)) + encode_u16(self.keepalive)
        return _frame(PacketType.CONNECT, 0, head + payload)


@dataclass(frozen=True, slots=True)
class Connack:
    """``return_code``: 0 accepted, 1 protocol, 2 client id, 3 unavailable, 4 user or password, 5 not authorised."""

    return_code: int = 0
    session_present: bool = False

    def encode(self) -> bytes:
        return _frame(PacketType.CONNACK, 0, bytes((self.session_present, self.return_code)))


@dataclass(frozen=True, slots=True)
class Publish:
    """One application message. ``packet_id`` is None exactly for QoS 0."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int | None = None

    def encode(self) -> bytes:
        if (self.packet_id is None) != (self.qos == 0):
            raise ValueError(f"PUBLISH with QoS {self.qos} and packet identifier {self.packet_id}")
        head = encode_string(self.topic)
        if self.packet_id is not None:
            head += encode_u16(self.packet_id)
        return _frame(PacketType.PUBLISH, self.dup << 3 | self.qos << 1 | self.retain, head + self.payload)


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A packet that carries a packet identifier and nothing else."""

    TYPE: ClassVar[PacketType]
    FLAGS: ClassVar[int] = 0
    packet_id: int

    def encode(self) -> bytes:
        return _frame(self.TYPE, self.FLAGS, encode_u16(self.packet_id))


class Puback(_Numbered):
    """Answer to a QoS 1 PUBLISH."""

    __slots__ = ()
    TYPE = PacketType.PUBACK


class Pubrec(_Numbered):
    """First answer to a QoS 2 PUBLISH."""

    __slots__ = ()
    TYPE = PacketType.PUBREC


class Pubrel(_Numbered):
    """Answer to PUBREC."""

    __slots__ = ()
    TYPE = PacketType.PUBREL
    FLAGS = 2


class Pubcomp(_Numbered):
    """Answer to PUBREL; ends a QoS 2 exchange."""

    __slots__ = ()
    TYPE = PacketType.PUBCOMP


class Unsuback(_Numbered):
    """Answer to UNSUBSCRIBE."""

    __slots__ = ()
    TYPE = PacketType.UNSUBACK


@dataclass(frozen=True, slots=True)
class Subscribe:
    """``filters``: pairs of topic filter and requested QoS."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]

    def encode(self) -> bytes:
        body = b"".join(encode_string(text) + bytes((qos,)) for text, qos in self.filters)
        return _frame(PacketType.SUBSCRIBE, 2, encode_u16(self.packet_id) + body)


@dataclass(frozen=True, slots=True)
class Suback:
    """``codes``: for each filter the granted QoS, or 0x80 for a refusal."""

    packet_id: int
    codes: tuple[int, ...]

    def encode(self) -> bytes:
        return _frame(PacketType.SUBACK, 0, encode_u16(self.packet_id) + bytes(self.codes))


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """``filters``: the topic filters as they were subscribed."""

    packet_id: int
    filters: tuple[str, ...]

    def encode(self) -> bytes:
        return _frame(
            PacketType.UNSUBSCRIBE, 2, encode_u16(self.packet_id) + b"".join(map(encode_string, self.filters))
        )


@dataclass(frozen=True, slots=True)
class _Bare:
    """A packet of two bytes."""

    TYPE: ClassVar[PacketType]

    def encode(self) -> bytes:
        return _frame(self.TYPE, 0, b"")


class Pingreq(_Bare):
    """Keep-alive question of a client."""

    __slots__ = ()
    TYPE = PacketType.PINGREQ


class Pingresp(_Bare):
    """Keep-alive answer of the server."""

    __slots__ = ()
    TYPE = PacketType.PINGRESP


class Disconnect(_Bare):
    """A client's clean goodbye; its will is not published."""

    __slots__ = ()
    TYPE = PacketType.DISCONNECT


Packet = (
    Connect
    | Connack
    | Publish
    | Puback
    | Pubrec
    | Pubrel
    | Pubcomp
    | Subscribe
    | Suback
    | Unsubscribe
    | Unsuback
    | Pingreq
    | Pingresp
    | Disconnect
)
