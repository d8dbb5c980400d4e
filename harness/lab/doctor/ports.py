"""Checks each board's port: it is there, this user may open it, and nobody has it open."""

import grp
import os
import pwd
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Final

from harness.at.holders import Holder, holders
from harness.errors import LabError
from harness.lab.config import BoardConfig
from harness.lab.discovery import find_port, in_place_of_device, is_plain_file
from harness.lab.doctor.check import Check, CheckResult, Machine, Status
from harness.lab.lease import LeaseOwner, lease_folder, owners, port_key

_FEW: Final = 3  # programs that have one port open
_MEMORY: Final = 1  # major number (Linux, devices.txt)
_MODEM_MANAGER: Final = "ModemManager"


def checks(machine: Machine, boards: Sequence[BoardConfig], leases: Path | None) -> list[Check]:
    """Return a check for each real board: ``port.present``, ``port.rights``, ``port.holder``, ``port.lease``.

    ``machine``: the computer. ``boards``: their entries. ``leases``: the folder of leases.
    """
    real = [board for board in boards if board.virtual is None and board.place is None]
    held = HeldPorts(machine, real)
    return [Check("port", board.name, partial(_port, machine, board, leases, held), quick=True) for board in real]


class HeldPorts:
    """Who has the boards' ports open. The first check that asks looks through /proc, once for all."""

    def __init__(self, machine: Machine, boards: Sequence[BoardConfig]) -> None:
        self._machine = machine
        self._boards = boards
        self._lock = threading.Lock()
        self._found: dict[str, list[Holder]] | None = None

    def of(self, device: str) -> list[Holder]:
        """Return who has ``device``, the port of one of the boards, open; this process does not count."""
        with self._lock:
            if self._found is None:
                self._found = holders(self._devices(), proc=self._machine.proc)
        return [holder for holder in self._found.get(device, []) if holder.pid != os.getpid()]

    def _devices(self) -> Iterator[str]:
        for board in self._boards:
            with suppress(LabError):
                yield device_of(self._machine, board)


def device_of(machine: Machine, board: BoardConfig) -> str:
    """Return the path or URL of a real board's port. Raises PortMissing."""
    if board.serial is not None:
        return find_port(board.serial, board.vcom, location=board.location, comports=machine.comports)
    return str(board.port)


def _port(machine: Machine, board: BoardConfig, leases: Path | None, held: HeldPorts) -> Iterator[CheckResult]:
    name = board.name
    try:
        device = device_of(machine, board)
    except LabError as error:
        yield CheckResult("port.present", name, Status.FAIL, str(error), "nrf91-harness boards list")
        return
    if "://" in device:
        yield CheckResult("port.present", name, Status.SKIPPED, f"{device} is on another computer")
        return
    if (wrong := not_a_port(device)) is not None:
        text, remedy = wrong
        yield CheckResult("port.present", name, Status.FAIL, text, remedy)
        return
    yield CheckResult("port.present", name, Status.OK, device)
    yield _rights(name, device)
    key = port_key(device, comports=machine.comports)
    owner = next((owner for owner in owners(leases or lease_folder()) if owner.key == key), None)
    yield _holder(name, device, held.of(device), owner)
    yield _lease(name, owner)


def not_a_port(device: str) -> tuple[str, str] | None:
    """Return why a path cannot be a serial port, and the remedy; None: it may be one."""
    cure = "nrf91-harness boards list"
    if not Path(device).exists():
        return f"no such port: {device}", cure
    if is_plain_file(device):
        text = f"{device} is a plain file, not a device"
        return (text, f"sudo rm {quote(device)}") if in_place_of_device(device) else (f"{text}: correct port:", cure)
    if not Path(device).is_char_device() or _is_memory(device):
        return f"{device} is not a serial port", cure
    return None


def _is_memory(device: str) -> bool:
    """Tell whether it is one of Linux's memory devices, as /dev/null is: every program has one of them open."""
    return os.major(os.stat(device).st_rdev) == _MEMORY


def _rights(name: str, device: str) -> CheckResult:
    if os.access(device, os.R_OK | os.W_OK):
        return CheckResult("port.rights", name, Status.OK, "this user may read and write it")
    found = os.stat(device)
    group, user = _group_name(found.st_gid), _user_name()
    text = f"user {user} may not open {device} (group {group})"
    if not found.st_mode & stat.S_IWGRP:
        return CheckResult("port.rights", name, Status.FAIL, text, f"sudo chmod g+rw {device}")
    if user in _members(found.st_gid):
        text += ", and is in the group since a later login"
        return CheckResult("port.rights", name, Status.FAIL, text, f"newgrp {group}")
    return CheckResult("port.rights", name, Status.FAIL, text, f"sudo usermod -aG {group} {user} && newgrp {group}")


def _holder(name: str, device: str, found: list[Holder], owner: LeaseOwner | None) -> CheckResult:
    others = [holder for holder in found if owner is None or holder.pid != owner.said.get("pid")]
    if not others:
        text = "the run that has the board has it open" if found else "nobody has it open, as far as this user can see"
        return CheckResult("port.holder", name, Status.OK, text)
    text = f"{device} is held by {', '.join(map(str, others))}"
    if any(holder.name == _MODEM_MANAGER for holder in others):
        cure = "sudo systemctl stop ModemManager"
    elif len(others) > _FEW:  # too many for a serial port: do not suggest to kill them all
        cure = f"fuser -v {device}"
    else:
        cure = f"kill {' '.join(str(holder.pid) for holder in others)}"
    return CheckResult("port.holder", name, Status.FAIL, text, cure)


def _lease(name: str, owner: LeaseOwner | None) -> CheckResult:
    if owner is None or owner.said.get("pid") == os.getpid():
        return CheckResult("port.lease", name, Status.OK, "no run has it")
    pid = owner.said.get("pid")
    cure = f"fuser {owner.path}" if pid is None else f"tail --pid={pid} -f /dev/null  # waits; kill {pid} ends that run"
    text = f"in use by {owner}; wait for it (pytest --wait SECONDS), or end that run"
    return CheckResult("port.lease", name, Status.FAIL, text, cure)


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _members(group: int) -> list[str]:
    try:
        return grp.getgrgid(group).gr_mem
    except KeyError:
        return []
