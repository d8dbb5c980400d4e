"""What kind of board a virtual board is: chip, modem firmware, and the habits that differ between them.

Sources: "nRF91x1 AT Commands" reference (identity commands), release notes of the modem firmware, Serial Modem.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Uart(StrEnum):
    """What the UART does with what it receives."""

    ALIVE = "alive"  # an AT server
    MUTE = "mute"  # never answers: wrong firmware, held in reset, TX wire loose
    GARBAGE = "garbage"  # answers bytes that make no sense: the wrong baud rate


class ExternalAad(StrEnum):
    """What the device identity key signs besides the payload of a COSE_Sign1 (``external_aad``)."""

    EMPTY = "empty"  # nRF91x1
    BODY = "body"  # nRF9160, early 1.3.x


@dataclass(frozen=True)
class Personality:
    """One kind of board. Frozen: what changes at run time lives in the board."""

    name: str
    chip: str
    """As a JWT and HWVERSION call it, e.g. ``nRF9151``."""
    model: str
    firmware: str
    hwversion: str
    device_type: int
    """Number of the chip in an attestation token (6: nRF9151 LACA)."""
    modem_uuid: str
    """UUID of the modem firmware build: the same on all boards that run it."""
    svn: str = "02"
    uart: Uart = Uart.ALIVE
    pem_checked: bool = True
    """Certificates (types 0 and 1) must parse as PEM, else CME 527. Since 2.0.2."""
    external_aad: ExternalAad = ExternalAad.EMPTY
    credential_capacity: int = 64 * 1024
    """Bytes of credentials until CME 515. The real size is not documented."""
    banner: bytes = b"Ready\r\n"
    application: str = "1.0.0"
    sdk: str = "3.2.1"

    @property
    def short_version(self) -> str:
        """The firmware's name without ``mfw_``, as ``%SHORTSWVER`` shows it."""
        return self.firmware.removeprefix("mfw_")


NRF9151_MFW_2_0_2: Final = Personality(
    name="nrf9151",
    chip="nRF9151",
    model="nRF9151-LACA",
    firmware="mfw_nrf91x1_2.0.2",
    hwversion="nRF9151 LACA A1A",  # the last part differs between revisions; unconfirmed for this firmware
    device_type=6,
    modem_uuid="00000202-7669-4272-8074-6d6f64656d66",
)

MUTE: Final = replace(NRF9151_MFW_2_0_2, name="mute", uart=Uart.MUTE)
GARBAGE: Final = replace(NRF9151_MFW_2_0_2, name="garbage", uart=Uart.GARBAGE)

PERSONALITIES: Final = {each.name: each for each in (NRF9151_MFW_2_0_2, MUTE, GARBAGE)}
"""By the name that ``python -m harness.virtual --model`` takes."""
