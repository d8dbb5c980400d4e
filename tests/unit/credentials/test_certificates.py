import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.credentials import LabCa
from harness.errors import Misuse


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return LabCa.load_or_create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def key():
    return ec.generate_private_key(ec.SECP256R1())


def _csr(key, common_name="from the device"):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())


def test_device_certificate(ca, key):
    pem = ca.issue(_csr(key), device_id="nrf-351358811234567")
    assert pem.startswith("-----BEGIN CERTIFICATE-----\n")
    assert pem.endswith("\n-----END CERTIFICATE-----\n")
    assert pem.count("-----BEGIN") == 1
    assert "\r" not in pem
    certificate = x509.load_pem_x509_certificate(pem.encode())
    authority = x509.load_pem_x509_certificate(ca.certificate_pem.encode())
    certificate.verify_directly_issued_by(authority)
    assert certificate.version is x509.Version.v3
    assert certificate.public_key() == key.public_key()
    assert [(a.oid, a.value) for a in certificate.subject] == [(NameOID.COMMON_NAME, "nrf-351358811234567")]
    extensions = certificate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=False, path_length=None)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert not usage.crl_sign
    own = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert own == x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == issuer.digest
    assert timedelta(minutes=4) < datetime.now(UTC) - certificate.not_valid_before_utc < timedelta(minutes=6)


def test_validity_is_as_asked_and_ends_with_the_ca(ca, key):
    authority = x509.load_pem_x509_certificate(ca.certificate_pem.encode())
    short = x509.load_pem_x509_certificate(ca.issue(_csr(key), device_id="a", days=1).encode())
    assert timedelta(hours=23) < short.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=1)
    long = x509.load_pem_x509_certificate(ca.issue(_csr(key), device_id="a", days=9999).encode())
    assert long.not_valid_after_utc == authority.not_valid_after_utc
    assert long.not_valid_before_utc >= authority.not_valid_before_utc
    with pytest.raises(Misuse, match="0 days"):
        ca.issue(_csr(key), device_id="a", days=0)


def test_serial_numbers_differ(ca, key):
    serials = {
        x509.load_pem_x509_certificate(ca.issue(_csr(key), device_id="a").encode()).serial_number for _ in range(20)
    }
    assert len(serials) == 20
    assert all(serial.bit_length() <= 159 for serial in serials)


def test_openssl_accepts_the_chain_strictly(ca, key, tmp_path):
    (tmp_path / "ca.pem").write_text(ca.certificate_pem)
    (tmp_path / "board.pem").write_text(ca.issue(_csr(key), device_id="board"))
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "ca.pem", "board.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "board.pem: OK\n"), done.stderr


def test_python_strict_tls_trusts_the_ca(ca):
    context = ssl.create_default_context(cadata=ca.certificate_pem)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    assert [entry["subject"] for entry in context.get_ca_certs()] == [
        entry["issuer"] for entry in context.get_ca_certs()
    ]


@pytest.mark.parametrize("device_id", ["a", "A:b_c-9", "50503642-3239-4f86-80c4-06122e299623", "x" * 64])
def test_device_ids_that_nrf_cloud_takes(ca, key, device_id):
    certificate = x509.load_pem_x509_certificate(ca.issue(_csr(key), device_id=device_id).encode())
    assert certificate.subject.rfc4514_string() == f"CN={device_id}"


@pytest.mark.parametrize("device_id", ["", "a b", "a/b", "nrf-1\n", "å", "a+", "#", "x" * 65, "a,CN=b"])
def test_other_device_ids_are_misuse(ca, key, device_id):
    with pytest.raises(Misuse, match="device id") as caught:
        ca.issue(_csr(key), device_id=device_id)
    assert "\n" not in str(caught.value)


def test_a_key_that_the_modem_cannot_have_is_misuse(ca):
    with pytest.raises(Misuse, match="P-256"):
        ca.issue(_csr(ec.generate_private_key(ec.SECP384R1())), device_id="a")


def test_a_csr_that_was_tampered_with_is_misuse(ca, key):
    from cryptography.hazmat.primitives.serialization import Encoding

    der = _csr(key, "honest-name").public_bytes(Encoding.DER)
    forged = x509.load_der_x509_csr(der.replace(b"honest-name", b"devious-one"))
    with pytest.raises(Misuse, match="signature"):
        ca.issue(forged, device_id="a")
