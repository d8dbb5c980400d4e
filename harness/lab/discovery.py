"""Finds a board's serial port by the serial number of its USB kit.

An nRF91 kit has one USB serial number and several ports: J-Link kits (USB vendor 1366) and Thingy:91 boards (1915). The
port of the modem's UART is the one with the lowest interface number (VCOM0). Product ids say nothing: they change when
mass storage is switched off. A J-Link's number has leading zeros on USB, but not on the kit's label. nRF91 DK user
guides, "Virtual serial port"; pyserial's hwid format.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from serial.tools import list_ports

from harness.errors import PortMissing

KIT_VENDORS: Final = frozenset({0x1366, 0x1915})  # SEGGER, Nordic Semiconductor
_SERIAL = re.compile(r"\bSER=(\S+)")
_LOCATION = re.compile(r"\bLOCATION=(\S+)")
_INTERFACE = re.compile(r":\d+\.(\d+)$")


class PortInfo(Protocol):
    """The part of pyserial's ListPortInfo that is used here."""

    @property
    def device(self) -> str: ...
    @property
    def hwid(self) -> str: ...
    @property
    def vid(self) -> int | None: ...
    @property
    def serial_number(self) -> str | None: ...
    @property
    def location(self) -> str | None: ...
    @property
    def product(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Kit:
    """One USB device with serial ports, in the order of their interfaces: index 0 is VCOM0.

    ``location``: where it is plugged in, bus and ports of the hubs (``1-2.1``); empty where the system does not say.
    """

    serial: str  # as USB shows it
    vendor: int | None
    product: str
    ports: tuple[str, ...]
    location: str = ""

    def __str__(self) -> str:
        product = f" ({self.product})" if self.product else ""
        return f"{self.serial}{product}: {', '.join(self.ports)}"


def list_kits(comports: Callable[[], Iterable[PortInfo]] = list_ports.comports) -> list[Kit]:
    """Return the attached devices that have a USB serial number, those of nRF91 vendors first."""
    return [kit for kit in list_devices(comports) if kit.serial]


def list_devices(comports: Callable[[], Iterable[PortInfo]] = list_ports.comports) -> list[Kit]:
    """Return the USB devices with serial ports, also those without a serial number; nRF91 vendors first."""
    groups: dict[tuple[str, str], list[PortInfo]] = {}
    for port in comports():
        serial, location = _serial(port), _location(port)
        if serial or location:  # several devices may have the same number, but not the same location
            groups.setdefault((serial, location), []).append(port)
    kits = []
    for (serial, location), ports in groups.items():
        ports.sort(key=_order)
        devices = tuple(port.device for port in ports)
        kits.append(Kit(serial, ports[0].vid, ports[0].product or "", devices, location))
    return sorted(kits, key=lambda kit: (kit.vendor not in KIT_VENDORS, kit.serial, kit.location))


def matching_kits(kits: Iterable[Kit], serial: str, location: str | None = None) -> list[Kit]:
    """Return those of ``kits`` that have this serial number, and are at ``location`` if it is given.

    ``serial``: in any spelling, as in a boards file.
    """
    return [kit for kit in kits if same_serial(kit.serial, serial) and (location is None or kit.location == location)]


def find_port(
    serial: str,
    vcom: int = 0,
    *,
    location: str | None = None,
    comports: Callable[[], Iterable[PortInfo]] = list_ports.comports,
) -> str:
    """Return the device path of a port of the kit with this USB serial number.

    ``serial``: leading zeros or not, upper or lower case. ``vcom``: which of the kit's ports. ``location``: where the
    kit is plugged in, needed where several have the number. ``comports``: what is attached.
    Raises PortMissing: no such kit, several of them, or no such port, with those that are there.
    """
    kits = list_kits(comports)
    matching = matching_kits(kits, serial, location)
    if not matching:
        there = "; ".join(str(kit) for kit in kits) or "none"
        at = "" if location is None else f" at location {location}"
        raise PortMissing(
            f"no USB kit with serial number {serial}{at}; plug it in, or correct the boards file; there: {there}"
        )
    if len(matching) > 1:
        places = "; ".join(f"location {kit.location or 'unknown'}: {', '.join(kit.ports)}" for kit in matching)
        raise PortMissing(
            f"{len(matching)} USB devices have serial number {serial} ({places}); say which one: add location: to the "
            "board, or name port: (of /dev/serial/by-path) in place of serial:"
        )
    (kit,) = matching
    if vcom >= len(kit.ports):
        raise PortMissing(
            f"kit {serial} has no vcom {vcom}, its ports are {', '.join(kit.ports)}; correct vcom in the boards file,"
            " or switch the port on in the board configurator"
        )
    return kit.ports[vcom]


def is_plain_file(path: str) -> bool:
    """Tell whether a path leads to a plain file and not to a device.

    A program that writes to the port of an unplugged kit makes such a file, and pyserial lists it as a port.
    """
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def in_place_of_device(path: str) -> bool:
    """Tell whether a plain file can be one that a program made in place of an unplugged device.

    What is elsewhere, also in /dev/shm, is somebody's, and nobody must be told to remove it.
    """
    found = os.path.realpath(path)
    return os.path.dirname(found) == "/dev" or found.startswith("/dev/serial/")


def same_serial(one: str, other: str) -> bool:
    """Tell whether two spellings mean the same USB serial number."""
    if one.isdecimal() and other.isdecimal():
        return int(one) == int(other)
    return one.lower() == other.lower()


def _serial(port: PortInfo) -> str:
    found = _SERIAL.search(port.hwid or "")
    return port.serial_number or (found[1] if found else "")


def _location(port: PortInfo) -> str:
    """Return where a device is plugged in, without the interface that may follow a colon."""
    found = _LOCATION.search(port.hwid or "")
    return (port.location or (found[1] if found else "")).partition(":")[0]


def _order(port: PortInfo) -> tuple[int, str, str]:
    # hwid ends with the location, and that ends with configuration.interface. Sorted as text, ":1.10" comes before
    # ":1.2".
    found = _INTERFACE.search(port.location or port.hwid or "")
    return (int(found[1]) if found else 0, port.hwid or "", port.device)
