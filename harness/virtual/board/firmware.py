"""The application firmware of a board: what stands between UART and modem."""

from collections.abc import Set
from enum import StrEnum
from typing import Protocol

from harness.virtual.board.at_host import AtHost, Terminator
from harness.virtual.board.faults import Fault
from harness.virtual.board.modem import Nvm
from harness.virtual.board.outputs import LinkEvent, Output
from harness.virtual.board.personality import Personality
from harness.virtual.board.serial_modem import SerialModem
from harness.virtual.board.shell import Shell


class Framing(StrEnum):
    """Which application firmware a board runs: it decides how commands and answers are wrapped."""

    SERIAL_MODEM = "serial-modem"
    AT_CLIENT = "at_client"
    SHELL = "shell"


class Firmware(Protocol):
    """A whole board without I/O: host bytes, timers and link events in, :data:`Output` out."""

    def power_on(self) -> list[Output]: ...
    def receive(self, data: bytes) -> list[Output]: ...
    def timer(self, token: int) -> list[Output]: ...
    def link(self, event: LinkEvent) -> list[Output]: ...


def make_firmware(
    framing: Framing,
    personality: Personality,
    nvm: Nvm,
    *,
    baud: int = 0,
    faults: Set[Fault] = frozenset(),
    terminator: Terminator = Terminator.CR,
    colour: bool = False,
) -> Firmware:
    """Return the firmware. ``terminator`` concerns at_client only, ``colour`` the shell only."""
    match framing:
        case Framing.SERIAL_MODEM:
            return SerialModem(personality, nvm, baud=baud, faults=faults)
        case Framing.AT_CLIENT:
            return AtHost(personality, nvm, faults=faults, terminator=terminator)
        case Framing.SHELL:
            return Shell(personality, nvm, faults=faults, colour=colour)
