"""One board, one process: an exclusive lease that ends with its owner, however that ends.

The lease is a flock on a file in a folder that all users of the computer share. The kernel drops it when the process
dies, so a lease cannot be stale. A file beside it says who has it, for the message that the next one gets.
"""

import getpass
import glob
import json
import os
import re
import shlex
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from serial.tools import list_ports

from harness.errors import LabError, PortBusy
from harness.lab.discovery import KIT_VENDORS, PortInfo, list_kits
from harness.lab.shared_lock import SharedLock, held, shared_folder
from harness.redact import SECRETS

LEASES_VARIABLE: Final = "NRF91_HARNESS_LEASES"


class Lease:
    """The right to use a board, until :meth:`release`. ``owner``: what others are told of this process."""

    def __init__(self, board: str, key: str, *, folder: Path, timeout: float = 0.0) -> None:
        """Take the lease; wait up to ``timeout`` seconds for it. Raises PortBusy with the owner."""
        self.board = board
        self.key = key
        self.path = folder / f"{key}.lock"
        # One for each user: nobody can replace another user's file in a shared folder.
        self._owner_file = folder / f"{key}.{os.getuid()}.json"
        self._lock = SharedLock(self.path)
        if not self._lock.take(timeout):
            waited = f" (waited {timeout:g} s)" if timeout else ""
            raise PortBusy(
                f"board {board!r} is in use by {self._who()}{waited}; wait (--wait SECONDS) or end that process"
            )
        self.owner = _me()
        _write_for_all(self._owner_file, json.dumps(self.owner))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
    """Who has a lease. ``key``: the hardware, see :func:`port_key`. ``said``: what its process left to read, if so."""

    key: str
    path: Path
    said: Mapping[str, Any]

    @property
    def is_me(self) -> bool:
        """Whether it is this process."""
        return self.said.get("pid") == os.getpid() and self.said.get("host") == socket.gethostname()

    def __str__(self) -> str:
        try:
            return "pid {pid} ({user}, {command}) since {since}".format(**self.said)
        except KeyError:
            return f"another process (see: fuser {self.path})"


def owners(folder: Path) -> list[LeaseOwner]:
    """Return who has boards of this computer at present, by key. ``folder``: that of the leases."""
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
    """Return the computer's folder of leases, made if it is not there.

    One place for all users and sessions, which have to see each other's leases. For the same reason
    NRF91_HARNESS_LEASES, which names another folder, is for tests of the harness itself: their boards are nobody
    else's.
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
    """Return the identity of the hardware behind a port path or URL, as part of a file name.

    All ports of an nRF91 kit are one board. A multi-port adapter of another vendor has one board on each port.
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
    """Return the identity of a kit, by its USB serial number, as part of a file name."""
    return _file_name(f"usb-{serial.lstrip('0')}")


def place_key(place: str) -> str:
    """Return the identity of a labgrid place for leases on this computer, as part of a file name."""
    return _file_name(f"place-{place}")


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", text)


def _me() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "user": _user(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": SECRETS.scrub(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])),
        "host": socket.gethostname(),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"uid {os.getuid()}"


def _write_for_all(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(text)
    new.replace(path)
