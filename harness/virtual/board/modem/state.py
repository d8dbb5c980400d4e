"""The modem's volatile state, shared by the groups of commands; all of it is gone after a reset."""

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from harness.settings import BoardFault
from harness.virtual.board.commands import Refused
from harness.virtual.board.modem.codes import ACTIVE_STATE, POWER_OFF_WARNING
from harness.virtual.board.modem.nvm import Nvm, StoredSettings
from harness.virtual.board.outputs import Outbox
from harness.virtual.board.personality import Personality


@dataclass
class UrcSubscriptions:
    """Which unsolicited results the host asked for. Nothing is sent unasked."""

    cereg: int = 0
    cscon: int = 0
    cgerep: int = 0
    cnec: int = 0
    mdmev: int = 0
    xtime: int = 0
    xsim: int = 0
    cesq: int = 0
    cind: tuple[int, int, int] = (0, 0, 0)  # service, roam, message


@dataclass
class State:
    """One power cycle of the modem."""

    personality: Personality
    nvm: Nvm
    outbox: Outbox
    urc: Callable[[str], None]
    """Send one unsolicited result, without line ends."""
    now: Callable[[], datetime]
    settings: StoredSettings
    """In use; the modem writes them to the NVM at CFUN=0."""
    faults: Set[BoardFault]
    on: UrcSubscriptions = field(default_factory=UrcSubscriptions)
    cmee: bool = False
    clock_offset: timedelta | None = None
    """Difference of the modem's clock to ``now``; None until the network or the host has told the time."""
    lte: bool = False
    receive_only: bool = False
    gnss: bool = False
    uicc: bool = False
    uicc_ready: bool = False
    uicc_locked: bool = False
    """The SIM has started and waits for its PIN, or for its PUK."""
    bands: str = ""
    """Run-time mask of %XBANDLOCK, "": none."""

    @property
    def active(self) -> bool:
        """CFUN 1, 2 or 21: credentials cannot be written and keys cannot be generated."""
        return self.lte

    @property
    def clock(self) -> datetime | None:
        """The modem's time, None while it is not known."""
        return None if self.clock_offset is None else self.now() + self.clock_offset

    def check_storable(self) -> None:
        """Refuse to store at once while the modem is active or its supply too low."""
        if self.active:
            raise Refused(ACTIVE_STATE)
        if BoardFault.LOW_VOLTAGE in self.faults:
            raise Refused(POWER_OFF_WARNING)

    def save_settings(self) -> None:
        """Write the settings to the NVM, which a power-off warning prevents."""
        if BoardFault.LOW_VOLTAGE not in self.faults:
            self.nvm.settings = self.settings
