"""The local CA: what it issues is what strict X.509 verification asks for."""

import ssl
from ipaddress import IPv4Address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.virtual.cloud.tls.ca import LocalCa


def load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_root_is_a_p256_ca():
    root = load(LocalCa().certificate_pem)
    assert isinstance(root.public_key(), ec.EllipticCurvePublicKey)
    assert root.public_key().curve.name == "secp256r1"
    basic = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert basic.value == x509.BasicConstraints(ca=True, path_length=0)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    root.verify_directly_issued_by(root)


def test_server_identity_carries_its_names_and_identifiers():
    ca = LocalCa()
    root = load(ca.certificate_pem)
    leaf = load(ca.issue_server(("localhost", "mqtt.nrfcloud.com"), [IPv4Address("127.0.0.1")]).certificate_pem)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "mqtt.nrfcloud.com"]
    assert names.get_values_for_type(x509.IPAddress) == [IPv4Address("127.0.0.1")]
    leaf.verify_directly_issued_by(root)
    own = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == own.digest
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_client_identity_has_its_common_name_and_a_key_that_fits():
    identity = LocalCa().issue_client("mqtt-team-1")
    leaf = load(identity.certificate_pem)
    assert [name.value for name in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["mqtt-team-1"]
    assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    key = load_pem_private_key(identity.private_key_pem.encode(), None)
    assert key.public_key() == leaf.public_key()


def test_a_jitp_certificate_carries_the_ownership_code():
    ca = LocalCa()
    leaf = load(ca.issue_client("dev-1", dn_qualifier="123456").certificate_pem)
    assert leaf.subject.rfc4514_string() == "2.5.4.46=123456,CN=dev-1"
    assert ca.issued(leaf)
    assert not LocalCa().issued(leaf)  # of the same name
    assert not LocalCa("other").issued(leaf)


def test_the_key_is_in_no_repr():
    assert "PRIVATE" not in repr(LocalCa().issue_client("a"))


@pytest.mark.parametrize("name", ["127.0.0.1", "mqtt.nrfcloud.com"])
def test_a_strict_client_accepts_the_server(name, tmp_path):
    ca = LocalCa()
    identity = ca.issue_server(("mqtt.nrfcloud.com",), [IPv4Address("127.0.0.1")])
    file = tmp_path / "server.pem"
    file.write_text(identity.certificate_pem + identity.private_key_pem)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(file)
    client_context = ssl.create_default_context(cadata=ca.certificate_pem)
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    pending = [client, server]
    for _ in range(10):
        for side in list(pending):
            try:
                side.do_handshake()
                pending.remove(side)
            except ssl.SSLWantReadError:
                continue
    assert not pending
    peer: Any = client.getpeercert()
    assert ("commonName", "mqtt.nrfcloud.com") in [field[0] for field in peer["subject"]]


def test_a_root_is_the_same_after_it_was_written_down():
    ca = LocalCa("my root")
    again = LocalCa(pem=ca.private_pem)
    assert again.certificate_pem == ca.certificate_pem
    load(again.issue_client("dev-1").certificate_pem).verify_directly_issued_by(load(ca.certificate_pem))


@pytest.mark.parametrize(
    "pem",
    [
        "",
        LocalCa().certificate_pem,
        LocalCa().certificate_pem + LocalCa().issue_client("x").private_key_pem,
        LocalCa().private_pem.replace("MI", "AI"),
    ],
)
def test_a_root_that_was_written_down_wrong(pem):
    with pytest.raises(ValueError, match=r"\w"):
        LocalCa(pem=pem)
