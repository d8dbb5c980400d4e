"""Makers of tokens, good ones and all kinds of bad ones: by hand, because a JWT library refuses to make the latter."""

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HEADER = {"typ": "JWT", "alg": "ES256"}


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def signing_input(header: Any, claims: Any) -> str:
    return f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"


def es256(key: ec.EllipticCurvePrivateKey, content: str) -> bytes:
    r, s = decode_dss_signature(key.sign(content.encode(), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signed(key: ec.EllipticCurvePrivateKey, claims: Any, header: Any = HEADER) -> str:
    """Return a token signed with ES256, whatever its header says."""
    content = signing_input(header, claims)
    return f"{content}.{encode(es256(key, content))}"


def modem_token(key: ec.EllipticCurvePrivateKey, claims: dict[str, Any]) -> str:
    """Return a token as a modem makes it: a key id, and both JSON texts padded with spaces to a multiple of 3 bytes."""
    key_id = hashlib.sha256(key.public_key().public_bytes(*_SPKI_DER)).hexdigest()
    texts = (json.dumps(part, separators=(",", ":")).encode() for part in ({**HEADER, "kid": key_id}, claims))
    content = ".".join(encode(text + b" " * (-len(text) % 3)) for text in texts)
    return f"{content}.{encode(es256(key, content))}"


def unsigned(claims: Any, algorithm: str = "none") -> str:
    return signing_input({"typ": "JWT", "alg": algorithm}, claims) + "."


def hs256(secret: bytes, claims: Any) -> str:
    content = signing_input({"typ": "JWT", "alg": "HS256"}, claims)
    return f"{content}.{encode(hmac.digest(secret, content.encode(), 'sha256'))}"


def rs256(key: rsa.RSAPrivateKey, claims: Any) -> str:
    content = signing_input({"typ": "JWT", "alg": "RS256"}, claims)
    return f"{content}.{encode(key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def tampered(token: str, claims: Any) -> str:
    """Return ``token`` with other claims under its signature."""
    header, _, signature = token.split(".")
    return f"{header}.{encode(json.dumps(claims).encode())}.{signature}"


def padded(key: ec.EllipticCurvePrivateKey, claims: Any) -> str:
    """Return a token whose three parts keep the ``=`` of ordinary base64."""
    content = ".".join(_pad(part) for part in signing_input(HEADER, claims).split("."))
    return f"{content}.{_pad(encode(es256(key, content)))}"


def public_pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def _pad(part: str) -> str:
    return part + "=" * (-len(part) % 4)


_SPKI_DER = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
