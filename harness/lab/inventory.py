"""Lists what is attached, what each port carries, who uses it, and its name in the boards file. It opens no port."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from serial.tools import list_ports

from harness.at.holders import Holder, holders
from harness.lab.config import BoardConfig
from harness.lab.discovery import KIT_VENDORS, Kit, PortInfo, is_plain_file, list_devices, matching_kits
from harness.lab.kits import KitKind, kind_of_kit
from harness.lab.lease import LeaseOwner, lease_folder, owners, port_key

BY_PATH: Final = Path("/dev/serial/by-path")


@dataclass(frozen=True, slots=True)
class AttachedPort:
    """A port of a kit. ``role``: what it carries."""

    device: str
    vcom: int
    role: str
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class Attached:
    """An attached device. ``owner``: who has its lease. ``boards``: names in the boards file that lead to it.

    ``doubt``: why its serial number alone cannot name it; None: it can. ``by_path``: lasting links to its ports, in the
    order of the ports; empty if the system makes none.
    """

    kit: Kit
    kind: KitKind
    ports: tuple[AttachedPort, ...]
    owner: LeaseOwner | None
    boards: tuple[str, ...]
    doubt: str | None
    by_path: tuple[str, ...]

    @property
    def is_kit(self) -> bool:
        """Whether AT commands are safe: its maker makes nRF91 kits, and it is not known to be something else."""
        return self.kit.vendor in KIT_VENDORS and self.kind.nrf91 is not False

    @property
    def free(self) -> bool:
        """Whether nobody uses it."""
        return self.owner is None and not any(port.holders for port in self.ports)


@dataclass(frozen=True, slots=True)
class Inventory:
    """``attached``: devices. ``absent``: boards of the file that are missing, with the place where they should be.

    ``plain_files``: plain files that look like ports; a program made them by writing to an unplugged port.
    """

    attached: tuple[Attached, ...]
    absent: tuple[tuple[str, str], ...]
    plain_files: tuple[str, ...]


def take_inventory(
    boards: Sequence[BoardConfig],
    *,
    comports: Callable[[], Iterable[PortInfo]] | None = None,
    leases: Path | None = None,
    by_path: Path = BY_PATH,
    proc: Path = Path("/proc"),
) -> Inventory:
    """Look at what is attached and compare it with ``boards``.

    ``comports``: the serial ports of the computer. ``leases``, ``by_path``, ``proc``: folders in place of the usual
    ones.
    """
    ports = list((comports or list_ports.comports)())
    plain = tuple(sorted(port.device for port in ports if is_plain_file(port.device)))
    real = [port for port in ports if port.device not in plain]
    kits = list_devices(lambda: real)
    held = holders([device for kit in kits for device in kit.ports], proc=proc)
    taken = {owner.key: owner for owner in owners(leases or lease_folder())}
    links = _links(by_path)
    attached = tuple(
        Attached(
            kit=kit,
            kind=kind_of_kit(kit),
            ports=_ports(kit, held),
            owner=next((taken[key] for key in _keys(kit, real) if key in taken), None),
            boards=tuple(board.name for board in boards if _leads_to(board, kit, kits)),
            doubt=_doubt(kit, kits),
            by_path=tuple(links[device] for device in kit.ports if device in links),
        )
        for kit in kits
    )
    there = {name for each in attached for name in each.boards}
    absent = tuple((board.name, where) for board in boards if board.name not in there and (where := _missing(board)))
    return Inventory(attached, absent, plain)


def _ports(kit: Kit, held: dict[str, list[Holder]]) -> tuple[AttachedPort, ...]:
    kind = kind_of_kit(kit)
    return tuple(
        AttachedPort(device, vcom, kind.role(vcom), tuple(held[device])) for vcom, device in enumerate(kit.ports)
    )


def _keys(kit: Kit, ports: Sequence[PortInfo]) -> list[str]:
    return [port_key(device, comports=lambda: ports) for device in kit.ports]


def _leads_to(board: BoardConfig, kit: Kit, kits: Sequence[Kit]) -> bool:
    if board.serial is not None:
        return matching_kits(kits, board.serial, board.location) == [kit]
    if board.port is None or "://" in board.port:
        return False
    device = os.path.realpath(board.port)
    return device in (os.path.realpath(port) for port in kit.ports)


def _missing(board: BoardConfig) -> str:
    """Return where a board should be; "": its port is there, or it is not on this computer's USB."""
    if board.serial is not None:
        return f"serial {board.serial}" + (f" at location {board.location}" if board.location else "")
    if board.port is None or "://" in board.port or Path(board.port).exists():
        return ""
    return f"port {board.port}"


def _doubt(kit: Kit, kits: Sequence[Kit]) -> str | None:
    if not kit.serial:
        return "it has no USB serial number"
    same = len(matching_kits(kits, kit.serial))
    return f"{same} devices have this serial number" if same > 1 else None


def _links(folder: Path) -> dict[str, str]:
    """Return the links in a udev folder, by the device that they lead to."""
    found: dict[str, str] = {}
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return found
    for entry in entries:
        found.setdefault(os.path.realpath(entry), str(entry))
    return found


def as_data(inventory: Inventory) -> dict[str, Any]:
    """Return an inventory for JSON."""
    return {
        "kits": [
            {
                "what": each.kind.name,
                "nrf91": each.kind.nrf91,
                "serial": each.kit.serial or None,
                "vendor": None if each.kit.vendor is None else f"{each.kit.vendor:04x}",
                "product": each.kit.product,
                "location": each.kit.location or None,
                "boards": list(each.boards),
                "doubt": each.doubt,
                "lease": None if each.owner is None else dict(each.owner.said),
                "ports": [
                    {
                        "device": port.device,
                        "vcom": port.vcom,
                        "role": port.role,
                        "holders": [{"pid": holder.pid, "name": holder.name} for holder in port.holders],
                    }
                    for port in each.ports
                ],
            }
            for each in inventory.attached
        ],
        "absent": [{"board": name, "where": where} for name, where in inventory.absent],
        "plain_files": list(inventory.plain_files),
    }
