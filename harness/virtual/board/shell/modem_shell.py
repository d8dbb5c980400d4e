"""Modem Shell with its command ``cloud``.

Source: sdk-nrf, samples/cellular/modem_shell (``cloud connect``, ``cloud disconnect``; its lines without a prefix).
UNCONFIRMED the wording of ``cloud connect`` without a network, and of the usage text.
"""

from collections.abc import Callable, Set
from datetime import datetime
from typing import Final

from harness.settings import BoardFault
from harness.virtual.board.cloud_library.session import CloudSession, SessionEvent
from harness.virtual.board.modem import Nvm
from harness.virtual.board.outputs import LinkEvent, Output
from harness.virtual.board.pass_through import utc_now
from harness.virtual.board.personality import Personality
from harness.virtual.board.shell.provisioning import ProvisioningShell

_EVENT: Final = "nRF Cloud event: NRF_CLOUD_EVT_"
_USAGE: Final = (
    "cloud - nRF Cloud commands",
    "Subcommands:",
    "  connect     : Connect.",
    "  disconnect  : Disconnect.",
)


class ModemShell(ProvisioningShell):
    """``root_ca``: see ProvisioningShell; ``provisioning``: whether it has that client at all."""

    def __init__(
        self,
        personality: Personality,
        nvm: Nvm,
        *,
        provisioning: bool = False,
        root_ca: str | None = None,
        colour: bool = False,
        now: Callable[[], datetime] = utc_now,
        faults: Set[BoardFault] = frozenset(),
    ) -> None:
        super().__init__(personality, nvm, root_ca=root_ca, colour=colour, now=now, faults=faults)
        self.provisioning = provisioning

    def boot(self) -> None:
        """Boot as the shell does."""
        super().boot()
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
                if not self._session.start():
                    self._print("Already connected or connecting, or no network")
                else:
                    self._print("Connecting to nRF Cloud...", "Endpoint: mqtt.nrfcloud.com")
            case ["cloud", "disconnect"]:
                self._session.stop()
            case ["cloud", *_]:
                self._print(*_USAGE)
            case _:
                return super().own_command(words)
        return True

    def _told(self, what: SessionEvent, code: int) -> None:
        match what:
            case SessionEvent.CONNECTED:
                self.notice(f"{_EVENT}TRANSPORT_CONNECTED")
            case SessionEvent.READY:
                self.notice(f"{_EVENT}READY", "Connection to nRF Cloud established")
            case SessionEvent.ASSOCIATION_REQUEST:
                self.notice(f"{_EVENT}USER_ASSOCIATION_REQUEST", "Add the device to nRF Cloud to complete")
            case SessionEvent.ASSOCIATED:
                self.notice(f"{_EVENT}USER_ASSOCIATED")
            case SessionEvent.REFUSED:
                self.notice(f"{_EVENT}TRANSPORT_CONNECT_ERROR, status: -9", "Connecting to nRF Cloud failed")
            case SessionEvent.CLOSED | SessionEvent.NETWORK_GONE:
                status = 0 if code == 0 else 2 if what is SessionEvent.NETWORK_GONE else 1
                self.notice(f"{_EVENT}TRANSPORT_DISCONNECTED, status: {status}", "Connection to nRF Cloud disconnected")
