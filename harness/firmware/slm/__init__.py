"""The Serial LTE Modem (SLM) of nRF Connect SDK up to 3.1, the predecessor of Serial Modem.

Source: nRF Connect SDK 3.1, Serial LTE Modem documentation. Its MQTT commands are Serial Modem's; its commands end with
CR LF, its sockets are selected, and its URCs may fall anywhere.
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from harness.at import AtError, AtPort, Terminator
from harness.firmware.bridge import SelectedSocket
from harness.firmware.http import SlmHttp, SocketHttp
from harness.firmware.interface import Firmware
from harness.firmware.kind import FirmwareKind
from harness.firmware.raw_sockets import RAW_SOCKETS
from harness.firmware.raw_sockets.driver import RawSocketMqtt
from harness.firmware.serial_modem import SERIAL_MODEM
from harness.firmware.serial_modem.known_state import to_known_state
from harness.settings import FirmwareName

_PRODUCT: Final = "Serial LTE Modem"
_UNRECOGNISED: Final = "AT#XSLMVER is not known to the board: it does not run the Serial LTE Modem"


def recognise(port: AtPort) -> Firmware | None:
    """Return the Serial LTE Modem with the version of its SDK, None when the board is something else."""
    found = SERIAL_MODEM.recognise(port)
    return found if found is not None and found.product.startswith(_PRODUCT) else None


def _sockets(port: AtPort) -> Firmware | None:
    found = recognise(port)
    if found is None:
        return None
    product = found.product.replace(_PRODUCT, f"sockets of {_PRODUCT}")
    return replace(found, product=product, capabilities=RAW_SOCKETS.capabilities, longest_topic=None)


def _to_known_state(port: AtPort) -> None:
    """Also end the TCP and HTTP clients, which have a connection of their own. Raises as Serial Modem's."""
    with suppress(AtError):
        port.command("AT#XAPOLL=0")
    for client in ("AT#XTCPCLI=0", "AT#XHTTPCCON=0"):
        with suppress(AtError):
            port.command(client)
    to_known_state(port)


SLM: Final = replace(
    SERIAL_MODEM,
    name=FirmwareName.SLM,
    product=_PRODUCT,
    recognise=recognise,
    unrecognised=_UNRECOGNISED,
    terminator=Terminator.CRLF,
    terminators=(Terminator.CR, Terminator.LF),
    to_known_state=_to_known_state,
    socket=SelectedSocket,
    http=SlmHttp,
)
"""Serial LTE Modem, by its MQTT commands."""

SLM_SOCKETS: Final[FirmwareKind] = replace(
    RAW_SOCKETS,
    name=FirmwareName.SLM_SOCKETS,
    product=f"{_PRODUCT}'s sockets",
    recognise=_sockets,
    unrecognised=_UNRECOGNISED,
    terminator=Terminator.CRLF,
    terminators=(Terminator.CR, Terminator.LF),
    driver=partial(RawSocketMqtt, make_socket=SelectedSocket),
    to_known_state=_to_known_state,
    socket=SelectedSocket,
    http=partial(SocketHttp, make_socket=SelectedSocket),
)
"""Serial LTE Modem, by its sockets."""
