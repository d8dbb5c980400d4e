"""Finds the device of a plain ``port:``, to which Linux may give another name after a reset or a pulled cable.

While the device is there, its USB serial number and the number of the port are noted, and later it is found by them.
After a hub with several boards came back, the old name may be that of another board, which must not be opened.
"""

import os
from collections.abc import Callable, Iterable

from serial.tools import list_ports

from harness.errors import PortMissing
from harness.lab.discovery import PortInfo, find_port, list_kits, same_serial

_Seen = tuple[str, int, str]  # serial number, number of the port, location


class SeenPorts:
    """Remembers the ports that it was asked for. ``comports``: the attached ports, as pyserial lists them."""

    def __init__(self, comports: Callable[[], Iterable[PortInfo]] = list_ports.comports) -> None:
        self._comports = comports
        self._seen: dict[str, _Seen] = {}

    def find(self, port: str) -> str | None:
        """Return the path at which the device of ``port`` is now; None: it is gone, or was never there."""
        there = self._device(port)
        seen = self._seen.get(port)
        if seen is None:
            if there is not None:
                self._seen[port] = there
            return port if os.path.exists(port) else None
        if there is not None and same_serial(there[0], seen[0]) and there[1] == seen[1]:
            return port
        serial, vcom, location = seen
        for place in (None, location or None):  # the location matters only if several devices have the number
            try:
                return find_port(serial, vcom, location=place, comports=self._comports)
            except PortMissing:
                continue
        return None

    def _device(self, port: str) -> _Seen | None:
        device = os.path.realpath(port)
        for kit in list_kits(self._comports):
            paths = [os.path.realpath(path) for path in kit.ports]
            if device in paths:
                return kit.serial, paths.index(device), kit.location
        return None
