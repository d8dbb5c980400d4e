"""Incremental decoder: bytes in any pieces to typed packets. Source: MQTT 3.1.1 §2, §3.

Bytes are refused as early as possible: type and flags at the first byte, the length as soon as it is known. Otherwise
the decoder would wait for a peer that sends garbage until a time-out.
"""

from collections.abc import Callable

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
from harness.virtual.mqtt.wire import LONGEST_BODY, Body, Malformed

_BOTH_WAYS = {PacketType.PUBLISH, PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP}
FROM_CLIENT = frozenset(
    _BOTH_WAYS
    | {PacketType.CONNECT, PacketType.SUBSCRIBE, PacketType.UNSUBSCRIBE, PacketType.PINGREQ, PacketType.DISCONNECT}
)
FROM_SERVER = frozenset(_BOTH_WAYS | {PacketType.CONNACK, PacketType.SUBACK, PacketType.UNSUBACK, PacketType.PINGRESP})

_FLAGS: dict[PacketType, tuple[int, ...]] = {
    # QoS 3 does not exist, and a QoS 0 message cannot be a duplicate.
    PacketType.PUBLISH: (0, 1, 2, 3, 4, 5, 10, 11, 12, 13),
    PacketType.PUBREL: (2,),
    PacketType.SUBSCRIBE: (2,),
    PacketType.UNSUBSCRIBE: (2,),
}
_FIRST_BYTES = {
    packet_type << 4 | flags: packet_type for packet_type in PacketType for flags in _FLAGS.get(packet_type, (0,))
}
_FIXED_LENGTH = {
    PacketType.CONNACK: 2,
    PacketType.PUBACK: 2,
    PacketType.PUBREC: 2,
    PacketType.PUBREL: 2,
    PacketType.PUBCOMP: 2,
    PacketType.UNSUBACK: 2,
    PacketType.PINGREQ: 0,
    PacketType.PINGRESP: 0,
    PacketType.DISCONNECT: 0,
}


class UnsupportedProtocol(Malformed):
    """A CONNECT of MQTT 3.1 or MQTT 5. A server answers it with CONNACK 1 [MQTT-3.1.2-2]."""


class Decoder:
    """Turns one direction of a connection into packets.

    ``accept``: packet types the peer may send now (:data:`FROM_CLIENT`, :data:`FROM_SERVER`); may be changed between
    packets. ``longest``: largest body in bytes that is read; may be changed likewise.
    """

    def __init__(self, accept: frozenset[PacketType], *, longest: int = LONGEST_BODY) -> None:
        self.accept = accept
        self.longest = longest
        self._buffer = bytearray()
        self._header: tuple[int, int, int] | None = None  # first byte, start and end of the body

    def feed(self, data: bytes) -> None:
        """Append received bytes."""
        self._buffer += data

    def next_packet(self) -> Packet | None:
        """Return the next complete packet, None when more bytes are needed. Raises :class:`Malformed`; stop then."""
        if self._header is None:
            self._header = self._read_header()
        if self._header is None:
            return None
        first, start, end = self._header
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[start:end])
        del self._buffer[:end]
        self._header = None
        return _decode(first, Body(body))

    def _read_header(self) -> tuple[int, int, int] | None:
        buffer = self._buffer
        if not buffer:
            return None
        packet_type = _FIRST_BYTES.get(buffer[0])
        if packet_type is None:
            raise Malformed(f"no packet begins with {buffer[0]:#04x}")
        if packet_type not in self.accept:
            raise Malformed(f"{packet_type.name} is not expected here")
        length = 0
        for index in range(1, 5):
            if index == len(buffer):
                return None
            length |= (buffer[index] & 0x7F) << 7 * (index - 1)
            if buffer[index] < 0x80:
                break
        else:
            raise Malformed("the remaining length has more than four bytes")
        if length > self.longest:
            raise Malformed(f"{packet_type.name} announces {length} bytes, {self.longest} are allowed")
        if length != _FIXED_LENGTH.get(packet_type, length):
            raise Malformed(f"{packet_type.name} announces {length} bytes")
        return buffer[0], index + 1, index + 1 + length


def _decode(first: int, body: Body) -> Packet:
    packet_type = first >> 4
    if packet_type == PacketType.PUBLISH:
        return _publish(first & 0x0F, body)
    packet = _READERS[packet_type](body)
    body.end()
    return packet


def _publish(flags: int, body: Body) -> Publish:
    qos = flags >> 1 & 3
    topic = check_topic(body.string())
    packet_id = body.packet_id() if qos else None
    return Publish(topic, body.rest(), qos, bool(flags & 1), bool(flags & 8), packet_id)


def _connect(body: Body) -> Connect:
    name, level = body.string(), body.u8()
    if (name, level) != ("MQTT", 4):
        error = UnsupportedProtocol if name in ("MQTT", "MQIsdp") else Malformed
        raise error(f"CONNECT of protocol {name!r} level {level}")
    flags = body.u8()
    has_will, will_qos, will_retain = bool(flags & 0x04), flags >> 3 & 3, bool(flags & 0x20)
    has_password, has_user = bool(flags & 0x40), bool(flags & 0x80)
    if flags & 0x01 or will_qos == 3 or (not has_will and flags & 0x38) or (has_password and not has_user):
        raise Malformed(f"CONNECT with flags {flags:#04x}")
    keepalive, client_id = body.u16(), body.string()
    will = Will(check_topic(body.string()), body.binary(), will_qos, will_retain) if has_will else None
    user_name = body.string() if has_user else None
    password = body.binary() if has_password else None
    return Connect(client_id, bool(flags & 0x02), keepalive, will, user_name, password)


def _connack(body: Body) -> Connack:
    flags, return_code = body.u8(), body.u8()
    if flags > 1:
        raise Malformed(f"CONNACK with flags {flags:#04x}")
    return Connack(return_code, bool(flags))


def _subscribe(body: Body) -> Subscribe:
    packet_id, filters = body.packet_id(), []
    while body.left:
        text, qos = check_filter(body.string()), body.u8()
        if qos > 2:
            raise Malformed(f"SUBSCRIBE with QoS byte {qos:#04x}")
        filters.append((text, qos))
    if not filters:
        raise Malformed("SUBSCRIBE without a topic filter")
    return Subscribe(packet_id, tuple(filters))


def _suback(body: Body) -> Suback:
    packet_id, codes = body.packet_id(), tuple(body.rest())
    if not codes or not {0, 1, 2, 0x80}.issuperset(codes):
        raise Malformed(f"SUBACK with return codes {list(codes)}")
    return Suback(packet_id, codes)


def _unsubscribe(body: Body) -> Unsubscribe:
    packet_id, filters = body.packet_id(), []
    while body.left:
        filters.append(check_filter(body.string()))
    if not filters:
        raise Malformed("UNSUBSCRIBE without a topic filter")
    return Unsubscribe(packet_id, tuple(filters))


_READERS: dict[int, Callable[[Body], Packet]] = {
    PacketType.CONNECT: _connect,
    PacketType.CONNACK: _connack,
    PacketType.PUBACK: lambda body: Puback(body.packet_id()),
    PacketType.PUBREC: lambda body: Pubrec(body.packet_id()),
    PacketType.PUBREL: lambda body: Pubrel(body.packet_id()),
    PacketType.PUBCOMP: lambda body: Pubcomp(body.packet_id()),
    PacketType.SUBSCRIBE: _subscribe,
    PacketType.SUBACK: _suback,
    PacketType.UNSUBSCRIBE: _unsubscribe,
    PacketType.UNSUBACK: lambda body: Unsuback(body.packet_id()),
    PacketType.PINGREQ: lambda body: Pingreq(),
    PacketType.PINGRESP: lambda body: Pingresp(),
    PacketType.DISCONNECT: lambda body: Disconnect(),
}
