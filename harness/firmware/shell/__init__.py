r"""A shell with the command ``at``: Modem Shell, or an application with the AT shell of nRF Connect SDK.

Source: nRF Connect SDK, "Cellular: Modem Shell" sample and CONFIG_AT_SHELL; Zephyr shell. The port must have been
opened with ``at_shell``: a command travels as ``at '<command>'`` with its line ends as ``\n``, and comes back as an
echo behind a prompt. Such a shell answers nothing but shell lines, so a port that is in step proves it.
"""

from typing import Final

from harness.firmware.interface import Capability, Firmware
from harness.firmware.kind import FirmwareKind
from harness.settings import FirmwareName

_CAPABILITIES: Final = frozenset({Capability.AT, Capability.PROVISIONING})
SHELL: Final = FirmwareKind(
    name=FirmwareName.SHELL,
    product="AT shell",
    recognise=lambda _port: Firmware("AT shell", capabilities=_CAPABILITIES),
    capabilities=_CAPABILITIES,
    anonymous=True,
    at_shell=True,
)
"""A board whose AT commands go through a shell."""
