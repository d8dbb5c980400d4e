"""#XNRFCLOUD: the firmware's own connection to nRF Cloud, as Serial Modem and the Serial LTE Modem have it.

Source: Serial Modem and Serial LTE Modem documentation, "nRF Cloud AT commands". The firmware connects as its device
UUID, with the credentials of the sec_tag that it was built for; it tells both. Why a connection fails it does not tell.
"""

import re
from dataclasses import dataclass
from typing import Final

from harness.at import AtError, AtFormatError, AtPort
from harness.errors import Refusal
from harness.timeline import Event

_STATE: Final = re.compile(r'(\d),(\d),(\d+),"([^"]*)"\Z')
_READY: Final = r"#XNRFCLOUD: 1,"
_ENDED: Final = r"#XNRFCLOUD: 0,"
_FROM_CLOUD: Final = r"#XNRFCLOUD: (\{.*)"


class NrfCloudRefused(Refusal):
    """The board refused a command for nRF Cloud: it is in the wrong state for it."""


@dataclass(frozen=True, slots=True)
class NrfCloudState:
    """What the board says of its connection: whether it is ready, and as whom it connects."""

    ready: bool
    sec_tag: int
    device_id: str


class NrfCloudConnection:
    """The connection of the board behind ``port``. Calls raise NoAnswer when the board does not say how it went."""

    def __init__(self, port: AtPort) -> None:
        self._port = port

    def state(self) -> NrfCloudState:
        """Ask the board. Raises NrfCloudRefused where the firmware was built without."""
        value = self._command("AT#XNRFCLOUD?").removeprefix("#XNRFCLOUD: ")
        found = _STATE.match(value)
        if found is None:
            raise AtFormatError(
                f'{self._port.name}: AT#XNRFCLOUD?: expected ready,location,sec_tag,"id", got {value!r}'
            )
        return NrfCloudState(found[1] == "1", int(found[3]), found[4])

    def connect(self, *, timeout: float = 60.0) -> None:
        """Connect, and wait until the device is paired. Raises NrfCloudRefused: it is connected already."""
        mark = self._port.timeline.mark()
        self._command("AT#XNRFCLOUD=1")
        self._port.wait_line(_READY, timeout, since=mark)

    def send(self, payload: bytes) -> None:
        """Send a message to the cloud (data mode). Raises NrfCloudRefused: it is not ready."""
        try:
            status = self._port.send_payload("AT#XNRFCLOUD=2", payload)
        except AtError as refused:
            raise NrfCloudRefused(f"{self._port.name}: {refused}") from refused
        if status:
            raise NrfCloudRefused(f"{self._port.name}: AT#XNRFCLOUD=2: data mode ended with {status}")

    def wait_message(self, *, since: int, timeout: float) -> Event:
        """Return the first message of the cloud from mark ``since`` on."""
        return self._port.wait_line(_FROM_CLOUD, timeout, since=since)

    def wait_ended(self, *, since: int, timeout: float) -> Event:
        """Wait until the board says that the connection has ended; nothing tells why."""
        return self._port.wait_line(_ENDED, timeout, since=since)

    def disconnect(self, *, timeout: float = 30.0) -> None:
        """Disconnect. Raises NrfCloudRefused: it is not connected."""
        mark = self._port.timeline.mark()
        self._command("AT#XNRFCLOUD=0")
        self.wait_ended(since=mark, timeout=timeout)

    def _command(self, text: str) -> str:
        try:
            return "".join(self._port.command(text, timeout=15.0).lines)
        except AtError as refused:
            raise NrfCloudRefused(f"{self._port.name}: {refused}") from refused
