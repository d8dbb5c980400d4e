r"""A shell with the command ``at``: Modem Shell, or an application with the AT shell of nRF Connect SDK.

Source: nRF Connect SDK, "Cellular: Modem Shell" sample and CONFIG_AT_SHELL; Zephyr shell. The port must have been
opened with ``at_shell``: a command travels as ``at '<command>'`` with its line ends as ``\n``, and comes back as an
echo behind a prompt. Such a shell answers nothing but shell lines, so a port that is in step proves it.
"""

from harness.at import AtPort
from harness.firmware.without_mqtt import WithoutMqtt

_BOOT_LINES = ("*** Booting",)


class Shell(WithoutMqtt):
    """One board whose AT commands go through a shell."""

    def __init__(self, port: AtPort) -> None:
        super().__init__(port, product="AT shell", boot_lines=_BOOT_LINES)
