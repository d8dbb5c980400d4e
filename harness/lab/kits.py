"""Tells which nRF91 kit a USB device with serial ports is, and what each of its ports carries.

J-Link kits are told apart by their serial number, because product ids change with settings of the debugger; Thingy:91
boards by number or product name. Sources: the patterns of nrfcredstore 2.1.0; nRF91 DK user guides, "Virtual serial
port"; the connectivity bridge's USB names in nRF Connect SDK. A number beginning with 00105 that is none of these is
some Nordic kit (UNCONFIRMED).
"""

import re
from dataclasses import dataclass
from typing import Final

from harness.lab.discovery import KIT_VENDORS, Kit

_BRIDGE: Final = ("AT", "second UART")
_DK: Final = ("AT", "log")
_SECOND_CHIP: Final = ("AT", "nRF52840", "log")  # nRF9160 DK: VCOM1 belongs to the board controller's chip


@dataclass(frozen=True, slots=True)
class KitKind:
    """A kind of kit. ``roles``: what its ports carry, from VCOM0 on. ``word``: begins the name of a suggested board.

    ``nrf91``: it has an nRF91; None: not known. ``flow_control``: its AT port has RTS and CTS.
    """

    name: str
    word: str
    nrf91: bool | None
    roles: tuple[str, ...] = ()
    flow_control: bool = False

    def role(self, vcom: int) -> str:
        """Return what a port carries."""
        return self.roles[vcom] if vcom < len(self.roles) else "unknown"


def _other(name: str) -> KitKind:
    return KitKind(name, "", False)


_KINDS: Final[tuple[tuple[str, KitKind], ...]] = (  # the first entry that fits counts
    (r"0009600", KitKind("nRF9160 DK", "nrf9160dk", True, _SECOND_CHIP, True)),
    (r"0010509", KitKind("nRF9161 DK", "nrf9161dk", True, _DK, True)),
    (r"0010510", KitKind("nRF9131 EK", "nrf9131ek", True, _DK, True)),
    (r"001051[2]|0010520", KitKind("nRF9151 DK", "nrf9151dk", True, _DK, True)),
    (r"THINGY91X_|001055[01]|0010513", KitKind("Thingy:91 X", "thingy91x", True, _BRIDGE)),
    (r"THINGY91_|PCA20035", KitKind("Thingy:91", "thingy91", True, _BRIDGE)),
    (r"0009601|0010500", _other("nRF5340 DK")),
    (r"0010507", _other("nRF7002 DK")),
    (r"0010577", _other("nRF54L15 DK")),
    (r"0010511", _other("nRF54H20 DK")),
    (r"NRFBLEGW", _other("Bluetooth gateway")),
    (r"00105", KitKind("Nordic kit", "dk", None, _DK, True)),
)
_PRODUCTS: Final = (("Thingy:91 X", "THINGY91X_"), ("Thingy:91", "THINGY91_"))


def kind_of_kit(kit: Kit) -> KitKind:
    """Return the kind of a device. One of an unknown vendor is an adapter, which may have a board behind each port."""
    if kit.vendor not in KIT_VENDORS:
        return KitKind(kit.product or "USB adapter", "", None)
    by_product = next((serial for product, serial in _PRODUCTS if product in kit.product), "")
    serial = kit.serial.zfill(12) if kit.serial.isdecimal() else kit.serial
    for text in (serial, by_product):
        for pattern, kind in _KINDS:
            if text and re.match(pattern, text, re.IGNORECASE):
                return kind
    name = "J-Link" if kit.vendor == 0x1366 else "Nordic USB device"
    return KitKind(name, "board", None, _DK if len(kit.ports) <= len(_DK) else _SECOND_CHIP)
