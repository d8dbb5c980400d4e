"""Certificates of the lab: its CA's own, and those that the CA issues to devices.

Profile: RFC 5280 §4.2.1 with the extensions that strict verification asks for (Python's VERIFY_X509_STRICT among
others): subject and authority key identifiers, critical basicConstraints, keyUsage.
"""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from harness.credentials.device_id import check_device_id
from harness.errors import Misuse

_CLOCK_SKEW = timedelta(minutes=5)
_CA_YEARS = 10


def make_ca_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Return a self-signed CA certificate for ``key``, valid for ten years."""
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # The number keeps the CAs of two labs apart wherever only names are shown.
    name = _name(f"nRF91 lab CA {identifier.digest.hex()[:8]}")
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=365 * _CA_YEARS + _CA_YEARS // 4))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )


def issue_device_certificate(
    csr: x509.CertificateSigningRequest,
    *,
    device_id: str,
    ca_certificate: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    days: int = 3650,
) -> str:
    """Return a device certificate for the CSR's key: one PEM block, LF line ends, final newline.

    ``csr``: the request; its subject is not used. ``device_id``: becomes the CN. ``ca_certificate``, ``ca_key``: of the
    CA that signs. ``days``: of validity; it ends with the CA at the latest.
    Raises Misuse if the CSR's signature is wrong, if its key is not on P-256, or if ``device_id`` cannot name a device.
    """
    check_device_id(device_id)
    key = csr.public_key()
    if not csr.is_signature_valid:
        raise Misuse(f"CSR for {device_id}: its signature does not match its key: make a new CSR")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Misuse(f"CSR for {device_id}: its key is not on P-256, which is all the modem has: make a new key")
    if days < 1:
        raise Misuse(f"certificate for {device_id}: {days} days of validity: at least one is needed")
    now = datetime.now(UTC)
    authority = ca_certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(device_id))
        .issuer_name(ca_certificate.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(min(now + timedelta(days=days), ca_certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
