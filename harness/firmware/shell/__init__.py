r"""A shell with the command ``at``: Modem Shell, or an application with the AT shell of nRF Connect SDK.

Source: nRF Connect SDK, "Cellular: Modem Shell" sample (``cloud connect``) and CONFIG_AT_SHELL; Zephyr shell. The port
must have been opened with ``at_shell``: a command travels as ``at '<command>'`` with its line ends as ``\n``, and comes
back as an echo behind a prompt. Such a shell answers nothing but shell lines, so a port that is in step proves it.
"""

from contextlib import suppress
from typing import Final

from harness.at import AtPort
from harness.errors import NoAnswer
from harness.firmware.cloud_library.facts import SampleFacts
from harness.firmware.cloud_library.watcher import log_watch
from harness.firmware.interface import Capability, Firmware
from harness.firmware.kind import FirmwareKind
from harness.firmware.own_connection import OwnSetup
from harness.settings import FirmwareName

_CAPABILITIES: Final = frozenset({Capability.AT, Capability.PROVISIONING})
_WITH_CLOUD: Final = _CAPABILITIES | {Capability.OWN_CONNECTION, Capability.PAIRING}
_ANSWER: Final = 3.0


def modem_shell() -> Firmware:
    """Return what Modem Shell is and can."""
    return Firmware("Modem Shell", capabilities=_WITH_CLOUD)


def recognise(port: AtPort) -> Firmware:
    """Return Modem Shell where the shell has the command ``cloud``, else the AT shell. The question changes nothing."""
    mark = port.timeline.mark()
    port.type_line("cloud")
    with suppress(NoAnswer):
        line = port.wait_line(r"^cloud - |cloud: command not found", _ANSWER, since=mark).text
        if "not found" not in line:
            return modem_shell()
    return Firmware("AT shell", capabilities=_CAPABILITIES)


SHELL: Final = FirmwareKind(
    name=FirmwareName.SHELL,
    product="AT shell",
    recognise=recognise,
    capabilities=_CAPABILITIES,
    anonymous=True,
    at_shell=True,
    log=log_watch,
    own=OwnSetup(
        "Modem Shell",
        SampleFacts(at_shell=True, asks="USER_ASSOCIATION_REQUEST"),
        reconnect=("cloud disconnect", "cloud connect"),
    ),
)
"""A board whose AT commands go through a shell."""
