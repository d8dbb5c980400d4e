"""Zephyr shells with the command ``at``: the AT shell, and Modem Shell."""

from harness.virtual.board.shell.modem_shell import ModemShell
from harness.virtual.board.shell.provisioning import ProvisioningShell
from harness.virtual.board.shell.server import Shell

__all__ = ["AtShell", "ModemShell", "Shell"]


class AtShell(ProvisioningShell):
    """An application with nRF Connect SDK's AT shell."""

    prompt = "uart:~$ "
