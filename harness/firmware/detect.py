"""Finds out which product answers on a port, as the boards file claims or not."""

from collections.abc import Callable
from typing import Final

from harness.at import AtError, AtPort, FramedUrc
from harness.errors import LabError, Misuse
from harness.firmware import serial_modem
from harness.firmware.interface import MqttFirmware

SERIAL_MODEM: Final = "serial-modem"


class WrongFirmware(LabError):
    """The board runs another firmware than the boards file says."""


def framed_urcs(firmware: str) -> dict[str, FramedUrc]:
    """Return the counted payloads that ``firmware`` (a name of the boards file) sends. Misuse: unknown name."""
    if firmware not in _OPENERS:
        raise Misuse(f"firmware {firmware!r} is not known; known: {', '.join(sorted(_OPENERS))}")
    return dict(serial_modem.FRAMED)


def open_firmware(port: AtPort, firmware: str) -> MqttFirmware:
    """Return the driver for ``firmware`` after asking the board. Raises WrongFirmware when the board is another."""
    framed_urcs(firmware)
    return _OPENERS[firmware](port)


def _open_serial_modem(port: AtPort) -> MqttFirmware:
    # Serial Modem from 0.2 on knows only the first command, the Serial LTE Modem only the second. The fields differ:
    # own version and SDK version, against SDK version and modem library version.
    for command, product in (("AT#XSMVER", "Serial Modem"), ("AT#XSLMVER", "Serial LTE Modem of NCS")):
        try:
            answer = port.command(command)
        except AtError:
            continue
        version = answer.value(command[2:]).split(",")[0].strip('"')
        return serial_modem.SerialModem(port, product=f"{product} {version}")
    raise WrongFirmware(
        f"{port.name}: neither AT#XSMVER nor AT#XSLMVER is known to the board: it does not run Serial Modem; "
        "flash it, or correct 'firmware' in the boards file"
    )


_OPENERS: dict[str, Callable[[AtPort], MqttFirmware]] = {SERIAL_MODEM: _open_serial_modem}
