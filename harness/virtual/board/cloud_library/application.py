"""The application of a cloud library's firmware: switches the modem on, connects when there is a network, logs.

Source: the samples' main.c (LTE is switched on at boot, credentials are looked for, connection by connection manager).
"""

from collections.abc import Callable
from typing import Final

from harness.settings import Sample
from harness.virtual.board.cloud_library.sample_code import SampleCode
from harness.virtual.board.cloud_library.samples import SAMPLES
from harness.virtual.board.cloud_library.session import SEC_TAG, CloudSession, SessionEvent
from harness.virtual.board.command_completion import run
from harness.virtual.board.commands import Lines, Refused, parse
from harness.virtual.board.modem import Modem, Nvm
from harness.virtual.board.modem.credentials import CLIENT_CERTIFICATE, PRIVATE_KEY, ROOT_CA
from harness.virtual.board.outputs import LinkEvent, Outbox

_NEEDED: Final = {ROOT_CA: "CA Cert", CLIENT_CERTIFICATE: "Client Cert", PRIVATE_KEY: "Private Key"}
_LOOK_AGAIN: Final = 5.0  # seconds between two looks for credentials


class Application:
    """One run of the application, from its boot on.

    ``sample``: which application. ``modem``: of the board. ``nvm``: the board's memory, which outlives a reset.
    ``outbox``: takes what goes to the network and what is to be timed. ``write``: takes a line, without its end.
    ``uptime``: seconds since the boot.
    """

    def __init__(
        self,
        sample: Sample,
        modem: Modem,
        nvm: Nvm,
        outbox: Outbox,
        *,
        write: Callable[[str], None],
        uptime: Callable[[], float],
    ) -> None:
        kind = SAMPLES[sample]
        self._modem = modem
        self._nvm = nvm
        self._outbox = outbox
        self._write = write
        self._uptime = uptime
        self._attached = False
        self._told_missing = False
        self.session = CloudSession(
            outbox,
            str(nvm.identity.device_uuid),
            self._told,
            lambda: modem.radio.attached,
            extra=kind.extra,
        )
        self.sample: SampleCode = kind(self)

    def boot(self) -> None:
        """Say hello and switch the modem on."""
        self.sample.booted()
        command = parse("AT+CFUN=1")
        if command is not None:
            run(lambda: self._modem.execute(command), self._outbox, _ignore)

    def poke(self) -> None:
        """Look whether the network came or went."""
        attached = self._modem.radio.attached
        if attached == self._attached:
            return
        self._attached = attached
        if attached:
            self.sample.attached()
            self._connect()
        else:
            self.sample.network_lost()
            self.session.lost()

    def link(self, event: LinkEvent) -> None:
        """Take what happened on the link."""
        self.session.link(event)

    def log(self, level: str, module: str, text: str) -> None:
        """See :meth:`Voice.log`."""
        seconds = self._uptime()
        stamp = f"{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{seconds % 60:06.3f},000"
        self._write(f"[{stamp}] <{level}> {module}: {text}")

    def print(self, text: str) -> None:
        """Print a line without a prefix."""
        self._write(text)

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        """Do something later."""
        self._outbox.after(seconds, then)

    def _connect(self) -> None:
        missing = [name for kind, name in _NEEDED.items() if (SEC_TAG, kind) not in self._nvm.credentials]
        if not missing:
            self.sample.connect()
            return
        if not self._told_missing:
            self._told_missing = True
            self.sample.missing(missing)
        self.after(_LOOK_AGAIN, self._connect_if_attached)

    def _connect_if_attached(self) -> None:
        if self._attached and not self.session.active:
            self._connect()

    def _told(self, what: SessionEvent, code: int) -> None:
        self.sample.told(what, code)


def _ignore(_result: Lines | Refused) -> None:
    """The application does not look at what AT+CFUN=1 answered; the network comes or does not."""
