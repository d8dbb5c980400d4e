"""Which processes hold a device open, as far as this user may see: /proc shows other users' to root alone."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VIRTUAL_BOARD: Final = "nrf91-virtual"
"""What a process that was forked to play a virtual board calls itself; its command line is that of the run."""

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process. ``name``: its program, as the kernel calls it."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def holders(devices: Iterable[str], *, proc: Path = _PROC) -> dict[str, list[Holder]]:
    """Return who holds each of ``devices`` open; not the process that plays a virtual board, which is its other end."""
    wanted: dict[str, list[str]] = {}
    for device in devices:
        wanted.setdefault(os.path.realpath(device), []).append(device)
    found: dict[str, list[Holder]] = {device: [] for names in wanted.values() for device in names}
    for process in sorted(proc.glob("[0-9]*"), key=lambda path: int(path.name)) if wanted else ():
        try:
            held = _open_files(process) & wanted.keys()
            if not held or b"harness.virtual" in (process / "cmdline").read_bytes():
                continue
            holder = Holder(int(process.name), (process / "comm").read_text().strip())
            if holder.name == VIRTUAL_BOARD:
                continue
        except OSError:
            continue  # another user's process, or one that has just ended
        for real in held:
            for device in wanted[real]:
                found[device].append(holder)
    return found


def _open_files(process: Path) -> set[str]:
    names: set[str] = set()
    for entry in os.scandir(process / "fd"):
        try:
            names.add(os.readlink(entry.path))
        except OSError:  # closed meanwhile
            continue
    return names
