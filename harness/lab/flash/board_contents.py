"""Asks a board what it runs, before and after it is flashed."""

import re
from dataclasses import dataclass
from typing import Final

from harness.at import AtError, AtPort
from harness.firmware import find_firmware, kind_of, synchronise
from harness.lab.board_settings import settings_of
from harness.lab.config import BoardConfig
from harness.lab.flash.decision import Versions
from harness.timeline import Timeline

_ITEM: Final = re.compile(r"%CMNG: (\d+),(\d+)")
_RESERVED: Final = 2**31


@dataclass(frozen=True, slots=True)
class BoardContents:
    """What is on a board. ``told``: versions. ``credentials``: the items in the modem's store, by sec_tag and type.

    ``proved``: a command of the application's own told what it is. An AT client has no such command.
    """

    told: Versions
    credentials: frozenset[tuple[int, int]] = frozenset()
    proved: bool = True


def ask(config: BoardConfig, url: str, timeline: Timeline, *, patience: float) -> BoardContents:
    """Open the board's port, ask, and close it. Raises LabError: no port, no answer.

    ``config``: the board's entry. ``url``: its port. ``timeline``: takes the lines. ``patience``: seconds that a board
    may be silent while it starts.
    """
    with AtPort.open(url, name=config.name, timeline=timeline, settings=settings_of(config)) as port:
        application, proved = _application(port, config.firmware, patience)
        modem = _first(port, "AT+CGMR")
        items = [_ITEM.match(line) for line in _lines(port, "AT%CMNG=1")]
    found = frozenset((int(item[1]), int(item[2])) for item in items if item and int(item[1]) < _RESERVED)
    return BoardContents(Versions(modem, application), found, proved)


def _application(port: AtPort, firmware: str | None, patience: float) -> tuple[str, bool]:
    if firmware is None:
        auto = find_firmware(port, patience=patience)
        return str(auto.firmware), not kind_of(auto.kind).anonymous
    synchronise(port, firmware, patience=patience)
    found = kind_of(firmware).recognise(port)
    return "" if found is None else str(found), not kind_of(firmware).anonymous


def _lines(port: AtPort, command: str) -> tuple[str, ...]:
    try:
        return port.command(command).lines
    except AtError:
        return ()


def _first(port: AtPort, command: str) -> str:
    lines = _lines(port, command)
    return lines[0] if lines else ""
