"""Where the device of a plain ``port:`` is now: after a reset or a pulled cable Linux may give it another name.

While the device is there, its USB serial number and which of its ports it is are noted; later it is found by them. The
name may even belong to another board by then, when a hub with several came back: that one must not be opened.
"""

import os
from collections.abc import Callable, Iterable

from serial.tools import list_ports

from harness.errors import PortMissing
from harness.lab.discovery import PortInfo, find_port, list_kits, same_serial

_Seen = tuple[str, int, str]  # serial number, which of its ports, where it was plugged in


class SeenPorts:
    """Remembers the ports that it was asked for. ``comports``: what is attached, as pyserial lists it."""

    def __init__(self, comports: Callable[[], Iterable[PortInfo]] = list_ports.comports) -> None:
        self._comports = comports
        self._seen: dict[str, _Seen] = {}

    def find(self, port: str) -> str | None:
        """Return where the device of ``port``, a path, is now; None: it is gone, or was never there."""
        there = self._device(port)
        seen = self._seen.get(port)
        if seen is None:
            if there is not None:
                self._seen[port] = there
            return port if os.path.exists(port) else None
        if there is not None and same_serial(there[0], seen[0]) and there[1] == seen[1]:
            return port
        serial, vcom, location = seen
        for place in (None, location or None):  # the place matters only where several have the number
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
