"""The local cloud's certificate authority: its own root, the server's certificate, the team devices' certificates.

Every key is in memory only and ends with the process, except that of a CA whose state is kept (``state_file.py``). The
certificates have the extensions that strict X.509 verification asks for (RFC 5280 §4.2.1: authority and subject key
identifier, basicConstraints critical, keyUsage). Python verifies strictly by default from 3.13 on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_LIFETIME = timedelta(days=3650)
_CLOCK_SKEW = timedelta(days=1)


@dataclass(frozen=True)
class IssuedIdentity:
    """A certificate and its private key, both PEM. The key never appears in a repr."""

    certificate_pem: str
    private_key_pem: str = field(repr=False)


class LocalCa:
    """A root CA (EC P-256): a new one with the common name ``name``, or the one in ``pem``.

    ``pem``: a former :attr:`private_pem`. Raises ValueError for any other text.
    """

    def __init__(self, name: str = "nRF91 harness local cloud root", *, pem: str | None = None) -> None:
        self._key, self._certificate = _make_root(name) if pem is None else _load_root(pem)

    @property
    def private_pem(self) -> str:
        """The root with its private key, PEM: a secret."""
        return self.certificate_pem + _private_pem(self._key)

    @property
    def certificate_pem(self) -> str:
        """The root, PEM: the root CA for boards."""
        return _pem(self._certificate)

    @property
    def certificate_der(self) -> bytes:
        """The root, DER."""
        return self._certificate.public_bytes(serialization.Encoding.DER)

    def issue_server(self, dns_names: Sequence[str], addresses: Iterable[IPv4Address | IPv6Address]) -> IssuedIdentity:
        """Return a server identity for these names and addresses (subject alternative names, RFC 6125)."""
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in dns_names]
        names += [x509.IPAddress(address) for address in addresses]
        extension = x509.SubjectAlternativeName(names)
        return self._issue(dns_names[0], ExtendedKeyUsageOID.SERVER_AUTH, [extension])

    def issue_client(self, common_name: str, *, dn_qualifier: str | None = None) -> IssuedIdentity:
        """Return a client identity whose subject is ``CN=common_name``, with a ``dnQualifier`` if one is given."""
        return self._issue(common_name, ExtendedKeyUsageOID.CLIENT_AUTH, [], dn_qualifier)

    def issued(self, certificate: x509.Certificate) -> bool:
        """Tell whether this CA signed ``certificate``."""
        try:
            certificate.verify_directly_issued_by(self._certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def _issue(
        self,
        common_name: str,
        usage: ObjectIdentifier,
        extensions: Iterable[x509.ExtensionType],
        dn_qualifier: str | None = None,
    ) -> IssuedIdentity:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _common_name(common_name)
        if dn_qualifier is not None:
            subject = x509.Name([*subject, x509.NameAttribute(NameOID.DN_QUALIFIER, dn_qualifier)])
        builder = (
            _builder(subject, self._certificate.subject, key.public_key(), self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return IssuedIdentity(_pem(builder.sign(self._key, hashes.SHA256())), _private_pem(key))


def _make_root(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key, subject = ec.generate_private_key(ec.SECP256R1()), _common_name(name)
    builder = (
        _builder(subject, subject, key.public_key(), key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return key, builder.sign(key, hashes.SHA256())


def _load_root(pem: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = serialization.load_pem_private_key(pem.encode(), None)
    certificate = x509.load_pem_x509_certificate(pem.encode())
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError("the key is not that of the certificate")
    return key, certificate


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, issuer_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])  # RFC 5280 upper bound of a common name


def _private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
