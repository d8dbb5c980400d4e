"""Makes answers of AT%JWT and AT%ATTESTTOKEN as a modem would, so that tests know every key in them."""

import base64
import hashlib
import json
import uuid

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.unit.modem.keygen_maker import DEVICE_UUID, IDENTITY_KEY, join, make_cose, public_key_der

FIRMWARE_UUID = "25c95751-efa4-40d4-8b4a-1dcaab81fac9"
NONCE = bytes(range(16, 32))


def key_id(key: ec.EllipticCurvePrivateKey) -> str:
    return hashlib.sha256(public_key_der(key)).hexdigest()


def make_jwt(
    key: ec.EllipticCurvePrivateKey = IDENTITY_KEY,
    *,
    claims: dict | None = None,
    header: dict | None = None,
    parts: dict[int, str] | None = None,
) -> str:
    """What follows ``%JWT: ``, with its quotes. ``claims``, ``header``: changed members, None to leave one out;
    ``parts``: whole parts replaced after signing."""
    head = {"typ": "JWT", "alg": "ES256", "kid": key_id(key)} | (header or {})
    body = {
        "iss": f"nRF9151.{DEVICE_UUID}",
        "jti": f"nRF9151.{FIRMWARE_UUID}.942d99b903aca2c3dd649b5d612322dc",
        "sub": DEVICE_UUID,
    } | (claims or {})
    texts = [_padded({name: value for name, value in part.items() if value is not None}) for part in (head, body)]
    signed = ".".join(_base64url(text) for text in texts)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    all_parts = [*signed.split("."), _base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))]
    for index, text in (parts or {}).items():
        all_parts[index] = text
    return '"' + ".".join(all_parts) + '"'


def make_attestation(
    *,
    form: str = "body as aad, payload null",
    fields: dict[int, object] | None = None,
    device_uuid: str = DEVICE_UUID,
    nonce: bytes = NONCE,
    cose: bytes | None = None,
) -> str:
    """What follows ``%ATTESTTOKEN: ``, with its quotes. ``form``: what the signature covers; ``fields``: replaced."""
    items: list[object] = [1, uuid.UUID(device_uuid).bytes, 6, uuid.UUID(FIRMWARE_UUID).bytes, nonce]
    for index, value in (fields or {}).items():
        items[index] = value
    body = b"\xd9\xd9\xf7" + cbor2.dumps(items)
    if cose is None:
        aad, payload = {
            "body as aad, payload null": (body, None),
            "payload is body": (b"", body),
            "both": (body, body),
        }[form]
        cose = _without_payload(make_cose(payload, external_aad=aad))
    return join(body, cose)


def _without_payload(cose: bytes) -> bytes:
    protected, unprotected, _, signature = cbor2.loads(cose).value
    return cbor2.dumps(cbor2.CBORTag(18, [protected, dict(unprotected), None, signature]))


def _padded(members: dict) -> bytes:
    text = json.dumps(members, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 3)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
