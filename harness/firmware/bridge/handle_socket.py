"""A socket of Serial Modem 1.x, which every command names by its handle.

Source: Serial Modem documentation, "Socket AT commands" (#XSSOCKET, #XSSOCKETOPT, #XCONNECT, #XSEND, #XRECV, #XAPOLL,
#XCLOSE) and "Data mode" (counted bytes).
"""

from contextlib import suppress
from typing import Final

from harness.at import AtError
from harness.errors import LabError, NoAnswer
from harness.firmware.bridge.at_socket import AtSocket, handle_of

_IPV4, _STREAM, _CLIENT = 1, 1, 0
_HOSTNAME: Final = 2
_SET: Final = 1
_POLLIN: Final = 1
_BINARY: Final = 0
_DONT_WAIT: Final = 64
_LONGEST: Final = 60.0  # seconds; the modem holds bytes back as long as its network does


class HandleSocket(AtSocket):
    """See AtSocket."""

    most = 4096  # the firmware's buffer in data mode
    _tcp = False

    def connect(self, host: str, port: int, sec_tag: int | None, *, timeout: float) -> None:
        """Open, connect and poll. See AtSocket."""
        try:
            self._open(sec_tag)
            if sec_tag is not None:
                self.port.command(f'AT#XSSOCKETOPT={self.handle},{_SET},{_HOSTNAME},"{host}"')
            self.port.command(f'AT#XCONNECT={self.handle},"{host}",{port}', timeout=timeout)
            self.poll()
        except AtError as refused:
            self.close()
            raise self.no_session(host, port, sec_tag, refused.final) from refused
        except NoAnswer:
            with suppress(LabError):  # the board may still be connecting; the first error says what is wrong
                self.close()
            raise

    def send(self, data: bytes) -> bool:
        """Send counted bytes in data mode: they may be any. See AtSocket."""
        command = f"AT#XSEND={self.handle},2,0,{len(data)}"
        try:
            return self.port.send_payload(command, data, _LONGEST, socket_bytes=True, counted=True) == 0
        except AtError:
            return False

    def receive(self) -> bytes | None:
        """Receive what is there. See AtSocket."""
        try:
            answer = self.port.command(f"AT#XRECV={self.handle},{_BINARY},{_DONT_WAIT},1", timeout=15.0)
        except AtError:
            return None
        return b"".join(answer.blobs)

    def poll(self) -> None:
        """Poll from anew. See AtSocket."""
        self.port.command(f"AT#XAPOLL={self.handle},1,{_POLLIN}")

    def exists(self) -> bool:
        """Look for it in the board's list. See AtSocket."""
        name = "#XSOCKET" if self._tcp else "#XSSOCKET"
        return any(line.startswith(f"{self.handle},") for line in self._listed(name))

    def close(self) -> None:
        """Close. See AtSocket."""
        if self.handle >= 0:
            with suppress(AtError):
                self.port.command(f"AT#XCLOSE={self.handle}", timeout=15.0)

    def _open(self, sec_tag: int | None) -> None:
        self._tcp = sec_tag is None
        kind = f"{_IPV4},{_STREAM},{_CLIENT}"
        name = "#XSOCKET" if sec_tag is None else "#XSSOCKET"
        command = f"AT{name}={kind}" if sec_tag is None else f"AT{name}={kind},{sec_tag}"
        try:
            opened = self.port.command(command)
        except AtError as refused:
            if taken := self.taken(self._listed("#XSOCKET", "#XSSOCKET")):
                raise taken from refused
            raise
        self.handle = handle_of(opened, name)

    def _listed(self, *names: str) -> list[str]:
        return [line for name in names for line in self.port.command(f"AT{name}?").values(name)]
