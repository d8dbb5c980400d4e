"""A shell whose firmware also has the provisioning service's client, as Nordic's sample for it.

Sources: nRF Connect SDK, nRF Device provisioning sample (the client runs after the boot, and on ``nrf_provisioning
now``), nRF Cloud Utils (the line that it waits for).
"""

from collections.abc import Callable, Set
from datetime import datetime
from typing import Final

from harness.settings import BoardFault, BoardSettings
from harness.virtual.board.command_completion import run
from harness.virtual.board.commands import Refused, parse
from harness.virtual.board.modem import Nvm
from harness.virtual.board.modem.credentials import ROOT_CA
from harness.virtual.board.modem.nvm import Credential
from harness.virtual.board.outputs import LinkEvent, Output
from harness.virtual.board.pass_through import utc_now
from harness.virtual.board.personality import Personality
from harness.virtual.board.provisioning import ROOT_CA_TAG, ProvisioningClient
from harness.virtual.board.provisioning.client import Result
from harness.virtual.board.shell.server import Shell

BOOT: Final = 1.0
_USAGE: Final = ("nrf_provisioning - nRF Provisioning commands", "Subcommands:", "  now  : Fetch commands now.")


class ProvisioningShell(Shell):
    """It has the client if ``said`` has ``provisioning``. ``personality``, ``nvm``, ``now``, ``faults``: see Shell.

    ``root_ca``: the service's root CA (PEM), which is compiled into the firmware; None: it was forgotten.
    """

    def __init__(
        self,
        said: BoardSettings,
        personality: Personality,
        nvm: Nvm,
        *,
        root_ca: str | None = None,
        now: Callable[[], datetime] = utc_now,
        faults: Set[BoardFault] = frozenset(),
    ) -> None:
        super().__init__(said, personality, nvm, now=now, faults=faults)
        self._root_ca = root_ca

    def boot(self) -> None:
        """Boot as the shell does; a moment later the client looks for commands."""
        super().boot()
        self._booted = self._now()
        if self._said.provisioning and self._root_ca is not None:
            self._nvm.credentials.setdefault((ROOT_CA_TAG, ROOT_CA), Credential(self._root_ca.encode()))
        self._client = ProvisioningClient(
            self._outbox,
            ask=self._ask,
            registered=lambda: self._modem.radio.attached,
            log=self._log,
            modem_version=self.personality.firmware,
        )
        if self._said.provisioning:
            self._outbox.after(BOOT, self._client.start)

    def receive(self, data: bytes) -> list[Output]:
        """Take bytes from the host."""
        outputs = super().receive(data)
        return outputs + self._poked()

    def timer(self, token: int) -> list[Output]:
        """A timer has run out: the network may have come."""
        outputs = super().timer(token)
        return outputs + self._poked()

    def link(self, event: LinkEvent) -> list[Output]:
        """The client's connection."""
        self._client.link(event)
        return self._outbox.take()

    def lost(self) -> None:
        """The data connection has ended."""
        self._client.lost()

    def own_command(self, words: list[str]) -> bool:
        """``nrf_provisioning now``."""
        match words:
            case _ if not self._said.provisioning:
                return False
            case ["nrf_provisioning", "now"]:
                self._log("Externally initiated provisioning", prompt=False)
                self._client.start()
                return True
            case ["nrf_provisioning", *_]:
                self._print(*_USAGE)
                return True
        return False

    def _poked(self) -> list[Output]:
        self._client.poke()
        return self._outbox.take()

    def _ask(self, line: str, then: Callable[[Result], None]) -> None:
        command = parse(line)
        if command is None:
            then(Refused())
            return
        known = command
        run(lambda: self._modem.execute(known), self._outbox, then)

    def _log(self, text: str, *, prompt: bool = True) -> None:
        seconds = (self._now() - self._booted).total_seconds()
        stamp = f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{seconds % 60:06.3f},000"
        self.notice(f"[{stamp}] <inf> nrf_provisioning: {text}", prompt=prompt)
