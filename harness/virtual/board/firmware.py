"""The application firmware of a board: what stands between UART and modem."""

from collections.abc import Set
from typing import Final, Protocol

from harness.settings import BoardFault, FirmwareName, Release, Sample, ShellName, TerminatorName
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
    name: FirmwareName,
    personality: Personality,
    nvm: Nvm,
    *,
    baud: int = 0,
    faults: Set[BoardFault] = frozenset(),
    terminator: TerminatorName = TerminatorName.CR,
    release: Release = Release.STABLE,
    colour: bool = False,
    provisioning: bool = False,
    root_ca: str | None = None,
    sample: Sample | None = None,
    shell: ShellName = ShellName.MODEM_SHELL,
) -> Firmware:
    """Return the firmware ``name``. ``terminator`` is for at-client only, ``release`` for Serial Modem only, ``sample``
    for cloud-library, the rest for the shell.

    ``provisioning``: whether it has the provisioning service's client; ``root_ca``: that service's root CA (PEM).
    """
    match name:
        case FirmwareName.SERIAL_MODEM | FirmwareName.RAW_SOCKETS:
            return _RELEASES[release](personality, nvm, baud=baud, faults=faults)
        case FirmwareName.SLM | FirmwareName.SLM_SOCKETS:
            return SerialLteModem(personality, nvm, baud=baud, faults=faults)
        case FirmwareName.SLM_TCP_CLIENT:
            return OlderSerialLteModem(personality, nvm, baud=baud, faults=faults)
        case FirmwareName.AT_CLIENT:
            return AtHost(personality, nvm, faults=faults, terminator=terminator)
        case FirmwareName.SHELL if shell is ShellName.MODEM_SHELL:
            own_ca = root_ca if provisioning else None
            return ModemShell(personality, nvm, provisioning=provisioning, root_ca=own_ca, faults=faults, colour=colour)
        case FirmwareName.SHELL if provisioning:
            return ProvisioningAtShell(personality, nvm, root_ca=root_ca, faults=faults, colour=colour)
        case FirmwareName.SHELL:
            return AtShell(personality, nvm, faults=faults, colour=colour)
        case FirmwareName.CLOUD_LIBRARY if sample is Sample.ASSET_TRACKER_TEMPLATE:
            return CloudOnShell(personality, nvm, sample=sample, faults=faults, colour=colour)
        case FirmwareName.CLOUD_LIBRARY:
            return CloudOnAtHost(personality, nvm, sample=sample or Sample.DEVICE_MESSAGE, faults=faults)
