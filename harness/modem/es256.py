"""Signatures as the modem writes them: ECDSA on P-256 with SHA-256, 64 bytes r‖s (RFC 7518 §3.4, RFC 9053 §2.1)."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

SIGNATURE_SIZE = 64
_HALF = SIGNATURE_SIZE // 2


def verified(key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> bool:
    """Tell whether ``key`` (P-256) made ``signature`` (64 bytes) over ``message``."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
