"""A socket of Serial Modem 1.x, which every command names by its handle.

Source: Serial Modem documentation, "Socket AT commands" (#XSSOCKET, #XSSOCKETOPT, #XCONNECT, #XSEND, #XRECV, #XAPOLL,
#XCLOSE) and "Data mode" (counted bytes).
"""

from contextlib import suppress
from typing import Final

from harness.at import AtError
from harness.firmware.bridge.at_socket import DONT_WAIT, HOSTNAME, LONGEST, SET_OPTION, AtSocket, Poll

_BINARY: Final = 0


class HandleSocket(AtSocket):
    """See AtSocket."""

    most = 4096  # the firmware's buffer in data mode
    _tcp = False

    def connect(self, host: str, port: int, sec_tag: int | None, *, timeout: float) -> None:
        """Open, connect and poll. See AtSocket."""
        with self.connecting(host, port, sec_tag):
            self._tcp = sec_tag is None
            self.open_stream(sec_tag, "#XSOCKET", "#XSSOCKET")
            if sec_tag is not None:
                self.port.command(f'AT#XSSOCKETOPT={self.handle},{SET_OPTION},{HOSTNAME},"{host}"')
            self.port.command(f'AT#XCONNECT={self.handle},"{host}",{port}', timeout=timeout)
            self.poll()

    def send(self, data: bytes) -> bool:
        """Send counted bytes in data mode: they may be any. See AtSocket."""
        command = f"AT#XSEND={self.handle},2,0,{len(data)}"
        try:
            return self.port.send_payload(command, data, LONGEST, socket_bytes=True, counted=True) == 0
        except AtError:
            return False

    def receive(self) -> bytes | None:
        """Receive what is there. See AtSocket."""
        try:
            answer = self.port.command(f"AT#XRECV={self.handle},{_BINARY},{DONT_WAIT},1", timeout=15.0)
        except AtError:
            return None
        return b"".join(answer.blobs)

    def poll(self) -> None:
        """Poll from anew. See AtSocket."""
        self.port.command(f"AT#XAPOLL={self.handle},1,{Poll.IN:d}")

    def exists(self) -> bool:
        """Look for it in the board's list. See AtSocket."""
        name = "#XSOCKET" if self._tcp else "#XSSOCKET"
        return any(line.startswith(f"{self.handle},") for line in self.listed(name))

    def close(self) -> None:
        """Close. See AtSocket."""
        if self.handle >= 0:
            with suppress(AtError):
                self.port.command(f"AT#XCLOSE={self.handle}", timeout=15.0)
