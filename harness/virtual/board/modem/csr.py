"""The CSR that the modem makes.

Sources: "nRF91x1 AT Commands" reference, %KEYGEN (attributes, key usage); RFC 2986 (CSR), RFC 5280 §4.2.1.3 (key
usage); published output of boards (which bytes older firmware writes).
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID, ObjectIdentifier

_ATTRIBUTES: Final[dict[str, ObjectIdentifier]] = {
    "CN": NameOID.COMMON_NAME,
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
}
_SEQUENCE, _BIT_STRING = 0x30, 0x03
_ECDSA_WITH_SHA256_AND_NULL: Final = bytes.fromhex("06082a8648ce3d0403020500")


def subject_name(attributes: str) -> x509.Name:
    """Return the subject that ``CN=x,O=y`` stands for. Raises ValueError for an unknown attribute or value."""
    names = []
    for part in attributes.split(","):
        key, _, value = part.strip().partition("=")
        oid = _ATTRIBUTES.get(key.upper())
        if oid is None:
            raise ValueError(f"{key!r} is not an attribute")
        names.append(x509.NameAttribute(oid, value))  # refuses what is empty, too long, or no country
    return x509.Name(names)


def make_csr(key: ec.EllipticCurvePrivateKey, subject: x509.Name, usage: str, *, with_null: bool) -> bytes:
    """Return the DER. ``usage``: bits in the order of X.509 KeyUsage. ``with_null``: as older firmware encodes it.

    ``key``: signs it, and is the one that it is about. ``subject``: the name in it.
    """
    extension = x509.UnrecognizedExtension(ExtensionOID.KEY_USAGE, _bit_list(usage))
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject).add_extension(extension, critical=False)
    csr = builder.sign(key, hashes.SHA256())
    if not with_null:
        return csr.public_bytes(serialization.Encoding.DER)
    algorithm = _der(_SEQUENCE, _ECDSA_WITH_SHA256_AND_NULL)
    return _der(_SEQUENCE, csr.tbs_certrequest_bytes + algorithm + _der(_BIT_STRING, b"\0" + csr.signature))


def _bit_list(bits: str) -> bytes:
    """DER of a named bit list: zeros at the end are left out."""
    bits = bits.rstrip("0")
    unused = -len(bits) % 8
    content = int(bits + "0" * unused or "0", 2).to_bytes((len(bits) + 7) // 8, "big")
    return _der(_BIT_STRING, bytes([unused]) + content)


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
