"""Checks how each board's kit is attached to USB: hubs, their power, speed, autosuspend, the kernel's messages.

Linux's documentation: ABI/testing/sysfs-bus-usb, driver-api/usb/power-management, ABI/testing/dev-kmsg.
"""

import errno
import os
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from harness.errors import LabError
from harness.lab.config import BoardConfig
from harness.lab.discovery import list_devices
from harness.lab.doctor.check import Check, CheckResult, Machine, Status
from harness.lab.doctor.ports import device_of

_DEEPEST: Final = 4  # hubs; USB allows five
_BUS_POWER: Final = 500  # mA that a port of a root hub gives
_SLOW: Final = 12  # Mbit/s: less than J-Link kits run at
_RECORD: Final = 8192  # bytes: the longest record of /dev/kmsg
_TROUBLE: Final = re.compile(
    r"USB disconnect|error -71|over-current|device descriptor read|device not accepting address|cannot reset"
)


def checks(machine: Machine, boards: Sequence[BoardConfig]) -> list[Check]:
    """Return a check for each board on USB: ``usb.hubs``, ``usb.power``, ``usb.suspend``, ``usb.kernel``."""
    real = [board for board in boards if board.serial or (board.port or "").startswith("/")]
    return [Check("usb", board.name, partial(_usb, machine, board)) for board in real]


def location_of(machine: Machine, board: BoardConfig) -> str:
    """Return where a board's kit is plugged in (``1-2.1``); "": it does not show. Raises PortMissing."""
    device = os.path.realpath(device_of(machine, board))
    for kit in list_devices(machine.comports):
        if device in (os.path.realpath(port) for port in kit.ports):
            return kit.location
    return ""


def _usb(machine: Machine, board: BoardConfig) -> Iterator[CheckResult]:
    try:
        location = location_of(machine, board)
    except LabError:
        yield CheckResult("usb.hubs", board.name, Status.SKIPPED, "the kit is not attached")
        return
    place = machine.usb / location
    if not location or not place.is_dir():
        yield CheckResult("usb.hubs", board.name, Status.SKIPPED, "the system does not show this port's USB device")
        return
    yield _hubs(board.name, location, machine.read(place / "speed"))
    yield from _power(machine, board.name, location)
    yield _suspend(machine, board.name, place)
    yield _kernel(machine, board.name, location)


def _hubs(name: str, location: str, speed: str | None) -> CheckResult:
    depth = location.count(".")
    if depth > _DEEPEST:
        text = f"the kit is behind {depth} hubs ({location}), more than {_DEEPEST} are unreliable"
        return CheckResult("usb.hubs", name, Status.WARN, text, "lsusb -t")
    if speed is not None and speed.replace(".", "").isdecimal() and float(speed) < _SLOW:
        return CheckResult(
            "usb.hubs", name, Status.WARN, f"the kit runs at {speed} Mbit/s only: try another cable", "lsusb -t"
        )
    return CheckResult("usb.hubs", name, Status.OK, f"at {location}, {speed or 'unknown'} Mbit/s")


def _power(machine: Machine, name: str, location: str) -> Iterator[CheckResult]:
    """Check the hubs' power. One without its own supply (bit 6 of bmAttributes) shares what its port gives."""
    hub, _, _ = location.rpartition(".")
    attributes = None if not hub else machine.read(machine.usb / hub / "bmAttributes")
    if attributes is None:
        return
    siblings = [
        path for path in machine.usb.glob(f"{hub}.*") if re.fullmatch(r"\d+", path.name.removeprefix(f"{hub}."))
    ]
    wanted = sum(_milliamperes(machine.read(path / "bMaxPower")) for path in siblings)
    if not int(attributes, 16) & 0x40 and wanted > _BUS_POWER:
        text = f"hub {hub} has no supply of its own, and its devices may take {wanted} mA of {_BUS_POWER}"
        yield CheckResult(
            "usb.power", name, Status.WARN, text + ": give it one", f"lsusb -v -s {_address(machine, hub)}"
        )
    else:
        yield CheckResult("usb.power", name, Status.OK, f"what is on hub {hub} may take {wanted} mA")


def _milliamperes(text: str | None) -> int:
    found = re.match(r"(\d+)\s*mA", text or "")
    return int(found[1]) if found else 0


def _address(machine: Machine, location: str) -> str:
    return ":".join(machine.read(machine.usb / location / name) or "" for name in ("busnum", "devnum"))


def _suspend(machine: Machine, name: str, place: Path) -> CheckResult:
    control = machine.read(place / "power/control")
    if control != "auto":
        return CheckResult("usb.suspend", name, Status.OK, "USB autosuspend is off for the kit")
    text = "USB autosuspend may put the kit to sleep"
    return CheckResult("usb.suspend", name, Status.WARN, text, f"echo on | sudo tee {place / 'power/control'}")


def _kernel(machine: Machine, name: str, location: str) -> CheckResult:
    """Look in the kernel's log for trouble with the kit. Each read of /dev/kmsg is a record, the oldest first."""
    said = re.compile(rf"\b(?:usb|port) {re.escape(location)}[: ]")
    try:
        found = [
            line for line in _kernel_lines(machine.root / "dev/kmsg") if said.search(line) and _TROUBLE.search(line)
        ]
    except OSError as error:
        text = f"kernel messages cannot be read: {error.strerror}"
        return CheckResult("usb.kernel", name, Status.SKIPPED, text, f"sudo dmesg | grep 'usb {location}'")
    if not found:
        return CheckResult("usb.kernel", name, Status.OK, "the kernel reports no trouble")
    text = f"{len(found)} kernel message{'s' if len(found) > 1 else ''} of trouble, the last: {found[-1]}"
    return CheckResult("usb.kernel", name, Status.WARN, text, f"sudo dmesg | grep 'usb {location}'")


def _kernel_lines(path: Path) -> Iterator[str]:
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while record := _record(file):
            for line in record.decode("utf-8", "replace").splitlines():
                yield line.partition(";")[2]
    finally:
        os.close(file)


def _record(file: int) -> bytes:
    while True:
        try:
            return os.read(file, _RECORD)
        except BlockingIOError:  # all read
            return b""
        except OSError as error:
            if error.errno != errno.EPIPE:  # the kernel overwrote the record meanwhile: the next read goes on after it
                raise
