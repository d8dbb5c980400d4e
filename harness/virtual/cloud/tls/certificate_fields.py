"""The values of a certificate that policies may ask for, by the names of AWS IoT's X.509 certificate policy variables.

Names from "AWS IoT Core Developer Guide, X.509 certificate policy variables". UNCONFIRMED, because no page shows a
value: the serial number as lower-case hex digits, and a DirectoryName as RFC 4514 writes it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

_DISTINGUISHED: Final = {
    NameOID.DN_QUALIFIER: "DistinguishedNameQualifier",
    NameOID.COUNTRY_NAME: "Country",
    NameOID.ORGANIZATION_NAME: "Organization",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OrganizationalUnit",
    NameOID.STATE_OR_PROVINCE_NAME: "State",
    NameOID.COMMON_NAME: "CommonName",
    NameOID.SERIAL_NUMBER: "SerialNumber",
    NameOID.TITLE: "Title",
    NameOID.SURNAME: "Surname",
    NameOID.GIVEN_NAME: "GivenName",
    NameOID.INITIALS: "Initials",
    NameOID.PSEUDONYM: "Pseudonym",
    NameOID.GENERATION_QUALIFIER: "GenerationQualifier",
}


@lru_cache(maxsize=64)
def certificate_fields(der: bytes) -> Mapping[str, tuple[str, ...]]:
    """Return the values by name without ``iot:Certificate.``, in the certificate's order; see ``Principal``.

    A field that cannot be read has no values, because a client may present anything that OpenSSL accepts.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        return {}
    found: dict[str, tuple[str, ...]] = {"SerialNumber": (f"{certificate.serial_number:x}",)}
    for part in (_subject, _issuer, _alternatives):
        try:
            values = list(part(certificate))
        except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            continue
        for name, value in values:
            found[name] = (*found.get(name, ()), value)
    return found


def _subject(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    return ((f"Subject.{name}", value) for name, value in _distinguished(certificate.subject))


def _issuer(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    return ((f"Issuer.{name}", value) for name, value in _distinguished(certificate.issuer))


def _alternatives(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    for extension in certificate.extensions:
        match extension.value:
            case x509.SubjectAlternativeName() as names:
                yield from ((f"Subject.AlternativeName.{name}", value) for name, value in _alternative(names))
            case x509.IssuerAlternativeName() as names:
                yield from ((f"Issuer.AlternativeName.{name}", value) for name, value in _alternative(names))


def _distinguished(name: x509.Name) -> Iterator[tuple[str, str]]:
    for attribute in name:
        if attribute.oid in _DISTINGUISHED and isinstance(attribute.value, str):
            yield _DISTINGUISHED[attribute.oid], attribute.value


def _alternative(names: Iterable[x509.GeneralName]) -> Iterator[tuple[str, str]]:
    for name in names:
        match name:
            case x509.RFC822Name():
                yield "RFC822Name", name.value
            case x509.DNSName():
                yield "DNSName", name.value
            case x509.DirectoryName():
                yield "DirectoryName", name.value.rfc4514_string()
            case x509.UniformResourceIdentifier():
                yield "UniformResourceIdentifier", name.value
            case x509.IPAddress():
                yield "IPAddress", str(name.value)
