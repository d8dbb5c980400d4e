"""Tells which processes share this process's process numbers: those of one machine and one PID namespace.

The host name does not tell: containers may have the same one, and computers are cloned.
"""

import hashlib
import secrets
from pathlib import Path
from typing import Final

MACHINE: Final = Path("/etc/machine-id")  # machine-id(5): 32 hexadecimal digits, the same after each boot
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")  # random(4): different after each boot, one for each kernel
NAMESPACE: Final = Path("/proc/self/ns/pid")  # pid_namespaces(7): a link whose text names it
_FIRST: Final = "pid:[4026531836]"  # the one outside all containers, of every Linux (PROC_PID_INIT_INO)
_DIGITS: Final = 12
_MACHINE_DIGITS: Final = 32


def origin(machine: Path = MACHINE, boot: Path = BOOT, namespace: Path = NAMESPACE) -> str:
    """Return twelve hexadecimal digits. They are equal for two processes that share their process numbers.

    ``machine``, ``boot``, ``namespace``: the files that tell. If they cannot be read, the digits are equal to no
    others.
    """
    try:
        here = str(namespace.readlink())
        named = _read(machine)
        if here != _FIRST or len(named) != _MACHINE_DIGITS:  # all containers of an image may have one machine-id
            named += boot.read_text().strip()
    except OSError:
        return secrets.token_hex(_DIGITS // 2)
    return hashlib.sha256(f"{named} {here}".encode()).hexdigest()[:_DIGITS]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
