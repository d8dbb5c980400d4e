"""Attestation tokens (``AT%ATTESTTOKEN``): their content, and whether a genuine board made them. No I/O.

Facts: "nRF91x1 AT Commands" reference, %ATTESTTOKEN; the encoding as decoded from a published token; RFC 9052 §4.2 and
§4.4 (COSE_Sign1, Sig_structure); RFC 9053 §2.1 (ES256). UNCONFIRMED: what nRF91x1 puts into the Sig_structure, so every
form that has been seen or that RFC 9052 suggests is accepted.

Nordic knows the identity key of every module that it made. A stand-in cannot know them. It trusts the virtual boards of
its own process, and those of ``--trust-identity``, and refuses the token of any other board.
"""

import base64
import binascii
import io
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_FORM = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_SELF_DESCRIBED_CBOR, _COSE_SIGN1 = 55799, 18
_ES256 = bytes.fromhex("a10126")  # {1: -7}
_IDENTITY_KEY = {4: b"\x21"}  # key id: CBOR -2
DEVICE_TYPES: Mapping[int, str] = {
    1: "nRF9160-SIAA",
    2: "nRF9160-SIBA",
    3: "nRF9160-SICA",
    4: "nRF9161-LACA",
    5: "nRF9131-LACA",
    6: "nRF9151-LACA",
}


class InvalidAttestation(Exception):
    """The text is not an attestation token. The message has nothing of the token, which is a secret."""


@dataclass(frozen=True)
class AttestationToken:
    """The content of a token. Nothing of it is proved before :meth:`signed_by`."""

    device_uuid: uuid.UUID
    device_type: int
    firmware_uuid: uuid.UUID
    nonce: bytes = field(repr=False)
    body: bytes = field(repr=False)
    payload: bytes | None = field(repr=False)
    signature: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "AttestationToken":
        """Return the token in ``text``: two base64url parts with a dot between. Raises :class:`InvalidAttestation`."""
        parts = _FORM.fullmatch(text)
        if parts is None:
            raise InvalidAttestation("the token is not two base64url parts with a dot between")
        body, cose = _base64url(parts[1]), _base64url(parts[2])
        fields = _tagged(body, _SELF_DESCRIBED_CBOR, "body", 5)
        signed = _tagged(cose, _COSE_SIGN1, "COSE_Sign1", 4)
        match fields:
            case [1, bytes(device), int(kind), bytes(firmware), bytes(nonce)] if len(device) == len(firmware) == 16:
                pass
            case _:
                raise InvalidAttestation("the token's body is not that of AT%ATTESTTOKEN")
        match signed:
            case [bytes(protected), Mapping() as unprotected, bytes() | None as payload, bytes(signature)]:
                if protected != _ES256 or dict(unprotected) != _IDENTITY_KEY or len(signature) != 64:
                    raise InvalidAttestation("the token is not signed by a device identity key with ES256")
            case _:
                raise InvalidAttestation("the token's second part is not a COSE_Sign1")
        return cls(uuid.UUID(bytes=device), kind, uuid.UUID(bytes=firmware), nonce, body, payload, signature)

    @property
    def device_type_name(self) -> str:
        """The name of the module, e.g. ``nRF9151-LACA``."""
        return DEVICE_TYPES.get(self.device_type, str(self.device_type))

    def signed_by(self, key: ec.EllipticCurvePublicKey) -> bool:
        """Tell whether ``key`` (P-256) made the signature, in any form of the Sig_structure."""
        if self.payload is not None and self.payload != self.body:
            return False
        r, s = int.from_bytes(self.signature[:32], "big"), int.from_bytes(self.signature[32:], "big")
        if not r or not s:
            return False
        signature = encode_dss_signature(r, s)
        return any(_verifies(key, signature, aad, payload) for aad, payload in self._forms())

    def _forms(self) -> tuple[tuple[bytes, bytes | None], ...]:
        """Return external_aad and payload in all forms: that of nRF9160, that of RFC 9052, and both at once."""
        return (self.body, None), (b"", self.body), (self.body, self.body)


class TrustedIdentities:
    """The device identity keys that count as genuine, by device UUID."""

    def __init__(self) -> None:
        self._keys: dict[uuid.UUID, ec.EllipticCurvePublicKey] = {}

    def trust(self, device_uuid: uuid.UUID, key: ec.EllipticCurvePublicKey) -> None:
        """Trust ``key`` as the identity key of the board with this UUID."""
        self._keys[device_uuid] = key

    def find(self, device_uuid: uuid.UUID) -> ec.EllipticCurvePublicKey | None:
        """Return the key of a board, or None if it is not known."""
        return self._keys.get(device_uuid)


def parse_identity(text: str) -> tuple[uuid.UUID, ec.EllipticCurvePublicKey]:
    """Return UUID and key of ``UUID=HEX``; HEX is a P-256 point (X9.62, compressed or not). Raises ValueError."""
    name, _, key = text.partition("=")
    return uuid.UUID(name), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(key))


def _verifies(key: ec.EllipticCurvePublicKey, signature: bytes, aad: bytes, payload: bytes | None) -> bool:
    try:
        key.verify(signature, cbor2.dumps(["Signature1", _ES256, aad, payload]), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _base64url(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise InvalidAttestation("the token is not base64url") from error


def _tagged(data: bytes, tag: int, name: str, length: int) -> list[Any]:
    """Return the array of ``length`` items in ``data``, which has nothing else but ``tag`` around it."""
    stream = io.BytesIO(data)
    try:
        item = cbor2.CBORDecoder(stream).decode()
    except (cbor2.CBORDecodeError, RecursionError) as error:
        raise InvalidAttestation(f"the token's {name} is not CBOR") from error
    # Some versions of cbor2 remove the self-describing tag.
    value = item.value if isinstance(item, cbor2.CBORTag) and item.tag == tag else item
    if stream.tell() != len(data) or not isinstance(value, list | tuple) or len(value) != length:
        raise InvalidAttestation(f"the token's {name} is not an array of {length}")
    return list(value)
