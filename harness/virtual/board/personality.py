"""What kind of board a virtual board is: chip, modem firmware, and the habits that differ between them.

Sources: "nRF9160 AT Commands" and "nRF91x1 AT Commands" references (identity commands, availability of commands),
release notes of the modem firmware, Serial Modem.
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


class AttestationForm(StrEnum):
    """What the device identity key signs of an attestation token (its COSE_Sign1 carries no payload).

    Verified for nRF9160: the first. What nRF91x1 signs is not published: whoever verifies a token must take all.
    """

    AAD = "aad"  # external_aad: the body; payload: null
    DETACHED = "detached"  # external_aad: empty; payload: the body (RFC 9052, detached content)
    BOTH = "both"  # the body in both places


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
    csr_with_null: bool = False
    """The CSR's signatureAlgorithm has NULL parameters: nRF9160, and nRF91x1 before its later 2.0.x."""
    external_aad: ExternalAad = ExternalAad.EMPTY
    attestation: AttestationForm = AttestationForm.AAD
    nrf91x1: bool = True
    """Knows asset encryption keys (type 13), the developer sec_tags, and %MDMEV=2."""
    jwt_key_types: tuple[int, ...] = (2,)
    """Credential types whose key can sign a JWT, besides the device identity key."""
    unsupported: frozenset[str] = frozenset()
    """Commands that this firmware does not know, e.g. ``%KEYGEN``."""
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

NRF9161_MFW_2_0_0: Final = Personality(
    name="nrf9161",
    chip="nRF9161",
    model="nRF9161-LACA",
    firmware="mfw_nrf91x1_2.0.0",
    hwversion="nRF9161 LACA ADA",
    device_type=4,
    modem_uuid="00000200-7669-4272-8074-6d6f64656d66",
    pem_checked=False,
    csr_with_null=True,
    unsupported=frozenset({"%CERTEXPIRY"}),  # "newer nRF91x1"; from which version on is not known
)

NRF9160_MFW_1_3_5: Final = Personality(
    name="nrf9160",
    chip="nRF9160",
    model="nRF9160-SICA",
    firmware="mfw_nrf9160_1.3.5",
    hwversion="nRF9160 SICA B1A",
    device_type=3,
    modem_uuid="00000135-7669-4272-8074-6d6f64656d66",
    pem_checked=False,
    csr_with_null=True,
    external_aad=ExternalAad.BODY,
    nrf91x1=False,
    jwt_key_types=(2, 8),
    unsupported=frozenset({"%DEVICEUUID", "%FEACONF", "%CERTEXPIRY"}),
)

NRF9160_MFW_1_2_7: Final = replace(
    NRF9160_MFW_1_3_5,
    name="nrf9160-1.2",
    firmware="mfw_nrf9160_1.2.7",
    modem_uuid="00000127-7669-4272-8074-6d6f64656d66",
    unsupported=NRF9160_MFW_1_3_5.unsupported | {"%KEYGEN", "%ATTESTTOKEN", "%JWT", "%XFACTORYRESET"},
)

MUTE: Final = replace(NRF9151_MFW_2_0_2, name="mute", uart=Uart.MUTE)
GARBAGE: Final = replace(NRF9151_MFW_2_0_2, name="garbage", uart=Uart.GARBAGE)

PERSONALITIES: Final = {
    each.name: each
    for each in (NRF9160_MFW_1_3_5, NRF9160_MFW_1_2_7, NRF9161_MFW_2_0_0, NRF9151_MFW_2_0_2, MUTE, GARBAGE)
}
"""By the name of the model in the settings."""
