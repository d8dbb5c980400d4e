"""Who a modem is: AT+CGSN, AT+CGMI, AT+CGMM, AT+CGMR, AT%HWVERSION, AT%DEVICEUUID (nRF91x1 AT Commands reference)."""

import re
from dataclasses import dataclass

from harness.at import LOST_BYTES, Answer, AtError, AtFormatError, AtPort, ask

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
        manufacturer=ask(port, "AT+CGMI", lambda answer: answer.text),
        model=ask(port, "AT+CGMM", lambda answer: answer.text),
        firmware=read_firmware(port),
        hardware=_optional(port, "%HWVERSION"),
    )


def read_imei(port: AtPort) -> str:
    """Return the IMEI, 15 digits. Raises AtError when none is programmed."""
    return ask(port, "AT+CGSN=1", _imei)


def _imei(answer: Answer) -> str:
    imei = answer.value("+CGSN")
    found = _IMEI.fullmatch(imei)
    if not found:
        raise AtFormatError(
            f"AT+CGSN=1: {imei} is not a quoted IMEI of 15 digits: check that this port leads to a modem; {LOST_BYTES}"
        )
    return found[1]


def read_firmware(port: AtPort) -> str:
    """Return the modem firmware's version, such as ``mfw_nrf91x1_2.0.2``."""
    return ask(port, "AT+CGMR", lambda answer: answer.text)


def read_device_uuid(port: AtPort) -> str | None:
    """Return the hardware UUID in lower case, the one inside AT%KEYGEN answers too; None on nRF9160."""
    uuid = _optional(port, "%DEVICEUUID")
    return uuid.lower() if uuid is not None else None


def _optional(port: AtPort, name: str) -> str | None:
    try:
        return ask(port, f"AT{name}", lambda answer: answer.value(name))
    except AtError:
        return None
