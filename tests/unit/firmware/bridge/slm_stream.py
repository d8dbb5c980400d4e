"""The stand-in of a Serial LTE Modem behind an AT port, without a pty: its bytes are cut into pieces of any size."""

import threading

from harness.at import AtPort, PortSettings, Terminator
from harness.firmware.bridge import FRAMED
from harness.timeline import Timeline
from harness.virtual.board.outputs import LinkClosed, LinkData, LinkEvent, LinkOpened, LinkSend, OpenLink
from harness.virtual.board.slm import OlderSerialLteModem
from tests.unit.at.queued_stream import QueuedStream
from tests.unit.virtual_board.bench import Bench

DEADLINE = 10.0


class SlmStream(QueuedStream):
    """``size``: of the pieces that the port reads. ``echo``: the peer sends back what it gets.

    ``in_data_mode``: what the peer sends while the board is in data mode, one piece each time, None: it closes then.
    ``sent``: what it got. ``lose_bytes``: nothing that the board says arrives.
    """

    def __init__(self, *, size=4096, echo=False, in_data_mode=(), firmware=OlderSerialLteModem):
        super().__init__()
        self.sent = bytearray()
        self.commands = []
        self.opens: LinkEvent = LinkOpened(1)
        self._size = size
        self._echo = echo
        self.in_data_mode = list(in_data_mode)
        self.lose_bytes = False
        self._lock = threading.Condition()
        self._bench = Bench(firmware=firmware)
        self._bench.end = b"\r\n"
        self._bench.attach()
        self._bench.taken()

    def port(self):
        """A port that reads this board."""
        settings = PortSettings(terminator=Terminator.CRLF, framed=FRAMED)
        return AtPort(self, name="slm", timeline=Timeline(), settings=settings, url="")

    def write(self, data):
        self.commands.append(data)
        with self._lock:
            self._put(self._bench.type(data))
            while self.in_data_mode and self._bench.core._data_mode is not None:
                piece = self.in_data_mode.pop(0)
                self._put(self._bench.link(LinkClosed(link=1) if piece is None else LinkData(piece, link=1)))
                if self.in_data_mode[:1] != [None]:
                    break

    def flush(self):
        pass

    def change_baud(self, rate):
        raise AssertionError("its speed stays")

    def happen(self, event):
        """Let something happen on the link."""
        with self._lock:
            self._put(self._bench.link(event))

    def wait_sent(self, count):
        """Wait until the peer has got this many bytes."""
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.sent) >= count, DEADLINE), len(self.sent)

    def arrive(self, data):
        """Bytes come from the peer."""
        self.happen(LinkData(data, link=1))

    def hang_up(self):
        """The peer closes."""
        self.happen(LinkClosed(link=1))

    def lose_network(self):
        """The modem goes to flight mode."""
        with self._lock:
            self._put(self._bench.ask("AT+CFUN=4") + self._bench.advance(5))

    def _put(self, data):
        for action in self._bench.taken():
            match action:
                case OpenLink(link=1):
                    data += self._bench.link(self.opens)
                case LinkSend(sent, 1):
                    self.sent += sent
                    self._lock.notify_all()
                    if self._echo:
                        data += self._bench.link(LinkData(sent, link=1))
        for at in range(0, 0 if self.lose_bytes else len(data), self._size):
            self.incoming.put(data[at : at + self._size])
