"""A Zephyr shell with the AT shell's command ``at``, as in Modem Shell."""

from harness.virtual.board.shell.provisioning import ProvisioningShell
from harness.virtual.board.shell.server import Shell

__all__ = ["ProvisioningShell", "Shell"]
