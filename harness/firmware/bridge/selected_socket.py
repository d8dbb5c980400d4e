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
from harness.errors import LabError, NoAnswer
from harness.firmware.bridge.at_socket import AtSocket, handle_of

_IPV4, _STREAM, _CLIENT = 1, 1, 0
_HOSTNAME: Final = 2
_SET: Final = 1
_POLLIN: Final = 1
_DONT_WAIT: Final = 64
_LONGEST: Final = 60.0
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
        with self._selection.turn:
            try:
                self._open(sec_tag)
                if sec_tag is not None:
                    self.port.command(f'AT#XSSOCKETOPT={_SET},{_HOSTNAME},"{host}"')
                self.port.command(f'AT#XCONNECT="{host}",{port}', timeout=timeout)
                self.poll()
            except AtError as refused:
                self.close()
                raise self.no_session(host, port, sec_tag, refused.final) from refused
            except NoAnswer:
                with suppress(LabError):  # the board may still be connecting; the first error says what is wrong
                    self.close()
                raise

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
                answer = self.port.command(f"AT#XRECV=1,{_DONT_WAIT}", timeout=15.0)
        except AtError:
            return None
        return b"".join(answer.blobs)

    def poll(self) -> None:
        """Poll every socket from anew. See AtSocket."""
        self.port.command(f"AT#XAPOLL=1,{_POLLIN}")

    def exists(self) -> bool:
        """Look for it in the board's list. See AtSocket."""
        return any(line.startswith(f"{self.handle},") for line in self._listed())

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
            answer = self.port.command(f'AT#XSEND="{piece.decode("ascii")}"', timeout=_LONGEST)
            return answer.value("#XSEND") == str(len(piece))
        return self.port.send_payload("AT#XSEND", piece, _LONGEST, socket_bytes=True) == 0

    def _open(self, sec_tag: int | None) -> None:
        kind = f"{_IPV4},{_STREAM},{_CLIENT}"
        name = "#XSOCKET" if sec_tag is None else "#XSSOCKET"
        command = f"AT{name}={kind}" if sec_tag is None else f"AT{name}={kind},{sec_tag}"
        try:
            opened = self.port.command(command)
        except AtError as refused:
            if taken := self.taken(self._listed()):
                raise taken from refused
            raise
        self.handle = handle_of(opened, name)
        self._selection.handle = self.handle

    def _listed(self) -> list[str]:
        return self.port.command("AT#XSOCKETSELECT?").values("#XSOCKETSELECT")

    @contextmanager
    def _selected(self) -> Iterator[None]:
        """Take a turn in which this socket is the selected one. Raises AtError where the board has it no more."""
        with self._selection.turn:
            if self._selection.handle != self.handle:
                self.port.command(f"AT#XSOCKETSELECT={self.handle}")
                self._selection.handle = self.handle
            yield
