"""Firmware built on Nordic's cloud libraries, which connects by itself and tells of it in its log.

Sources: sdk-nrf, nRF Cloud library, Cloud API of NCS 1.x, and the samples on them; Asset Tracker Template. AT commands
go to the modem through the AT Host library, on the port that has the log too, or through a shell. No command identifies
such firmware: it answers as those do.
"""

import re
from typing import Final

from harness.firmware.cloud_library.watcher import log_watch
from harness.firmware.interface import Capability, Firmware
from harness.firmware.kind import FirmwareKind
from harness.settings import FirmwareName

_CAPABILITIES: Final = frozenset({Capability.AT, Capability.OWN_CONNECTION})
CLOUD_LIBRARY: Final = FirmwareKind(
    name=FirmwareName.CLOUD_LIBRARY,
    product="Cloud library firmware",
    recognise=lambda _port: Firmware("Cloud library firmware", capabilities=_CAPABILITIES),
    capabilities=_CAPABILITIES,
    anonymous=True,
    restart=re.compile(r"\*\*\* Booting "),
    log=log_watch,
)
"""A sample or application on the nRF Cloud library, the Cloud API or mqtt_helper."""
