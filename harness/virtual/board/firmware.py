"""The application firmware of a board: what stands between UART and modem."""

from collections.abc import Set
from typing import Final, Protocol

from harness.settings import DEFAULT_SAMPLE, BoardFault, BoardSettings, FirmwareName, Release, Sample, ShellName
from harness.settings.board_faults import CoreFault
from harness.virtual.board.at_host import AtHost
from harness.virtual.board.cloud_library import CloudOnAtHost, CloudOnShell
from harness.virtual.board.modem import Nvm
from harness.virtual.board.outputs import LinkEvent, Output
from harness.virtual.board.personality import Personality
from harness.virtual.board.serial_modem.preview import SerialModemMain, SerialModemPreview
from harness.virtual.board.serial_modem.server import SerialModem
from harness.virtual.board.shell import AtShell, ModemShell, ProvisioningAtShell
from harness.virtual.board.slm import OlderSerialLteModem, SerialLteModem

_RELEASES: Final = {
    Release.STABLE: SerialModem,
    Release.PREVIEW: SerialModemPreview,
    Release.MAIN: SerialModemMain,
}


class Firmware(Protocol):
    """A whole board without I/O: host bytes, timers and link events in, :data:`Output` out."""

    def power_on(self) -> list[Output]: ...
    def receive(self, data: bytes) -> list[Output]: ...
    def timer(self, token: int) -> list[Output]: ...
    def link(self, event: LinkEvent) -> list[Output]: ...
    def strike(self, fault: CoreFault) -> list[Output]: ...


def make_firmware(
    said: BoardSettings, personality: Personality, nvm: Nvm, *, faults: Set[BoardFault], root_ca: str | None = None
) -> Firmware:
    """Return the firmware that the board ``said`` runs, on a modem with this ``personality`` and ``nvm``.

    ``faults``: what is wrong with the board; the set may change. ``root_ca``: of the provisioning service (PEM), for a
    shell with its client.
    """
    match said.runs:
        case FirmwareName.SERIAL_MODEM | FirmwareName.RAW_SOCKETS:
            return _RELEASES[said.release](personality, nvm, baud=said.baud, faults=faults)
        case FirmwareName.SLM | FirmwareName.SLM_SOCKETS:
            return SerialLteModem(personality, nvm, baud=said.baud, faults=faults)
        case FirmwareName.SLM_TCP_CLIENT:
            return OlderSerialLteModem(personality, nvm, baud=said.baud, faults=faults)
        case FirmwareName.AT_CLIENT:
            return AtHost(personality, nvm, faults=faults, terminator=said.terminator)
        case FirmwareName.SHELL:
            return _shell(said, personality, nvm, faults, root_ca)
        case FirmwareName.CLOUD_LIBRARY if said.sample is Sample.ASSET_TRACKER_TEMPLATE:
            return CloudOnShell(personality, nvm, sample=said.sample, faults=faults, colour=said.colour)
        case FirmwareName.CLOUD_LIBRARY:
            return CloudOnAtHost(personality, nvm, sample=said.sample or DEFAULT_SAMPLE, faults=faults)


def _shell(
    said: BoardSettings, personality: Personality, nvm: Nvm, faults: Set[BoardFault], root_ca: str | None
) -> Firmware:
    colour, provisioning = said.colour, said.provisioning
    if said.shell is ShellName.MODEM_SHELL:
        own_ca = root_ca if provisioning else None
        return ModemShell(personality, nvm, provisioning=provisioning, root_ca=own_ca, faults=faults, colour=colour)
    if provisioning:
        return ProvisioningAtShell(personality, nvm, root_ca=root_ca, faults=faults, colour=colour)
    return AtShell(personality, nvm, faults=faults, colour=colour)
