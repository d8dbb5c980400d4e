"""Raw sockets: Serial Modem as a carrier of bytes. The modem does TLS with its own key, this computer speaks MQTT.

Source: Serial Modem documentation, "Socket AT commands". The same boards as :mod:`harness.firmware.serial_modem`, and
more can be seen and said than by its MQTT commands: wills, SUBACK's return codes, packet ids.
"""

import re
from dataclasses import replace
from functools import partial
from typing import Final

from harness.at import AtPort
from harness.firmware.bridge import FRAMED, HandleSocket
from harness.firmware.http import SocketHttp
from harness.firmware.interface import Capability, Firmware
from harness.firmware.kind import FirmwareKind
from harness.firmware.raw_sockets.driver import RawSocketMqtt
from harness.firmware.raw_sockets.words import PACKETS
from harness.firmware.serial_modem import SERIAL_MODEM
from harness.firmware.serial_modem.known_state import to_known_state
from harness.settings import FirmwareName

_CAPABILITIES: Final = frozenset(
    {
        *(
            Capability.AT,
            Capability.MQTT,
            Capability.BINARY_PAYLOAD,
            Capability.SOCKETS,
            Capability.POLLED_SOCKETS,
            Capability.WILL,
            Capability.NRF_CLOUD,
        ),
        *(Capability.SUBACK_CODE, Capability.PACKET_ID, Capability.EMPTY_PAYLOAD, Capability.POLL_EVENTS),
    }
)
_NO_SOCKETS: Final = re.compile(r"0\.1\b")  # the first Serial Modem has the sockets of its predecessor


def recognise(port: AtPort) -> Firmware | None:
    """Return what the board runs, if it has sockets that are named by handles; None: it does not."""
    found = SERIAL_MODEM.recognise(port)
    if found is None or found.product != SERIAL_MODEM.product or _NO_SOCKETS.match(found.version):
        return None
    return replace(found, product="Serial Modem's sockets", capabilities=_CAPABILITIES, longest_topic=None)


RAW_SOCKETS: Final = FirmwareKind(
    name=FirmwareName.RAW_SOCKETS,
    product="Serial Modem's sockets",
    recognise=recognise,
    unrecognised="AT#XSMVER is not known to the board, or it has no sockets with handles: it runs no Serial Modem 1.x",
    restart=SERIAL_MODEM.restart,
    capabilities=_CAPABILITIES,
    framed=FRAMED,
    queues=True,
    driver=partial(RawSocketMqtt, make_socket=HandleSocket),
    words=PACKETS,
    to_known_state=to_known_state,
    reset=SERIAL_MODEM.reset,
    sockets={Capability.POLLED_SOCKETS: HandleSocket},
    http=partial(SocketHttp, make_socket=HandleSocket),
)
"""Serial Modem from 0.2 on, used by its sockets."""
