"""What policies see of a certificate."""

from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from harness.policy.documents.variables import CERTIFICATE_FIELDS
from harness.virtual.cloud.tls.certificate_fields import certificate_fields
from tests.unit.virtual.cloud_makers import NOON

KEY = ec.generate_private_key(ec.SECP256R1())


def name(*parts):
    return x509.Name([x509.NameAttribute(getattr(NameOID, kind), value) for kind, value in parts])


def made(subject, issuer, *extensions, serial=0x1F):
    builder = x509.CertificateBuilder(issuer, subject, KEY.public_key(), serial, NOON, NOON)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def test_subject_issuer_and_serial_number():
    subject = name(("COUNTRY_NAME", "NO"), ("ORGANIZATION_NAME", "A"), ("ORGANIZATION_NAME", "B"), ("COMMON_NAME", "d"))
    issuer = name(("STATE_OR_PROVINCE_NAME", "Oslo"), ("COMMON_NAME", "ca"), ("LOCALITY_NAME", "no key of AWS IoT"))
    assert certificate_fields(made(subject, issuer)) == {
        "SerialNumber": ("1f",),
        "Subject.Country": ("NO",),
        "Subject.Organization": ("A", "B"),
        "Subject.CommonName": ("d",),
        "Issuer.State": ("Oslo",),
        "Issuer.CommonName": ("ca",),
    }


def test_alternative_names():
    names = [
        x509.DNSName("a.example"),
        x509.DNSName("b.example"),
        x509.RFC822Name("a@b.example"),
        x509.UniformResourceIdentifier("urn:x"),
        x509.IPAddress(IPv4Address("192.0.2.1")),
        x509.DirectoryName(name(("COMMON_NAME", "c"), ("COUNTRY_NAME", "NO"))),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
    ]
    found = certificate_fields(
        made(name(), name(), x509.SubjectAlternativeName(names), x509.IssuerAlternativeName(names[:1]))
    )
    assert found == {
        "SerialNumber": ("1f",),
        "Subject.AlternativeName.DNSName": ("a.example", "b.example"),
        "Subject.AlternativeName.RFC822Name": ("a@b.example",),
        "Subject.AlternativeName.UniformResourceIdentifier": ("urn:x",),
        "Subject.AlternativeName.IPAddress": ("192.0.2.1",),
        "Subject.AlternativeName.DirectoryName": ("C=NO,CN=c",),
        "Issuer.AlternativeName.DNSName": ("a.example",),
    }


def test_every_name_is_one_that_the_lint_knows():
    kinds = ["DN_QUALIFIER", "COUNTRY_NAME", "ORGANIZATION_NAME", "ORGANIZATIONAL_UNIT_NAME", "STATE_OR_PROVINCE_NAME"]
    kinds += ["COMMON_NAME", "SERIAL_NUMBER", "TITLE", "SURNAME", "GIVEN_NAME", "INITIALS", "PSEUDONYM"]
    everything = name(*((kind, "NO") for kind in [*kinds, "GENERATION_QUALIFIER"]))
    found = certificate_fields(made(everything, everything))
    assert set(found) == {known for known in CERTIFICATE_FIELDS if "Alternative" not in known}


@pytest.mark.parametrize("der", [b"", b"0", b"\x30\x03\x02\x01\x01"])
def test_what_cannot_be_read_has_no_values(der):
    assert certificate_fields(der) == {}


def test_a_part_that_cannot_be_read_leaves_the_others():
    names = x509.UnrecognizedExtension(x509.oid.ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x03\x82\x05a")
    assert certificate_fields(made(name(("COMMON_NAME", "d")), name(), names)) == {
        "SerialNumber": ("1f",),
        "Subject.CommonName": ("d",),
    }


def test_a_subject_that_cannot_be_read():
    """A common name of the wrong ASN.1 type: a BIT STRING in the place of a UTF8String."""
    subject = made(name(("COMMON_NAME", "abc")), name(("COMMON_NAME", "ca")))
    assert subject.count(b"\x0c\x03abc") == 1
    fields = certificate_fields(subject.replace(b"\x0c\x03abc", b"\x03\x03\x00bc"))
    assert fields == {"SerialNumber": ("1f",), "Issuer.CommonName": ("ca",)}
