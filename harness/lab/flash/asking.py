"""Asks a board what it runs, before and after it is flashed."""

import re
from dataclasses import dataclass
from typing import Final

from harness.at import AtError, AtPort, PortSettings
from harness.firmware import find_firmware, kind_of, port_settings
from harness.lab.config import BoardConfig
from harness.lab.flash.decision import Told
from harness.timeline import Timeline

_ITEM: Final = re.compile(r"%CMNG: (\d+),(\d+)")
_RESERVED: Final = 2**31


@dataclass(frozen=True, slots=True)
class State:
    """``told``: versions; ``credentials``: what is in the modem's store, by sec_tag and type."""

    told: Told
    credentials: frozenset[tuple[int, int]] = frozenset()


def ask(config: BoardConfig, url: str, timeline: Timeline, *, patience: float) -> State:
    """Open the board's port, ask, and close it. ``patience``: seconds that a board which just starts may be silent.

    Raises LabError: no port, no answer.

    ``config``: the board's entry. ``url``: its port. ``timeline``: where its lines go.
    """
    settings = PortSettings(baudrate=config.baud, rtscts=config.flow_control)
    if config.firmware is not None:
        settings = port_settings(config.firmware, baudrate=config.baud, rtscts=config.flow_control)
    with AtPort.open(url, name=config.name, timeline=timeline, settings=settings) as port:
        application = _application(port, config.firmware, patience)
        modem = _first(port, "AT+CGMR")
        items = [_ITEM.match(line) for line in _lines(port, "AT%CMNG=1")]
    found = frozenset((int(item[1]), int(item[2])) for item in items if item and int(item[1]) < _RESERVED)
    return State(Told(modem, application), found)


def _application(port: AtPort, firmware: str | None, patience: float) -> str:
    if firmware is None:
        return str(find_firmware(port, patience=patience).firmware)
    port.sync(patience=patience)
    found = kind_of(firmware).recognise(port)
    return "" if found is None else str(found)


def _lines(port: AtPort, command: str) -> tuple[str, ...]:
    try:
        return port.command(command).lines
    except AtError:
        return ()


def _first(port: AtPort, command: str) -> str:
    lines = _lines(port, command)
    return lines[0] if lines else ""
