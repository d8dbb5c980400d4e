"""A socket of the Serial LTE Modem, whose commands are about the socket that is selected.

Source: nRF Connect SDK 3.1, Serial LTE Modem documentation, "Socket AT commands", "Data mode". #XAPOLL came between
SDK 2.7 and 3.1 (which one is UNCONFIRMED); a firmware without it cannot carry bytes without being polled.

There is no counted data mode, so ``+++`` in the bytes would end it. Runs of plus signs that are long, or stand at the
end of a piece, go into a command as quoted text instead, where they are no terminator::

    a+b+++c+    ->    data mode "a+b", quoted "+++", data mode "c", quoted "+"
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final
from weakref import WeakKeyDictionary

from harness.at import AtError, AtPort
from harness.firmware.bridge.at_socket import DONT_WAIT, HOSTNAME, LONGEST, SET_OPTION, AtSocket, Poll

_LIST: Final = "#XSOCKETSELECT"
_PLUS: Final = re.compile(rb"\+{3,}|\++\Z")
_INLINE: Final = 1024  # bytes of text in one command


class _Selection:
    """Which socket of a port is selected, and whose turn it is: a command and its selection belong together."""

    def __init__(self) -> None:
        self.turn = threading.RLock()
        self.handle = -1


_SELECTIONS: Final[WeakKeyDictionary[AtPort, _Selection]] = WeakKeyDictionary()


def pieces(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Cut bytes into those for data mode (False) and those to be quoted in a command (True), in order."""
    at = 0
    for found in _PLUS.finditer(data):
        if found.start() > at:
            yield False, data[at : found.start()]
        for begin in range(found.start(), found.end(), _INLINE):
            yield True, data[begin : min(begin + _INLINE, found.end())]
        at = found.end()
    if at < len(data):
        yield False, data[at:]


class SelectedSocket(AtSocket):
    """See AtSocket."""

    most = 4096  # the firmware's buffer in data mode

    def __init__(self, port: AtPort) -> None:
        super().__init__(port)
        self._selection = _SELECTIONS.setdefault(port, _Selection())

    def connect(self, host: str, port: int, sec_tag: int | None, *, timeout: float) -> None:
        """Open, connect and poll. See AtSocket."""
        with self._selection.turn, self.connecting(host, port, sec_tag):
            self.open_stream(sec_tag, _LIST)
            self._selection.handle = self.handle
            if sec_tag is not None:
                self.port.command(f'AT#XSSOCKETOPT={SET_OPTION},{HOSTNAME},"{host}"')
            self.port.command(f'AT#XCONNECT="{host}",{port}', timeout=timeout)
            self.poll()

    def send(self, data: bytes) -> bool:
        """Send bytes in data mode, and plus signs that would end it as text. See AtSocket."""
        try:
            with self._selected():
                return all(self._send(piece, quoted=quoted) for quoted, piece in pieces(data))
        except AtError:
            return False

    def receive(self) -> bytes | None:
        """Receive what is there. See AtSocket."""
        try:
            with self._selected():
                answer = self.port.command(f"AT#XRECV=1,{DONT_WAIT}", timeout=15.0)
        except AtError:
            return None
        return b"".join(answer.blobs)

    def poll(self) -> None:
        """Poll every socket from anew. See AtSocket."""
        self.port.command(f"AT#XAPOLL=1,{Poll.IN:d}")

    def exists(self) -> bool:
        """Look for it in the board's list. See AtSocket."""
        return any(line.startswith(f"{self.handle},") for line in self.listed(_LIST))

    def close(self) -> None:
        """Close. See AtSocket."""
        if self.handle >= 0:
            try:
                with suppress(AtError), self._selected():
                    self.port.command("AT#XSOCKET=0", timeout=15.0)
            finally:
                self._selection.handle = -1  # the board selects another

    def _send(self, piece: bytes, *, quoted: bool) -> bool:
        if quoted:
            answer = self.port.command(f'AT#XSEND="{piece.decode("ascii")}"', timeout=LONGEST)
            return answer.value("#XSEND") == str(len(piece))
        return self.port.send_payload("AT#XSEND", piece, LONGEST, socket_bytes=True) == 0

    @contextmanager
    def _selected(self) -> Iterator[None]:
        """Take a turn in which this socket is the selected one. Raises AtError where the board has it no more."""
        with self._selection.turn:
            if self._selection.handle != self.handle:
                self.port.command(f"AT#XSOCKETSELECT={self.handle}")
                self._selection.handle = self.handle
            yield
