"""Asks a board what the doctor judges, with read commands only: they change nothing, and may be sent at any time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.at import AtError, AtPort
from harness.firmware import find_firmware, kind_of, synchronise
from harness.lab.board_settings import settings_of
from harness.lab.config import BoardConfig
from harness.timeline import Timeline

QUESTIONS: Final = (
    *("AT+CFUN?", "AT+CGMR", "AT+CGMM", "AT%HWVERSION", "AT+CGSN=1", "AT%XSIM?", "AT+CPIN?", "AT%XICCID", "AT+CIMI"),
    *("AT+CEREG?", "AT+CESQ", "AT+CGDCONT?", "AT+CGPADDR", "AT%XSYSTEMMODE?", "AT%XBANDLOCK?", "AT+CPSMS?"),
    *("AT+CEDRXS?", "AT+CCLK?", "AT%CMNG=1"),
)
_SHORT: Final = 2.0  # seconds; a modem answers these at once


@dataclass(frozen=True, slots=True)
class Answers:
    """``said``: the lines of each command's answer; None: ERROR, which means "not told", never "no".

    ``firmware``: the application's own name; None: it is not the one of the boards file. ``port``: at which it was
    asked.
    """

    said: Mapping[str, tuple[str, ...] | None]
    firmware: str | None
    port: str

    def value(self, command: str, name: str) -> str | None:
        """Return what follows ``name`` and its colon in the first such line of an answer; None: not told."""
        lines = self.said.get(command) or ()
        found = next((line for line in lines if line.startswith(f"{name}:")), None)
        return None if found is None else found[len(name) + 1 :].strip()

    def text(self, command: str) -> str | None:
        """Return the first line of an answer; None: not told."""
        lines = self.said.get(command) or ()
        return lines[0] if lines else None

    @property
    def mode(self) -> int | None:
        """The functional mode."""
        value = self.value("AT+CFUN?", "+CFUN")
        return int(value) if value and value.isdecimal() else None

    @property
    def sim_asked(self) -> bool:
        """Whether the SIM has power. If not, the modem answers ERROR to every question about it."""
        return self.mode in (1, 2, 21, 31, 41, 44)


def ask(board: BoardConfig, url: str) -> Answers:
    """Open the board's port, ask everything, and close it. Raises LabError: no answer, no port, or other firmware."""
    with AtPort.open(url, name=board.name, timeline=Timeline(), settings=settings_of(board)) as port:
        found = None
        if board.firmware is None:
            found = find_firmware(port).firmware
        else:
            synchronise(port, board.firmware)
        said = {command: _said(port, command) for command in QUESTIONS}
        if board.firmware is not None:
            found = kind_of(board.firmware).recognise(port)
    return Answers(said, None if found is None else str(found), url)


def _said(port: AtPort, command: str) -> tuple[str, ...] | None:
    try:
        return port.command(command, timeout=_SHORT).lines
    except AtError:
        return None
