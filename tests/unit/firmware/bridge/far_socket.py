"""A board's socket in memory, for what carries bytes to it: it tells like the firmware, and keeps what it is sent."""

import threading

from harness.errors import BoardLost
from harness.firmware.bridge import AtSocket
from harness.timeline import Kind, Timeline
from tests.fake import Fake


class Port(Fake):
    """A port with a timeline and nothing else."""

    name = "dk1"
    alive = True

    def __init__(self):
        self.timeline = Timeline()

    @property
    def failure(self):
        return None if self.alive else BoardLost("dk1: hung up")

    def hang_up(self):
        """The board goes away, as a port tells it."""
        self.alive = False
        self.timeline.add(Kind.FAULT, self.name, "dk1: hung up")


class FarSocket(AtSocket):
    """``echo``: what is sent comes back. ``most``: bytes of one send; ``least``: bytes that one receive gives."""

    def __init__(self, port=None, *, most=4096, gives=2048, echo=False):
        super().__init__(port or Port())
        self.most = most
        self.gives = gives
        self.echo = echo
        self.sent = bytearray()
        self.calls = []
        self.closed = threading.Event()
        self.arrived = bytearray()
        self.refuses = False
        self.failure = None
        self.truth = 0
        """What is told again when it is asked for."""
        self._over = False
        self._told = False

    def connect(self, host, port, sec_tag, *, timeout):
        self.calls.append(("connect", host, port, sec_tag, timeout))
        self.handle = 0

    def send(self, data):
        if self.failure is not None:
            raise self.failure
        assert len(data) <= self.most
        self.calls.append(("send", len(data)))
        if self.refuses:
            return False
        self.sent += data
        if self.echo:
            self.arrive(data)
        return True

    def receive(self):
        self.calls.append(("receive",))
        if not self.arrived:
            return b"" if self._over else None
        data = bytes(self.arrived[: self.gives])
        del self.arrived[: len(data)]
        self._told = False
        if self.arrived:
            self._tell(1)
        return data

    def poll(self):
        self.calls.append(("poll",))
        if self.truth:
            self._tell(self.truth)

    def exists(self):
        self.calls.append(("exists",))
        return self.handle == 0

    def close(self):
        self.closed.set()

    # the peer's side

    def arrive(self, data):
        """Bytes come from the peer."""
        self.arrived += data
        if data and not self._told:
            self._tell(1)

    def hang_up(self, bits=17):
        """The peer closes."""
        self._over = bits & 16 != 0
        self.truth = bits
        self._tell(bits)

    def _tell(self, bits):
        self._told = True
        self.port.timeline.add(Kind.URC, self.port.name, f"#XAPOLL: {self.handle},{bits}")
