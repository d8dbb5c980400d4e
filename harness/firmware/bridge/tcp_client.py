"""The TCP client of the Serial LTE Modem: one connection at a time, whose bytes come by themselves.

Source: nRF Connect SDK 2.6 to 3.1, Serial LTE Modem documentation, "TCP and UDP AT commands", "Data mode"; for what the
pages leave out, its slm_at_tcp_proxy.c. It carries bytes for firmware that cannot tell of its sockets (``#XAPOLL``).

- What arrives is written at once: ``#XTCPDATA: <n>`` and n bytes, or in data mode the bytes alone. So nothing holds the
  peer back but the UART; what the local program does not take is kept here, up to a limit.
- The end is told once: ``#XTCPCLI: <cause>,"disconnected"``, or in data mode by its status. -104 is POLLHUP: FIN, RST
  and TLS alerts look alike. -5 is POLLERR and -115 POLLNVAL: the network below is gone.
- After an end the client has to be closed before it connects again.

UNCONFIRMED: that an end without cause (0), which nobody here has asked for, is the peer's, as in older versions.
"""

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from weakref import WeakKeyDictionary

from harness.at import AtError, AtPort
from harness.device_errno import ECONNRESET, EIO, ENETDOWN
from harness.errors import LabError
from harness.firmware.bridge.at_socket import IPV4, LONGEST, AtSocket, Poll, SocketEnd, SocketsTaken, handle_of
from harness.firmware.bridge.selected_socket import pieces
from harness.timeline import Event, Kind

_CLOSE: Final = 0
_SENDS: Final = "AT#XTCPSEND"
_ENDED: Final = re.compile(r'#XTCPCLI: (-?\d+),"disconnected"\Z|#XDATAMODE: (-\d+)\Z')
_LEFT: Final = re.compile(r"#XDATAMODE: -?\d+\Z")
_MOST_KEPT: Final = 1 << 20  # bytes: a minute and a half at 115200 baud
_BITS: Final = {-ECONNRESET: Poll.HUP, -EIO: Poll.ERR, -ENETDOWN: Poll.NVAL, 0: Poll.HUP}
_ENDS: Final = {
    -ECONNRESET: SocketEnd.HUNG_UP,
    0: SocketEnd.PEER,
    -EIO: SocketEnd.NETWORK,
    -ENETDOWN: SocketEnd.NETWORK,
}

_LINGERS: Final = 6.0  # seconds that a connection may stay open after its program has gone: see Pump

_TURN: Final = threading.Condition()
_IN_USE: Final[WeakKeyDictionary[AtPort, "TcpClientSocket"]] = WeakKeyDictionary()


class TcpClientSocket(AtSocket):
    """See AtSocket."""

    most = 4096  # the firmware's buffer in data mode
    certain = True

    def __init__(self, port: AtPort) -> None:
        super().__init__(port)
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._released = 0  # bytes of them
        self._began = 0
        self._cause: int | None = None
        self._garbled = False
        self._doubtful = False  # the cause was told in data mode, where a peer's bytes may look like one

    def connect(self, host: str, port: int, sec_tag: int | None, *, timeout: float) -> None:
        """Connect the client. See AtSocket. Raises SocketsTaken while another connection keeps it in use."""
        self._take_turn(min(timeout, _LINGERS))
        self.port.carry(self)
        tls = "" if sec_tag is None else f",{sec_tag}"
        try:
            with self.connecting(host, port, sec_tag):
                self._end()  # an earlier connection may be over and not closed
                self._began = self.port.timeline.mark()
                answer = self.port.command(f'AT#XTCPCLI={IPV4},"{host}",{port}{tls}', timeout=timeout)
                self.handle = handle_of(answer, "#XTCPCLI")
        except BaseException:
            self._free()
            raise

    def take(self, data: bytes) -> None:
        """Keep what has come, as far as there is room. See Carrier."""
        with self._lock:
            if self.trouble is not None:
                return  # nothing behind a gap
            if len(self._kept) + len(data) <= _MOST_KEPT:
                self._kept += data
            else:
                self.trouble = LabError(
                    f"{self.port.name}: the local program reads too slowly: {len(self._kept)} bytes waited for it, and"
                    " more came; read faster, or ask for less: the firmware's TCP client cannot slow a peer down"
                )

    def lose(self, line: str) -> None:
        """End the connection: nothing may follow a gap. See Carrier."""
        with self._lock:
            self.trouble = self.trouble or LabError(
                f"{self.port.name}: bytes of the peer were lost between board and computer: not all came that the board"
                f" announced ({line}); connect again; if it stays so, check the cable and the port's flow control"
            )

    def release(self) -> None:
        """Let it be received, if there is any. See Carrier."""
        with self._lock:
            news = len(self._kept) > self._released or self.trouble is not None
            self._released = len(self._kept)
        if news:
            self._changed()

    def attach(self, changed: Callable[[], None]) -> None:
        """Tell ``changed`` of what arrives. See AtSocket."""
        super().attach(changed)
        changed()  # something may have come already

    def send(self, data: bytes) -> bool:
        """Send bytes in data mode, and plus signs that would end it as text. See AtSocket."""
        try:
            return all(self._cause is None and self._send(piece, quoted=quoted) for quoted, piece in pieces(data))
        except AtError:
            return False

    def receive(self) -> bytes | None:
        """Return what has come. See AtSocket. Raises LabError where it is unknown what has come."""
        with self._lock:
            # Once an end is told, the timeline tells of everything before it too.
            count = self._released if self._cause is None else len(self._kept)
            data = bytes(self._kept[:count])
            del self._kept[:count]
            self._released = 0
        if data:
            return data
        if self._garbled or self._is_none():
            raise LabError(
                f"{self.port.name}: what the peer sent cannot be told from the firmware's own line #XDATAMODE; "
                "nothing after it is passed on; use firmware that counts received bytes (#XRECV)"
            )
        return None

    def told(self, event: Event) -> tuple[Poll, str] | None:
        """Say what a line tells of the client's connection. See AtSocket."""
        if event.seq < self._began:
            return None
        if event.kind is Kind.URC and _LEFT.match(event.text):
            self._garbled = True  # nobody was in data mode: its end had been seen in the peer's bytes
            return Poll.ERR, f"socket {self.handle}: data mode ended twice"
        if event.kind is Kind.RESULT and not str(event.data["command"]).upper().startswith(_SENDS):
            return None  # another client's data mode
        found = _ENDED.match(event.text)
        if found is None or self._cause is not None:
            return None
        cause = self._cause = int(found[1] or found[2])
        self._doubtful = found[2] is not None
        bits = _BITS.get(cause, Poll.ERR)
        return bits, f"socket {self.handle}: POLL{bits.name} (told as cause {cause})"

    def end_of(self, bits: Poll) -> SocketEnd:
        """Return how it ended, by the cause. See AtSocket."""
        return super().end_of(bits) if self._cause is None else _ENDS.get(self._cause, SocketEnd.RESET)

    def poll(self) -> None:
        """Nothing can be told again."""

    def exists(self) -> bool:
        """Ask the client for its socket. See AtSocket."""
        found = self.port.command("AT#XTCPCLI?").value("#XTCPCLI")
        return self.handle >= 0 and found.partition(",")[0] == str(self.handle)

    def close(self) -> None:
        """Close. See AtSocket."""
        try:
            self._end()
        finally:
            self._free()

    def _is_none(self) -> bool:
        """Tell whether an end that was told in data mode is false: the client still has its socket."""
        doubtful, self._doubtful = self._doubtful, False
        return doubtful and self.exists()

    def _take_turn(self, timeout: float) -> None:
        with _TURN:
            if not _TURN.wait_for(lambda: _IN_USE.get(self.port) is None, timeout):
                raise SocketsTaken(
                    f"{self.port.name}: the firmware's TCP client carries one connection at a time, and socket"
                    f" {_IN_USE[self.port].handle} is open; end the program, or the MQTT connection, that uses it"
                )
            _IN_USE[self.port] = self

    def _send(self, piece: bytes, *, quoted: bool) -> bool:
        if quoted:
            answer = self.port.command(f'AT#XTCPSEND="{piece.decode("ascii")}"', timeout=LONGEST)
            return answer.value("#XTCPSEND") == str(len(piece))
        return self.port.send_payload("AT#XTCPSEND", piece, LONGEST, socket_bytes=True) == 0

    def _end(self) -> None:
        with suppress(AtError):  # older versions refuse it where nothing is open
            self.port.command(f"AT#XTCPCLI={_CLOSE}", timeout=15.0)

    def _free(self) -> None:
        with _TURN:
            if _IN_USE.get(self.port) is self:
                self.port.carry(None)
                del _IN_USE[self.port]
                _TURN.notify_all()
