"""The MQTT codec: any bytes of a peer, and what was decoded is encoded to the same packet again."""

from harness.virtual.mqtt import FROM_CLIENT, FROM_SERVER, Decoder, Malformed, Packet, UnsupportedProtocol

_LONGEST = 65_536


def one_input(data: bytes) -> None:
    """The first byte chooses the side and the size of the pieces. Documented errors: Malformed, UnsupportedProtocol."""
    first = data[0] if data else 0
    accept, size = (FROM_SERVER if first & 1 else FROM_CLIENT), (first >> 1) + 1
    packets = _decoded(Decoder(accept, longest=_LONGEST), data[1:], size)
    for packet in packets:
        again = _decoded(Decoder(accept, longest=2 * _LONGEST), packet.encode(), _LONGEST)
        assert again == [packet], f"{packet} became {again}"


def _decoded(decoder: Decoder, data: bytes, size: int) -> list[Packet]:
    packets: list[Packet] = []
    try:
        for start in range(0, len(data), size):
            decoder.feed(data[start : start + size])
            while (packet := decoder.next_packet()) is not None:
                packets.append(packet)
    except (Malformed, UnsupportedProtocol):
        pass
    return packets
