"""Who a modem is: AT+CGSN, AT+CGMI, AT+CGMM, AT+CGMR, AT%HWVERSION, AT%DEVICEUUID (nRF91x1 AT Commands reference)."""

import re
from dataclasses import dataclass

from harness.at import AtError, AtFormatError, AtPort

_IMEI = re.compile(r'"(\d{15})"')


@dataclass(frozen=True)
class Identity:
    """``imei``: 15 digits. ``device_uuid``: lower case; None on nRF9160, which has no AT%DEVICEUUID.

    ``model``: such as ``nRF9151-LACA``. ``firmware``: of the modem, such as ``mfw_nrf91x1_2.0.2``. ``hardware``: such
    as ``nRF9161 LACA ADA``, None where the modem does not say.
    """

    imei: str
    device_uuid: str | None
    manufacturer: str
    model: str
    firmware: str
    hardware: str | None


def read_identity(port: AtPort) -> Identity:
    """Ask the modem, in any functional mode. Raises AtError, for example when no IMEI is programmed."""
    return Identity(
        imei=read_imei(port),
        device_uuid=read_device_uuid(port),
        manufacturer=port.command("AT+CGMI").text,
        model=port.command("AT+CGMM").text,
        firmware=read_firmware(port),
        hardware=_optional(port, "%HWVERSION"),
    )


def read_imei(port: AtPort) -> str:
    """Return the IMEI, 15 digits. Raises AtError when none is programmed."""
    imei = port.command("AT+CGSN=1").value("+CGSN")
    found = _IMEI.fullmatch(imei)
    if not found:
        raise AtFormatError(
            f"AT+CGSN=1: {imei} is not a quoted IMEI of 15 digits: check that this port leads to a modem"
        )
    return found[1]


def read_firmware(port: AtPort) -> str:
    """Return the modem firmware's version, such as ``mfw_nrf91x1_2.0.2``."""
    return port.command("AT+CGMR").text


def read_device_uuid(port: AtPort) -> str | None:
    """Return the hardware UUID in lower case, the one inside AT%KEYGEN answers too; None on nRF9160."""
    uuid = _optional(port, "%DEVICEUUID")
    return uuid.lower() if uuid is not None else None


def _optional(port: AtPort, name: str) -> str | None:
    try:
        answer = port.command(f"AT{name}")
    except AtError:
        return None
    return answer.value(name)
