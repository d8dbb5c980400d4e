"""The AT client: a board whose UART leads straight to the modem, through the AT Host library.

Source: nRF Connect SDK, "Cellular: AT Client" sample and AT Host library (CONFIG_AT_HOST_TERMINATION). No command
identifies it: it answers AT commands and knows none of Serial Modem's.
"""

from typing import Final

from harness.at import Terminator
from harness.firmware.interface import Firmware
from harness.firmware.kind import FirmwareKind
from harness.settings import FirmwareName

AT_CLIENT: Final = FirmwareKind(
    name=FirmwareName.AT_CLIENT,
    product="AT client",
    recognise=lambda _port: Firmware("AT client"),
    anonymous=True,
    terminators=(Terminator.CRLF, Terminator.LF, Terminator.NULL),
)
"""The AT client sample, or an application that contains the AT Host library."""
