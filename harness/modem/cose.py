"""COSE_Sign1 as the modem signs with its device identity key (RFC 9052 §4.2, §4.4; ES256 of RFC 9053 §2.1)."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from harness.modem.es256 import SIGNATURE_SIZE, verified

_TAG_SIGN1 = 18
_PROTECTED_ES256 = bytes.fromhex("a10126")  # {1: -7}
_KEY_ID = 4
_IDENTITY_KEY = b"\x21"  # CBOR -2: the device identity key


def decode_base64url(text: str) -> bytes:
    """Return the bytes behind base64url without padding, as the modem prints its tokens. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decode_cbor(data: bytes) -> Any:
    """Return the one CBOR item that fills ``data``. Raises ValueError.

    Containers inside a tag come as list and dict from cbor2 5, as tuple and frozendict from cbor2 6.
    """
    stream = io.BytesIO(data)
    try:
        item = cbor2.CBORDecoder(stream).decode()
    except cbor2.CBORDecodeError as error:
        raise ValueError(f"not CBOR: {error}") from error
    if stream.tell() != len(data):
        raise ValueError("bytes after the CBOR item")
    return item


@dataclass(frozen=True)
class CoseSign1:
    """A signature by the device identity key. ``payload``: None when it is detached; ``signature``: 64 bytes r‖s."""

    payload: bytes | None
    signature: bytes

    @classmethod
    def parse(cls, data: bytes) -> "CoseSign1":
        """Return the COSE_Sign1 in ``data``. Raises ValueError: other frame, algorithm or key."""
        item = decode_cbor(data)
        if not isinstance(item, cbor2.CBORTag) or item.tag != _TAG_SIGN1:
            raise ValueError("not a COSE_Sign1 (CBOR tag 18)")
        if not isinstance(item.value, (list, tuple)) or len(item.value) != 4:
            raise ValueError("not the four parts of a COSE_Sign1")
        protected, unprotected, payload, signature = item.value
        if protected != _PROTECTED_ES256:
            raise ValueError("COSE_Sign1 is not signed with ES256")
        if not isinstance(unprotected, Mapping) or dict(unprotected) != {_KEY_ID: _IDENTITY_KEY}:
            raise ValueError("COSE_Sign1 is not signed with the device identity key")
        if not isinstance(payload, (bytes, type(None))):
            raise ValueError("COSE_Sign1 payload is not a byte string")
        if not isinstance(signature, bytes) or len(signature) != SIGNATURE_SIZE:
            raise ValueError("COSE_Sign1 signature is not 64 bytes")
        return cls(payload, signature)

    def signed_bytes(self, external_aad: bytes) -> bytes:
        """Return the Sig_structure, the bytes that the signature covers; a detached payload counts as null."""
        return cbor2.dumps(["Signature1", _PROTECTED_ES256, external_aad, self.payload])

    def signed_by(self, key: ec.EllipticCurvePublicKey, *, external_aad: bytes = b"") -> bool:
        """Tell whether ``key`` (P-256) made the signature over the payload and ``external_aad``."""
        return verified(key, self.signed_bytes(external_aad), self.signature)
