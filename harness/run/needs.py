"""What a test needs of a board's firmware, and whether a board of the boards file has it. Pure.

A test says it by the fixtures that it uses, or by ``@pytest.mark.needs(Capability.X)``; it never names a firmware.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from harness.firmware import FACTS, Capability, Firmware, OwnSetup, kind_of, modem_shell, set_up
from harness.lab import BoardConfig
from harness.settings import FirmwareName, ShellName

FIXTURES: Final[Mapping[str, Capability]] = MappingProxyType(
    {
        "device": Capability.MQTT,
        "own": Capability.OWN_CONNECTION,
        "board_api": Capability.SOCKETS,
        "board_socket": Capability.SOCKETS,
    }
)
"""What a fixture of the plug-in needs: it skips the test on a board that lacks it."""
NOT_KNOWN: Final = "not known before the board is opened: its firmware is found out"


def needs_of(fixtures: Iterable[str], marked: Iterable[Capability]) -> tuple[Capability, ...]:
    """Return what a test needs. ``fixtures``: all that it uses; ``marked``: what its marks say."""
    wanted = {FIXTURES[name] for name in fixtures if name in FIXTURES} | set(marked)
    return tuple(capability for capability in Capability if capability in wanted)


def expected_firmware(config: BoardConfig) -> Firmware | None:
    """Return what a board is expected to run, without asking it; None: that is found out when it is opened."""
    virtual = config.virtual
    name = config.firmware or (None if virtual is None else virtual.runs)
    if name is None:
        return None
    kind = kind_of(name)
    if name is FirmwareName.SHELL:
        if virtual is None:
            return None  # Modem Shell or an AT shell: the board says which
        return modem_shell() if virtual.shell is ShellName.MODEM_SHELL else Firmware("AT shell", "", kind.capabilities)
    firmware = Firmware(kind.product, capabilities=kind.capabilities)
    said = config.cloud_library
    if said is None:
        return firmware
    facts = FACTS[said.sample]
    pressed = said.button is not None or virtual is not None
    setup = OwnSetup(str(said.sample), facts, said.publish or facts.publish, press=_press if pressed else None)
    return set_up(firmware, setup)


def inapplicable(config: BoardConfig, needs: Iterable[Capability]) -> str | None:
    """Return why a test with these needs does not run on the board, ``NOT_KNOWN`` where only opening it tells; None:
    it runs.
    """
    needed = tuple(needs)
    firmware = expected_firmware(config)
    if firmware is None:
        return NOT_KNOWN if needed else None
    return firmware.lacks(*needed)


def _press() -> None:
    """Stands for a button that is there."""
