"""Zephyr shells with the command ``at``: the AT shell, and Modem Shell."""

from harness.virtual.board.shell.modem_shell import ModemShell
from harness.virtual.board.shell.provisioning import ProvisioningShell
from harness.virtual.board.shell.server import Shell

__all__ = ["AtShell", "ModemShell", "ProvisioningAtShell", "Shell"]


class AtShell(Shell):
    """An application with nRF Connect SDK's AT shell."""

    prompt = "uart:~$ "


class ProvisioningAtShell(ProvisioningShell):
    """The same, with the provisioning service's client."""

    prompt = "uart:~$ "
