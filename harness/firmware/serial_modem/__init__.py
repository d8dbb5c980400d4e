"""Serial Modem (the former Serial LTE Modem) as Nordic ships it: ``#XMQTT...`` commands and URCs on the AT port.

Source: Serial Modem application documentation, "MQTT client AT commands", "Data mode", "Generic AT commands"
(#XSMVER), "Socket AT commands". The grammar is the same from SLM of nRF Connect SDK 2.6 up to Serial Modem 1.0.
"""

import re
from typing import Final

from harness.at import AtError, AtPort, FramedUrc
from harness.firmware.bridge import FRAMED, HandleSocket
from harness.firmware.http import make_http
from harness.firmware.interface import Capability, Firmware
from harness.firmware.kind import FirmwareKind
from harness.firmware.serial_modem.driver import SerialModem
from harness.firmware.serial_modem.known_state import to_known_state
from harness.firmware.serial_modem.watcher import SerialModemWatcher
from harness.firmware.serial_modem.words import SERIAL_MODEM_WORDS
from harness.settings import FirmwareName

_LONGEST_TOPIC: Final = 128  # bytes; AT#XMQTTPUB and AT#XMQTTSUB
# AT#XMQTTCFG and AT#XMQTTCON take no will.
_CAPABILITIES: Final = frozenset(
    {
        *(Capability.AT, Capability.MQTT, Capability.BINARY_PAYLOAD),
        *(Capability.SOCKETS, Capability.POLLED_SOCKETS, Capability.NRF_CLOUD),
    }
)


def recognise(port: AtPort) -> Firmware | None:
    """Return name and version of Serial Modem, None when the board does not know its commands."""
    # Serial Modem from 0.2 on knows only the first command, the Serial LTE Modem only the second. The fields differ:
    # own version and SDK version, against SDK version and modem library version.
    for command, product in (("AT#XSMVER", "Serial Modem"), ("AT#XSLMVER", "Serial LTE Modem of NCS")):
        try:
            answer = port.command(command)
        except AtError:
            continue
        version = answer.value(command[2:]).split(",")[0].strip('"')
        return Firmware(product, version, _CAPABILITIES, _LONGEST_TOPIC)
    return None


def _message_lengths(args: str) -> tuple[int, ...]:
    topic, payload = map(int, args.split(","))
    return topic, payload


def _pulled_length(args: str) -> tuple[int, ...]:
    """Return the number of bytes behind ``#XHTTPCDATA: <handle>,<offset>,<n>``."""
    _, _, count = map(int, args.split(","))
    return (count,) if count else ()


_FRAMED: Final[dict[str, FramedUrc]] = {"#XMQTTMSG": _message_lengths, "#XHTTPCDATA": _pulled_length, **FRAMED}

SERIAL_MODEM: Final = FirmwareKind(
    name=FirmwareName.SERIAL_MODEM,
    product="Serial Modem",
    recognise=recognise,
    unrecognised="neither AT#XSMVER nor AT#XSLMVER is known to the board: it does not run Serial Modem",
    # A UART that wakes up garbles the first byte, or shows one that nobody sent.
    restart=re.compile(r"[^ -~]*(?:.?eady|.?NIT ERROR)\Z|#XMODEM(?::|\Z)"),
    capabilities=_CAPABILITIES,
    framed=_FRAMED,
    queues=True,
    driver=SerialModem,
    watcher=SerialModemWatcher,
    words=SERIAL_MODEM_WORDS,
    to_known_state=to_known_state,
    reset="AT#XRESET",
    sockets={Capability.POLLED_SOCKETS: HandleSocket},
    http=make_http,
)
"""Serial Modem and Serial LTE Modem."""
