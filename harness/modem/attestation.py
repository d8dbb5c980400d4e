"""The token of AT%ATTESTTOKEN: the modem's signed statement of who it is. A board is claimed with it.

Facts: nRF9160 and nRF91x1 AT Commands references, %ATTESTTOKEN; the fields and the signature of early nRF9160 1.3.x
were read from a recorded token. How nRF91x1 signs is UNCONFIRMED, so every plausible Sig_structure is accepted.
"""

import re
import uuid
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric import ec

from harness.at import LOST_BYTES, AtFormatError
from harness.errors import Misuse, Party, Refusal
from harness.modem.cose import CoseSign1, decode_base64url, decode_cbor

_ANSWER = re.compile(r'"?([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)"?')
_SAYS_IDENTITY = 1
_CHALLENGE_SIZE = 16
_DEVICE_TYPES = {
    1: "nRF9160 SIAA",
    2: "nRF9160 SIBA",
    3: "nRF9160 SICA",
    4: "nRF9161 LACA",
    5: "nRF9131 LACA",
    6: "nRF9151 LACA",
}
_NEXT = "do not claim with it; ask for another; if it stays so, keep the transcript for Nordic"


class AttestationMismatch(Refusal):
    """The answer of AT%ATTESTTOKEN contradicts itself or the request, or is not such a token."""

    party = Party.MODEM


@dataclass(frozen=True)
class AttestationToken:
    """Who the modem says it is. ``token``: the text for a claim, a secret: whoever holds it can claim the board.

    ``uuid``: of the device; ``fw_uuid``: of the modem firmware's build, as AT%XMODEMUUID; both lower case.
    ``nonce``: 16 bytes, random or the challenge.
    """

    token: str = field(repr=False)
    uuid: str
    device_type: int
    fw_uuid: str
    nonce: bytes
    body: bytes = field(repr=False)
    statement: CoseSign1 = field(repr=False)

    @property
    def model(self) -> str:
        """The device type in words, such as ``nRF9151 LACA``."""
        return _DEVICE_TYPES.get(self.device_type, f"device type {self.device_type}")

    def signed_by(self, identity_key: ec.EllipticCurvePublicKey) -> bool:
        """Tell whether ``identity_key`` (P-256) signed the token, in whichever Sig_structure."""
        with_body = replace(self.statement, payload=self.body)
        return (
            self.statement.signed_by(identity_key, external_aad=self.body)
            or with_body.signed_by(identity_key)
            or with_body.signed_by(identity_key, external_aad=self.body)
        )


def attestation_command(challenge: bytes | None) -> str:
    """Return the AT%ATTESTTOKEN command. Raises Misuse unless the challenge has 16 bytes."""
    if challenge is None:
        return "AT%ATTESTTOKEN"
    if len(challenge) != _CHALLENGE_SIZE:
        raise Misuse(f"expected a challenge of {_CHALLENGE_SIZE} bytes, got {len(challenge)}")
    return f'AT%ATTESTTOKEN="{challenge.hex()}"'


def parse_attestation(
    value: str, *, device_uuid: str | None = None, challenge: bytes | None = None
) -> AttestationToken:
    """Return the token in ``value`` (what follows ``%ATTESTTOKEN: ``, quotes or not).

    ``device_uuid``, ``challenge``: checked when given. Raises AttestationMismatch.
    """
    found = _ANSWER.fullmatch(value.strip())
    if not found:
        raise _unreadable(f"expected two base64url parts with a dot between, got {len(value)} other characters")
    try:
        body, cose = (decode_base64url(part) for part in found.groups())
        statement = CoseSign1.parse(cose)
        token = _identity(body, statement, ".".join(found.groups()))
    except ValueError as error:
        raise _unreadable(f"the token cannot be read ({error})") from error
    if device_uuid is not None and token.uuid != device_uuid.lower():
        raise _mismatch(f"it names the device {token.uuid}, but AT%DEVICEUUID says {device_uuid}")
    if challenge is not None and token.nonce != challenge:
        raise _mismatch("it does not carry the challenge")
    return token


def _identity(body: bytes, statement: CoseSign1, text: str) -> AttestationToken:
    if statement.payload is not None:
        raise ValueError("its signature has a payload of its own")
    fields = decode_cbor(body)
    if not isinstance(fields, list | tuple) or len(fields) != 5:
        raise ValueError("not the five fields of an identity")
    kind, device, device_type, firmware, nonce = fields
    if kind != _SAYS_IDENTITY:
        raise ValueError(f"a statement of type {kind}, not {_SAYS_IDENTITY}")
    if type(device_type) is not int or not all(isinstance(part, bytes) for part in (device, firmware, nonce)):
        raise ValueError("fields of other types")
    if len(nonce) != _CHALLENGE_SIZE:
        raise ValueError(f"a nonce of {len(nonce)} bytes")
    device_uuid, firmware_uuid = (str(uuid.UUID(bytes=part)) for part in (device, firmware))
    return AttestationToken(text, device_uuid, device_type, firmware_uuid, nonce, body, statement)


def _mismatch(what: str) -> AttestationMismatch:
    return AttestationMismatch(f"AT%ATTESTTOKEN: {what}: {_NEXT}")


def _unreadable(what: str) -> AtFormatError:
    return AtFormatError(f"AT%ATTESTTOKEN: {what}: {LOST_BYTES}")
