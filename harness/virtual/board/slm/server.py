"""The AT server of the Serial LTE Modem: what it does otherwise than Serial Modem, which was made of it.

Source: nRF Connect SDK 3.1, Serial LTE Modem application (documentation; slm_at_host.c): commands end with CR LF, no
echo, no baud rate command; unsolicited results are written by whichever thread has them, also between a command and its
OK; in data mode the modem's notifications are dropped. UNCONFIRMED: in data mode the application's own are written.
"""

from collections.abc import Iterable
from dataclasses import replace

from harness.virtual.board.outputs import CloseLink, LinkEvent, Output
from harness.virtual.board.serial_modem.application import ApplicationCommands
from harness.virtual.board.serial_modem.groups import CommandGroup, Sockets
from harness.virtual.board.serial_modem.line_input import LineInput
from harness.virtual.board.serial_modem.mqtt_commands import MqttCommands
from harness.virtual.board.serial_modem.server import SerialModem
from harness.virtual.board.slm.general import GeneralCommands
from harness.virtual.board.slm.http_client import HTTP_LINK, HttpClient
from harness.virtual.board.slm.socket_commands import OlderSocketCommands, SelectedSocketCommands
from harness.virtual.board.slm.tcp_client import TcpClient

CLIENT_ID = "slm_default_client_id"


class SerialLteModem(SerialModem):
    """See SerialModem."""

    sdk = "3.1.0"
    library = "3.1.0"  # of the modem
    socket_commands: type[SelectedSocketCommands] = SelectedSocketCommands

    def link(self, event: LinkEvent) -> list[Output]:
        """Something happened on a link."""
        if self._on and event.link == HTTP_LINK:
            self._http.link(event)
            self._pump()
            return self._outbox.take()
        return super().link(event)

    def _new_line_input(self) -> LineInput:
        return LineInput(crlf=True)

    def _new_sockets(self) -> Sockets:
        sockets = self.socket_commands(self, self._outbox, self._traffic)
        self._tcp = TcpClient(self, sockets)
        self._http = HttpClient(self, self._outbox)
        return sockets

    def _groups(self) -> Iterable[CommandGroup]:
        personality = replace(self._personality, sdk=self.sdk)
        kept = ApplicationCommands(self, personality, self._nvm.identity, lambda: self._application)
        yield GeneralCommands(kept, personality, self.library)
        yield MqttCommands(self, self._mqtt, client_id=CLIENT_ID)
        yield self._sockets
        yield self._nrf_cloud
        yield self._tcp
        yield self._http

    def reset_modem(self) -> None:
        """Restart the modem core alone: its sockets are none any more."""
        self._tcp.invalid()
        super().reset_modem()

    def _data_mode_status(self, error: int) -> int:
        return error

    def _may_speak(self) -> bool:
        return True

    def _modem_says(self, text: str) -> None:
        if self._data_mode is None:
            super()._modem_says(text)

    def _drop_links(self) -> None:
        self._outbox.emit(CloseLink(True, HTTP_LINK))
        super()._drop_links()

    def _network_lost(self) -> None:
        self._http.network_lost()
        super()._network_lost()


class OlderSerialLteModem(SerialLteModem):
    """That of nRF Connect SDK 2.6: its sockets can be polled, and tell nothing by themselves (no #XAPOLL).

    UNCONFIRMED: the number of its modem library.
    """

    sdk = "2.6.1"
    library = "2.6.1"
    socket_commands = OlderSocketCommands
