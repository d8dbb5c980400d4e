"""The Serial LTE Modem (SLM) of nRF Connect SDK up to 3.1, the predecessor of Serial Modem.

Source: nRF Connect SDK 3.1, Serial LTE Modem documentation. Its MQTT commands are Serial Modem's; its commands end with
CR LF, its sockets are selected, and its URCs may fall anywhere. Where its sockets cannot tell of themselves (no
``#XAPOLL``: older than SDK 3.1), its TCP client carries what goes through the board.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from harness.at import AtError, AtPort, Terminator
from harness.firmware.bridge import SelectedSocket, TcpClientSocket
from harness.firmware.http import BoardHttp, SlmHttp, SocketHttp
from harness.firmware.interface import Capability, Firmware, MqttDriver
from harness.firmware.kind import FirmwareKind
from harness.firmware.raw_sockets import RAW_SOCKETS
from harness.firmware.raw_sockets.driver import RawSocketMqtt
from harness.firmware.serial_modem import SERIAL_MODEM
from harness.firmware.serial_modem.known_state import to_known_state
from harness.settings import FirmwareName
from harness.timeline import Kind

_PRODUCT: Final = "Serial LTE Modem"
_UNRECOGNISED: Final = "AT#XSLMVER is not known to the board: it does not run the Serial LTE Modem"
_SOCKETS: Final = {Capability.POLLED_SOCKETS: SelectedSocket, Capability.TCP_CLIENT: TcpClientSocket}
_TELLING: Final = frozenset({Capability.POLLED_SOCKETS})


def recognise(port: AtPort) -> Firmware | None:
    """Return the Serial LTE Modem with the version of its SDK, None when the board is something else."""
    found = SERIAL_MODEM.recognise(port)
    if found is None or not found.product.startswith(_PRODUCT):
        return None
    return _as_it_tells(port, replace(found, capabilities=found.capabilities | {Capability.TCP_CLIENT}))


def _as_it_tells(port: AtPort, found: Firmware) -> Firmware:
    """Return ``found`` without what a firmware lacks whose sockets tell nothing."""
    return found if _tells(port) else replace(found, capabilities=found.capabilities - _TELLING)


def _tells(port: AtPort) -> bool:
    try:
        port.command("AT#XAPOLL=?")
    except AtError:
        return False
    return True


def _by_sockets(port: AtPort) -> Firmware | None:
    found = recognise(port)
    if found is None:
        return None
    capabilities = RAW_SOCKETS.capabilities | {Capability.TCP_CLIENT}
    if Capability.POLLED_SOCKETS not in found.capabilities:
        capabilities -= _TELLING
    product = found.product.replace(_PRODUCT, f"sockets of {_PRODUCT}")
    return replace(found, product=product, capabilities=capabilities, longest_topic=None)


def _by_tcp_client(port: AtPort) -> Firmware | None:
    found = _by_sockets(port)
    if found is None:
        return None
    product = found.product.replace("sockets", "TCP client")
    return replace(found, product=product, capabilities=found.capabilities - _TELLING)


def _driver(port: AtPort, firmware: Firmware) -> MqttDriver:
    return RawSocketMqtt(port, firmware, SLM_SOCKETS.socket(firmware) or TcpClientSocket)


def _http(port: AtPort) -> BoardHttp:
    return SocketHttp(port, make_socket=SelectedSocket) if _tells(port) else SlmHttp(port)


def _to_known_state(port: AtPort) -> None:
    """Also end the TCP and HTTP clients, which have a connection of their own. Raises as Serial Modem's."""
    with suppress(AtError):
        port.command("AT#XAPOLL=0")
    _close_tcp_client(port)
    with suppress(AtError):
        port.command("AT#XHTTPCCON=0")
    to_known_state(port)


def _close_tcp_client(port: AtPort) -> None:
    """Close it also where its connection is over: only then it connects again."""
    with suppress(AtError):
        if not port.command("AT#XTCPCLI?").value("#XTCPCLI").startswith("-"):
            port.timeline.add(Kind.STEP, port.name, "an earlier user left the TCP client connected: it is closed")
    with suppress(AtError):
        port.command("AT#XTCPCLI=0", timeout=15.0)


SLM: Final = replace(
    SERIAL_MODEM,
    name=FirmwareName.SLM,
    product=_PRODUCT,
    recognise=recognise,
    unrecognised=_UNRECOGNISED,
    terminator=Terminator.CRLF,
    terminators=(Terminator.CR, Terminator.LF),
    to_known_state=_to_known_state,
    capabilities=SERIAL_MODEM.capabilities | {Capability.TCP_CLIENT},
    sockets=_SOCKETS,
    http=SlmHttp,
)
"""Serial LTE Modem, by its MQTT commands."""

SLM_SOCKETS: Final[FirmwareKind] = replace(
    RAW_SOCKETS,
    name=FirmwareName.SLM_SOCKETS,
    product=f"{_PRODUCT}'s sockets",
    recognise=_by_sockets,
    unrecognised=_UNRECOGNISED,
    terminator=Terminator.CRLF,
    terminators=(Terminator.CR, Terminator.LF),
    driver=_driver,
    to_known_state=_to_known_state,
    capabilities=RAW_SOCKETS.capabilities | {Capability.TCP_CLIENT},
    sockets=_SOCKETS,
    http=_http,
)
"""Serial LTE Modem, by its sockets."""

SLM_TCP_CLIENT: Final[FirmwareKind] = replace(
    SLM_SOCKETS,
    name=FirmwareName.SLM_TCP_CLIENT,
    product=f"{_PRODUCT}'s TCP client",
    recognise=_by_tcp_client,
    capabilities=SLM_SOCKETS.capabilities - _TELLING,
    http=SlmHttp,
)
"""Serial LTE Modem, by its TCP client."""
