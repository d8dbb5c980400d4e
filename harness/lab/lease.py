"""An exclusive lease of a board. It ends with the process that has it, even if that is killed.

The lease is a flock on a file in a folder that all users of the computer share. The kernel drops it when the process
dies, so a lease cannot be stale. A file beside it tells who has it, for the message to the next process.
"""

import getpass
import glob
import json
import os
import re
import shlex
import socket
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from serial.tools import list_ports

from harness.errors import LabError, PortBusy
from harness.lab.discovery import KIT_VENDORS, PortInfo, list_kits
from harness.lab.shared_lock import SharedLock, held, shared_folder
from harness.redact import SECRETS

LEASES_VARIABLE: Final = "NRF91_HARNESS_LEASES"
_acting_for: list[str] = []


class Lease:
    """The right to use a board, until :meth:`release`."""

    def __init__(self, board: str, key: str, *, folder: Path, timeout: float = 0.0, port: str = "") -> None:
        """Take the lease of a board; wait up to ``timeout`` seconds for it. Raises PortBusy with the owner.

        ``board``: its name, for messages. ``key``: of its hardware, see :func:`port_key`. ``folder``: of the leases.
        ``port``: for whoever asks who uses which board.
        """
        self.board = board
        self.key = key
        self.path = folder / f"{key}.lock"
        # One file for each user, because nobody can replace another user's file in a shared folder.
        self._owner_file = folder / f"{key}.{os.getuid()}.json"
        self._lock = SharedLock(self.path)
        if not self._lock.take(timeout):
            waited = f" (waited {timeout:g} s)" if timeout else ""
            raise PortBusy(
                f"board {board!r} is in use by {self._who()}{waited}; wait (pytest --wait SECONDS) or end that process"
            )
        self.owner = {"board": board, **({"port": port} if port else {}), **_me()}
        _write_for_all(self._owner_file, json.dumps(self.owner))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Give the board back. A second call does nothing."""
        if self._lock.taken:
            self._owner_file.unlink(missing_ok=True)
            self._lock.release()

    def _who(self) -> str:
        return str(LeaseOwner(self.key, self.path, _owner(self.path.parent, self.key)))


@dataclass(frozen=True, slots=True)
class LeaseOwner:
    """Who has a lease. ``key``: of the hardware, see :func:`port_key`. ``said``: the process's note about itself."""

    key: str
    path: Path
    said: Mapping[str, Any]

    @property
    def hardware(self) -> str:
        """The board's name, where its process says it, and its port, or else the key of the hardware."""
        where = str(self.said.get("port") or self.key)
        return f"{self.said['board']} at {where}" if self.said.get("board") else where

    @property
    def is_me(self) -> bool:
        """Whether it is this process."""
        return self.said.get("pid") == os.getpid() and self.said.get("host") == socket.gethostname()

    def __str__(self) -> str:
        try:
            return "pid {pid} ({user}, {command}) since {since}".format(**self.said)
        except KeyError:
            return f"another process (see: fuser {self.path})"


def act_for(command: Sequence[str]) -> None:
    """Name ``command`` as the owner of this process's leases: a worker's own says nothing of the run it belongs to."""
    _acting_for[:] = command


def owners(folder: Path) -> list[LeaseOwner]:
    """Return who uses boards of this computer now, by key. ``folder``: of the leases."""
    taken = [path for path in sorted(folder.glob("*.lock")) if held(path)]
    return [LeaseOwner(path.stem, path, _owner(folder, path.stem)) for path in taken]


def _owner(folder: Path, key: str) -> Mapping[str, Any]:
    try:
        files = folder.glob(f"{glob.escape(key)}.*.json")
        owner = json.loads(max(files, key=lambda path: path.stat().st_mtime).read_text())
    except (OSError, ValueError):
        return {}
    return owner if isinstance(owner, dict) else {}


def lease_folder() -> Path:
    """Return the computer's folder of leases; make it if it is missing.

    All users and sessions share one folder, because they have to see each other's leases. NRF91_HARNESS_LEASES names
    another folder. It is only for tests of the harness itself, whose boards nobody else can use.
    """
    own = os.environ.get(LEASES_VARIABLE)
    return private_folder(Path(own)) if own else shared_folder()


def private_folder(folder: Path) -> Path:
    """Make a folder for this user alone. Raises LabError if somebody else owns it or may write there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LabError(f"{folder} is not private to this user; remove it, or ask its owner to")
    return folder


def port_key(port: str, *, comports: Callable[[], Iterable[PortInfo]] = list_ports.comports) -> str:
    """Return the key of the hardware behind a port path or URL, as part of a file name.

    All ports of an nRF91 kit are one board. An adapter of another vendor has a board on each port.
    """
    if "://" in port:
        url = urlsplit(port)
        return _file_name(f"net-{url.hostname or ''}-{url.port or ''}")
    device = os.path.realpath(port)
    for kit in list_kits(comports):
        if kit.vendor in KIT_VENDORS and device in (os.path.realpath(path) for path in kit.ports):
            return usb_key(kit.serial)
    return _file_name(f"port{device}")


def usb_key(serial: str) -> str:
    """Return the key of a kit, from its USB serial number, as part of a file name."""
    return _file_name(f"usb-{serial.lstrip('0')}")


def place_key(place: str) -> str:
    """Return the key of a labgrid place for leases on this computer, as part of a file name."""
    return _file_name(f"place-{place}")


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", text)


def _me() -> dict[str, Any]:
    program, *arguments = _acting_for or sys.argv
    return {
        "pid": os.getpid(),
        "user": _user(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": SECRETS.scrub(shlex.join([Path(program).name, *arguments])),
        "host": socket.gethostname(),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user id of a container may have no name
        return f"uid {os.getuid()}"


def _write_for_all(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
    new.replace(path)
