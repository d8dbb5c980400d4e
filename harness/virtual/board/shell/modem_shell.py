"""Modem Shell with its command ``cloud``.

Source: sdk-nrf, samples/cellular/modem_shell/src/cloud: its lines without a prefix, the events' statuses as numbers,
the reconnect 10 s after an end that nobody asked for. UNCONFIRMED the wording of ``cloud connect`` without a network,
of the usage text, and whether "Endpoint:" stands before or behind what the other thread prints.
"""

from typing import Final

from harness.virtual.board.cloud_library.cloud_api import CLOSED_BY_REMOTE, INVALID_REQUEST, USER_REQUEST
from harness.virtual.board.cloud_library.session import CloudSession, SessionEvent
from harness.virtual.board.outputs import LinkEvent, Output
from harness.virtual.board.shell.provisioning import ProvisioningShell

_AGAIN: Final = 10  # seconds
_EVENT: Final = "nRF Cloud event: NRF_CLOUD_EVT_"
_USAGE: Final = (
    "cloud - MQTT connection to nRF Cloud",
    "Subcommands:",
    "  connect     : Establish MQTT connection to nRF Cloud.",
    "  disconnect  : Disconnect from nRF Cloud.",
)


class ModemShell(ProvisioningShell):
    """A shell with the command ``cloud`` besides."""

    def boot(self) -> None:
        """Boot as the shell does."""
        super().boot()
        self._again: int | None = None
        identity = str(self._nvm.identity.device_uuid)
        self._session = CloudSession(self._outbox, identity, self._told, lambda: self._modem.radio.attached)

    def link(self, event: LinkEvent) -> list[Output]:
        """The connection of whichever client has one."""
        if self._session.active:
            self._session.link(event)
            return self._outbox.take()
        return super().link(event)

    def lost(self) -> None:
        """The data connection has ended."""
        self._session.lost()
        super().lost()

    def own_command(self, words: list[str]) -> bool:
        """``cloud``, and what the provisioning client adds."""
        match words:
            case ["cloud", "connect"]:
                self._print("Endpoint: mqtt.nrfcloud.com")
                self._connect()
            case ["cloud", "disconnect"]:
                self._outbox.cancel(self._again)
                if self._session.active:
                    self._session.stop()
                else:
                    self._print("Not connected to nRF Cloud")
            case ["cloud", *_]:
                self._print(*_USAGE)
            case _:
                return super().own_command(words)
        return True

    def _connect(self) -> None:
        if self._session.start():
            self.notice("Connecting to nRF Cloud...", f"{_EVENT}TRANSPORT_CONNECTING")
        elif self._session.active:
            self.notice("nRF Cloud connection already established")
        else:
            self.notice("nrf_cloud_connect, error: -3")

    def _told(self, what: SessionEvent, code: int) -> None:
        match what:
            case SessionEvent.CONNECTED:
                self.notice(f"{_EVENT}TRANSPORT_CONNECTED")
            case SessionEvent.READY:
                self.notice(f"{_EVENT}READY", "Connection to nRF Cloud established")
            case SessionEvent.ASSOCIATION_REQUEST:
                self.notice(f"{_EVENT}USER_ASSOCIATION_REQUEST", "Add the device to nRF Cloud and reconnect")
            case SessionEvent.ASSOCIATED:
                self.notice(f"{_EVENT}USER_ASSOCIATED")
            case SessionEvent.REFUSED:
                self.notice(f"{_EVENT}TRANSPORT_CONNECT_ERROR, status: -9", "Connecting to nRF Cloud failed")
            case SessionEvent.CLOSED | SessionEvent.NETWORK_GONE:
                gone = what is SessionEvent.NETWORK_GONE
                status = USER_REQUEST if code == 0 else INVALID_REQUEST if gone else CLOSED_BY_REMOTE
                self.notice(f"{_EVENT}TRANSPORT_DISCONNECTED, status: {status}", "Connection to nRF Cloud disconnected")
                if status != USER_REQUEST:
                    self.notice(f"Reconnecting in {_AGAIN} seconds...")
                    self._outbox.cancel(self._again)
                    self._again = self._outbox.after(_AGAIN, self._connect)
