"""The application firmware of a board: what stands between UART and modem."""

from collections.abc import Set
from typing import Final, Protocol

from harness.settings import BoardFault, BoardSettings, FirmwareName, Release, Sample, ShellName
from harness.settings.board_faults import CoreFault
from harness.virtual.board.at_host import AtHost
from harness.virtual.board.cloud_library import CloudOnAtHost, CloudOnShell
from harness.virtual.board.modem import Nvm
from harness.virtual.board.outputs import LinkEvent, Output
from harness.virtual.board.pass_through import PassThrough
from harness.virtual.board.personality import Personality
from harness.virtual.board.serial_modem.preview import SerialModemMain, SerialModemPreview
from harness.virtual.board.serial_modem.server import SerialModem
from harness.virtual.board.shell import AtShell, ModemShell
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
    kind: type[SerialModem] | type[PassThrough]
    match said.runs:
        case FirmwareName.SERIAL_MODEM | FirmwareName.RAW_SOCKETS:
            kind = _RELEASES[said.release]
        case FirmwareName.SLM | FirmwareName.SLM_SOCKETS:
            kind = SerialLteModem
        case FirmwareName.SLM_TCP_CLIENT:
            kind = OlderSerialLteModem
        case FirmwareName.AT_CLIENT:
            kind = AtHost
        case FirmwareName.SHELL:
            shell = ModemShell if said.shell is ShellName.MODEM_SHELL else AtShell
            return shell(said, personality, nvm, root_ca=root_ca, faults=faults)
        case FirmwareName.CLOUD_LIBRARY:
            kind = CloudOnShell if said.sample is Sample.ASSET_TRACKER_TEMPLATE else CloudOnAtHost
    return kind(said, personality, nvm, faults=faults)
