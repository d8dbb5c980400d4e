"""Where the process numbers of this process mean what they say: one machine, one PID namespace.

A host's name does not tell that: containers get a fixed one, and computers are copied.
"""

import hashlib
import secrets
from pathlib import Path
from typing import Final

MACHINE: Final = Path("/etc/machine-id")  # machine-id(5): 32 hexadecimal digits, the same after each start
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")  # random(4): another after each start, one for each kernel
NAMESPACE: Final = Path("/proc/self/ns/pid")  # pid_namespaces(7): a link whose text names it
_FIRST: Final = "pid:[4026531836]"  # the one outside all containers, of every Linux (PROC_PID_INIT_INO)
_DIGITS: Final = 12
_MACHINE_DIGITS: Final = 32


def origin(machine: Path = MACHINE, boot: Path = BOOT, namespace: Path = NAMESPACE) -> str:
    """Return twelve hexadecimal digits: equal for two processes that see each other's numbers, else different.

    ``machine``, ``boot``, ``namespace``: the files that tell it. If they cannot be read, it is equal to nobody's.
    """
    try:
        here = str(namespace.readlink())
        named = _read(machine)
        if here != _FIRST or len(named) != _MACHINE_DIGITS:  # an image gives each of its containers one machine-id
            named += boot.read_text().strip()
    except OSError:
        return secrets.token_hex(_DIGITS // 2)
    return hashlib.sha256(f"{named} {here}".encode()).hexdigest()[:_DIGITS]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
