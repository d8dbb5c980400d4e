"""The AT client: a board whose UART leads straight to the modem, through the AT Host library.

Source: nRF Connect SDK, "Cellular: AT Client" sample and AT Host library. It has no command by which it could be
recognised: it is what answers AT commands and knows none of Serial Modem's.
"""

from harness.at import AtPort
from harness.firmware.without_mqtt import WithoutMqtt

_BOOT_LINES = ("*** Booting", "The AT host sample started", "Ready", "Modem library initialization failed")


class AtClient(WithoutMqtt):
    """One board that runs the AT client sample, or an application that contains the AT Host library."""

    def __init__(self, port: AtPort) -> None:
        super().__init__(port, product="AT client", boot_lines=_BOOT_LINES)
