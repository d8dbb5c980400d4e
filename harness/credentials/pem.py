"""PEM files taken strictly: a modem stores every byte that it gets, and refuses what it cannot read only at the end.

Facts: RFC 7468 §2, §5; RFC 5280 §4.2.1.3, §4.2.1.9.
"""

import re
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from harness.errors import Misuse

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----(?:\r?\n|\Z)")
_KEY = re.compile(r"\s*-----BEGIN ([A-Z ]*)PRIVATE KEY-----\r?\n[^-]+-----END \1PRIVATE KEY-----\s*")
_CLOCK_SKEW = timedelta(minutes=5)


def read_certificates(pem: str) -> list[x509.Certificate]:
    """Return the certificates in ``pem``, which holds nothing else. Raises ValueError with the reason."""
    blocks = _CERTIFICATE.findall(pem)
    rest = _CERTIFICATE.sub("", pem).strip()
    if not blocks:
        raise ValueError("no certificate in PEM")
    if "PRIVATE KEY" in rest:
        raise ValueError("a private key beside the certificate")
    if rest:
        raise ValueError(f"{len(rest)} characters that belong to no certificate")
    try:
        return [x509.load_pem_x509_certificate(block.encode()) for block in blocks]
    except (ValueError, x509.InvalidVersion) as error:
        raise ValueError("a PEM block that holds no readable certificate") from error


def read_private_key(pem: str) -> PrivateKeyTypes:
    """Return the private key in ``pem``, which holds nothing else. Raises ValueError with a reason, never content."""
    if not _KEY.fullmatch(pem):
        raise ValueError("not a private key in PEM without a password, alone in its file")
    try:
        return load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("not a private key in PEM without a password") from None


def one_certificate(certificate: x509.Certificate) -> str:
    """Return ``certificate`` as one PEM block with LF line ends, the only form that nRF Cloud onboards."""
    return certificate.public_bytes(Encoding.PEM).decode()


def check_validity(certificate: x509.Certificate, now: datetime | None = None) -> None:
    """Raise ValueError, with the reason, for a certificate that is not valid at ``now``."""
    now = now or datetime.now(UTC)
    if certificate.not_valid_after_utc < now:
        raise ValueError(f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if certificate.not_valid_before_utc > now + _CLOCK_SKEW:
        raise ValueError(
            f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC, this computer's clock says "
            f"{now:%Y-%m-%d %H:%M} UTC"
        )


def check_ca(certificate: x509.Certificate) -> None:
    """Raise ValueError, with the reason, for a certificate that is not that of a CA."""
    extensions = certificate.extensions
    try:
        is_ca = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_ca = False
    try:
        signs = extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        signs = True
    if not is_ca or not signs:
        raise ValueError("a certificate, but not that of a CA")


def check_root_ca(pem: str) -> None:
    """Raise Misuse unless ``pem``, what the board is to trust, holds valid CA certificates and nothing else."""
    try:
        for certificate in read_certificates(pem):
            check_ca(certificate)
            check_validity(certificate)
    except ValueError as error:
        raise Misuse(f"root CA for the board: {error} ({len(pem)} characters): check its file") from error
