"""Modem firmware with known trouble, as data. Sources: release notes of mfw_nrf9160 and mfw_nrf91x1, AT references."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Known trouble. ``family``: begins the version's name. Versions below ``before`` have the trouble."""

    family: str
    before: tuple[int, int, int]
    text: str


_TROUBLES: Final = (
    _Trouble("nrf9160", (1, 3, 0), "has no AT%KEYGEN, so the device cannot make keys; 1.3.7 has it"),
    _Trouble("nrf9160", (1, 3, 2), "its digests in AT%CMNG=1 cannot be relied on; 1.3.7's can"),
)
_VERSION: Final = re.compile(r"(nrf9160|nrf91x1)_(\d+)\.(\d+)\.(\d+)")


def known_trouble(firmware: str, hardware: str) -> str | None:
    """Return what is wrong with a modem firmware (``mfw_nrf9160_1.2.1``), or None if nothing is known.

    ``hardware``: such as ``nRF9160 SICA B1A``.
    """
    found = _VERSION.search(firmware)
    if found is None:
        return "not a version that is known here"
    version = (int(found[2]), int(found[3]), int(found[4]))
    for trouble in _TROUBLES:
        if trouble.family == found[1] and version < trouble.before:
            return trouble.text
    if found[1] == "nrf9160" and version >= (1, 3, 7) and hardware.endswith("B0A"):
        return f"meant for revision 2 (B1A), and the chip is {hardware}"
    return None
