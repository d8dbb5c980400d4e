"""A board's socket in memory with an MQTT broker of a few bytes behind it."""

import threading

from tests.unit.firmware.bridge.far_socket import FarSocket

WAIT = 10.0
CONNECT, PUBLISH, PUBACK, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT = 1, 3, 4, 8, 10, 14


class Broker(FarSocket):
    """Behind the board's socket: takes MQTT packets, answers as it is told; keeps them as (type, flags, body)."""

    def __init__(self, port=None, *, connack=0, suback=1):
        super().__init__(port)
        self.connack, self.suback = connack, suback
        self.packets = []
        self.changed = threading.Condition()
        self._bytes = bytearray()

    def send(self, data):
        taken = super().send(data)
        self._bytes += bytes(data)
        while (size := self._size()) is not None and len(self._bytes) >= size[0]:
            whole, head = size
            packet = bytes(self._bytes[:whole])
            del self._bytes[:whole]
            self._take(packet[0] >> 4, packet[0] & 15, packet[head:])
        return taken

    def _size(self):
        length = shift = 0
        for at, byte in enumerate(self._bytes[1:5], 1):
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return at + 1 + length, at + 1
        return None

    def _take(self, kind, flags, body):
        with self.changed:
            self.packets.append((kind, flags, body))
            self.changed.notify_all()
        if kind == CONNECT:
            self.arrive(bytes((0x20, 2, 0, self.connack)))
        elif kind == SUBSCRIBE and self.suback is not None:
            self.arrive(bytes((0x90, 3)) + body[:2] + bytes((self.suback,)))
        elif kind == UNSUBSCRIBE:
            self.arrive(bytes((0xB0, 2)) + body[:2])
        elif kind == PUBLISH and flags & 6:
            length = int.from_bytes(body[:2], "big")
            self.arrive(bytes((0x40, 2)) + body[2 + length : 4 + length])

    def wait(self, kind):
        """Return the flags and the body of the first packet of this kind."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(packet[0] == kind for packet in self.packets), WAIT)
            return next(packet[1:] for packet in self.packets if packet[0] == kind)
