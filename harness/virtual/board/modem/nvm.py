"""What a board keeps without power: who it is, its credentials, and the settings that CFUN=0 saves.

Sources: "nRF91x1 AT Commands" reference (%CMNG, +CFUN storage of settings); ITU-T E.212 and 3GPP TS 23.003 (test
numbers). All identities are made up and recognisable as such: IMEIs of the test range 00..., PLMN 00101, device
UUIDs that begin with the ASCII text ``VIRT00``.
"""

import hashlib
import uuid
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

from harness.settings.imei import is_imei, luhn_digit

PLMN = "00101"


@dataclass(frozen=True)
class BoardIdentity:
    """Numbers of one board. They never change."""

    imei: str
    imsi: str
    iccid: str
    device_uuid: uuid.UUID


@dataclass(frozen=True)
class Credential:
    """One stored item. ``generated``: made by %KEYGEN (``content`` is then the key's PKCS#8 DER).

    ``password``: what an encrypted private key was written with.
    """

    content: bytes = field(repr=False)
    generated: bool = False
    password: bytes = field(default=b"", repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 as %CMNG lists it: of exactly the stored bytes, upper-case hex."""
        return hashlib.sha256(self.content).hexdigest().upper()


@dataclass(frozen=True)
class StoredSettings:
    """Settings that survive a reset once CFUN=0 has saved them."""

    system_mode: tuple[int, int, int, int] = (1, 0, 1, 0)  # LTE-M, NB-IoT, GNSS, preference
    psm: tuple[int, str, str] = (0, "", "")  # mode, periodic TAU ext, active time
    edrx: tuple[tuple[int, str], ...] = ()  # (access technology, value)
    features: tuple[tuple[int, int], ...] = ((0, 0), (3, 0), (7, 0))  # %FEACONF
    pdn: tuple[str, str] = ("", "")  # type, APN
    bands: str = ""  # permanent mask of %XBANDLOCK, "": none


PIN_TRIES = 3


@dataclass
class Nvm:
    """Non-volatile memory of one board, and of its SIM. A new object is a new board.

    ``pin``: what the SIM asks for at each start, "": nothing. ``pin_tries``: how often it may still be wrong.
    """

    identity: BoardIdentity
    identity_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credentials: dict[tuple[int, int], Credential] = field(default_factory=dict)
    settings: StoredSettings = field(default_factory=StoredSettings)
    pin: str = field(default="", repr=False)
    pin_tries: int = PIN_TRIES


def make_identity(seed: str, *, imei: str | None = None, device_uuid: uuid.UUID | None = None) -> BoardIdentity:
    """Derive a board's numbers from ``seed``: the same seed is the same board in every run.

    ``imei``: 15 digits with a valid check digit; ``ValueError`` otherwise. ``device_uuid``: of the identity that the
    cloud is to know. None: derived as well.
    """
    digest = hashlib.sha256(seed.encode()).digest()
    serial = int.from_bytes(digest[:6], "big")
    if imei is None:
        body = f"00101091{serial % 1_000_000:06d}"
        imei = body + luhn_digit(body)
    elif not is_imei(imei):
        raise ValueError(f"IMEI {imei!r} is not 15 digits with a valid check digit; leave it out to get one")
    return BoardIdentity(
        imei=imei,
        imsi=f"{PLMN}{serial % 10**10:010d}",
        iccid=f"89{PLMN}{serial % 10**12:012d}F",
        device_uuid=device_uuid or _uuid(digest),
    )


def _uuid(digest: bytes) -> uuid.UUID:
    raw = bytearray(b"VIRT00" + digest[6:16])
    raw[6] = 0x40 | raw[6] & 0x0F
    raw[8] = 0x80
    return uuid.UUID(bytes=bytes(raw))
