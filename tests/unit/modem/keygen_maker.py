"""Makes answers of AT%KEYGEN as a modem would, so that tests know every key in them."""

import base64
import hashlib
import uuid

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from harness.modem.der import unmend_csr

DEVICE_UUID = "56495254-3030-4738-800d-1f29e0a0f7bf"
IDENTITY_KEY = ec.derive_private_key(0x5EED, ec.SECP256R1())
_PROTECTED = bytes.fromhex("a10126")


def make_csr(key: ec.EllipticCurvePrivateKey, *, common_name: str = DEVICE_UUID, with_null: bool = False) -> bytes:
    """A CSR in DER; ``with_null``: as older modem firmware writes it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    der = request.public_bytes(Encoding.DER)
    return unmend_csr(der) if with_null else der


def public_key_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def make_cose(payload: bytes | None, *, external_aad: bytes = b"", unprotected: dict | None = None) -> bytes:
    """A COSE_Sign1 signed with IDENTITY_KEY."""
    signed = cbor2.dumps(["Signature1", _PROTECTED, external_aad, payload])
    r, s = decode_dss_signature(IDENTITY_KEY.sign(signed, ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    parts = [_PROTECTED, {4: b"\x21"} if unprotected is None else unprotected, payload, signature]
    return cbor2.dumps(cbor2.CBORTag(18, parts))


def make_keygen(
    sec_tag: int,
    *,
    body: bytes | None = None,
    kind: int = 9,
    device_uuid: str = DEVICE_UUID,
    digest: bytes | None = None,
    common_name: str = DEVICE_UUID,
    with_null: bool = False,
    body_as_aad: bool = False,
) -> str:
    """What follows ``%KEYGEN: ``, with its quotes. Each argument is one thing that a test may want wrong."""
    if body is None:
        body = make_csr(ec.generate_private_key(ec.SECP256R1()), common_name=common_name, with_null=with_null)
    fields = [
        kind,
        uuid.UUID(device_uuid).bytes,
        cbor2.dumps(sec_tag),
        hashlib.sha256(body).digest() if digest is None else digest,
        bytes(range(16)),
    ]
    payload = b"\xd9\xd9\xf7" + cbor2.dumps(fields)
    return join(body, make_cose(payload, external_aad=body if body_as_aad else b""))


def join(body: bytes, cose: bytes) -> str:
    """Both parts as they stand in the answer."""
    return '"' + ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (body, cose)) + '"'
