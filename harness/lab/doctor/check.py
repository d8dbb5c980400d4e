"""A check and what it finds: small objects, each with an id that stays, a deadline, and the remedy as a command."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from serial.tools import list_ports

from harness.lab.discovery import PortInfo


class Status(StrEnum):
    """What came out of a check, the worst last. Skipped: it could not be told, which is said with the reason."""

    SKIPPED = "skipped"
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line. ``id``: of the check, the same in every version. ``about``: a board, a cloud or ``host``.

    ``remedy``: what to paste into a shell, empty where there is nothing to mend.
    """

    id: str
    about: str
    status: Status
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """``look`` yields results and changes nothing. ``deadline``: seconds; one that takes longer has failed.

    ``quick``: it asks nobody outside of this computer and takes milliseconds.
    """

    id: str
    about: str
    look: Callable[[], Iterable[CheckResult]]
    deadline: float = 5.0
    quick: bool = False


@dataclass(frozen=True)
class Machine:
    """The computer that is looked at; tests have another ``root``, ``environment`` and ``comports``."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    comports: Callable[[], Iterable[PortInfo]] = field(default_factory=lambda: list_ports.comports)

    @property
    def proc(self) -> Path:
        """Where processes show."""
        return self.root / "proc"

    @property
    def usb(self) -> Path:
        """Where USB devices show, by where they are plugged in."""
        return self.root / "sys/bus/usb/devices"

    def read(self, path: str | Path) -> str | None:
        """Return a small file of the system without its line end, None: it is not there or cannot be read."""
        try:
            return (self.root / path).read_text("utf-8", "replace").strip()
        except OSError:
            return None

    def programs(self, *names: str) -> dict[str, list[int]]:
        """Return the process ids of running programs with these names (as the kernel calls them), by name."""
        found: dict[str, list[int]] = {}
        for path in self.proc.glob("[0-9]*/comm"):
            name = self.read(path)
            if name in names:
                found.setdefault(name, []).append(int(path.parent.name))
        return found
