"""A check and its results. Each has an id that never changes, a deadline, and the remedy as a command."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from serial.tools import list_ports

from harness.lab.discovery import PortInfo


class Status(StrEnum):
    """The outcome of a check, the worst one last. Skipped: it cannot be told; the text says why."""

    SKIPPED = "skipped"
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the report. ``id``: the same in every version. ``about``: a board, a cloud or ``host``.

    ``remedy``: a command to paste into a shell; empty if there is nothing to mend.
    """

    id: str
    about: str
    status: Status
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """``look`` yields results and changes nothing. ``deadline``: seconds; a check that takes longer has failed.

    ``quick``: it stays on this computer and takes milliseconds.
    """

    id: str
    about: str
    look: Callable[[], Iterable[CheckResult]]
    deadline: float = 5.0
    quick: bool = False


@dataclass(frozen=True)
class Machine:
    """The computer that the doctor looks at. Tests replace ``root``, ``environment`` and ``comports``."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    comports: Callable[[], Iterable[PortInfo]] = field(default_factory=lambda: list_ports.comports)

    @property
    def proc(self) -> Path:
        """The folder of the processes."""
        return self.root / "proc"

    @property
    def usb(self) -> Path:
        """The folder of the USB devices, by location."""
        return self.root / "sys/bus/usb/devices"

    def read(self, path: str | Path) -> str | None:
        """Return a small file of the system without its line end; None: it is missing or cannot be read."""
        try:
            return (self.root / path).read_text("utf-8", "replace").strip()
        except OSError:
            return None

    def programs(self, *names: str) -> dict[str, list[int]]:
        """Return the ids of running processes by program, for these names (as the kernel has them)."""
        found: dict[str, list[int]] = {}
        for path in self.proc.glob("[0-9]*/comm"):
            name = self.read(path)
            if name in names:
                found.setdefault(name, []).append(int(path.parent.name))
        return found
