"""Certificate and key files as people have them."""

import base64
import codecs
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from harness.credentials.people_files import as_pem, check_p256, read_ca_file, read_certificate_file, read_key_file
from harness.errors import Misuse

BOM_FILE = Path(__file__).parents[2] / "data" / "certificates" / "root-ca-bom.pem"
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(name="a CA", *, ca=True, ends=timedelta(days=2), key=KEY):
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def key_pem(key=KEY, form=PrivateFormat.PKCS8, password=None):
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption).decode()


CA = certificate()
PEM = as_pem([CA])
DER = CA.public_bytes(Encoding.DER)
BODY = "".join(PEM.splitlines()[1:-1])


@pytest.mark.parametrize(
    "content",
    [
        PEM,
        PEM.replace("\n", "\r\n"),
        PEM.rstrip(),
        "\ufeff" + PEM,
        codecs.BOM_UTF16_LE + PEM.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + PEM.encode("utf-16-be"),
        PEM.encode("utf-16-le"),
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\\r\\n"),
        f"-----BEGIN CERTIFICATE-----{BODY}-----END CERTIFICATE-----",
        f"-----BEGIN CERTIFICATE-----\n{BODY}\n-----END CERTIFICATE-----\n",
        "\n".join(f"  {line}" for line in PEM.splitlines()),
        f"Certificate:\n    Data:\n        Version: 3 (0x2)\n{PEM}",
        f"# Grüße\nsubject=CN=a CA\n{PEM}# the end",
        f"# Gr\u00fc\u00dfe\n{PEM}".encode("latin-1"),
        DER,
        BODY,
        base64.encodebytes(DER).decode(),
    ],
    ids=range(18),
)
def test_what_is_clear_is_taken(tmp_path, content):
    path = tmp_path / "ca.pem"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert as_pem(read_ca_file(path)) == PEM


def test_a_bundle_with_comments(tmp_path):
    other = certificate("another CA")
    path = tmp_path / "ca.pem"
    path.write_text(f"# first\n{PEM}\n# second: a:b\n\n{as_pem([other])}")
    assert read_ca_file(path) == [CA, other]


def test_a_file_that_an_editor_gave_a_byte_order_mark():
    assert BOM_FILE.read_bytes().startswith(codecs.BOM_UTF8)
    (found,) = read_certificate_file(BOM_FILE)
    assert found.subject.rfc4514_string() == "CN=nRF91 harness local cloud root"


RSA = rsa.generate_private_key(65537, 2048)
ENCRYPTED = key_pem(password=b"secret")
OLD_ENCRYPTED = key_pem(form=PrivateFormat.TraditionalOpenSSL, password=b"secret")


def csr():
    builder = x509.CertificateSigningRequestBuilder().subject_name(CA.subject)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "the file is empty; it must hold a certificate in PEM"),
        ("hello", "it holds no certificate; give one in PEM, which begins with -----BEGIN CERTIFICATE-----"),
        (key_pem(), "a private key, not a certificate; "),
        (ENCRYPTED, "a private key, not a certificate; "),
        (PEM + key_pem(), "a private key beside the certificate; "),
        (
            KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            "a private key in DER, not a certificate",
        ),
        (csr(), "a certificate request; have a CA sign it"),
        (pkcs7.serialize_certificates([CA], Encoding.PEM), "a PKCS #7 bundle; openssl pkcs7 -print_certs -in {} -out"),
        (
            pkcs12.serialize_key_and_certificates(b"x", KEY, CA, None, NoEncryption()),
            "binary, and not a certificate in",
        ),
        (PEM.replace("CERTIFICATE", "TRUSTED CERTIFICATE"), "a certificate in OpenSSL's own form; openssl x509 -in {}"),
        (PEM.replace("CERTIFICATE", "SOMETHING"), "it holds SOMETHING, not a certificate"),
        (PEM[:-20], "CERTIFICATE has no END line; copy the whole file again"),
        (PEM + PEM.replace("MII", "AAA", 1), "certificate 2 of 2 is damaged; copy the file again"),
        (as_pem([certificate("old", ends=timedelta(days=-1))]), "'old': expired on 20"),
        (
            as_pem([CA, certificate("leaf", ca=False)]),
            "certificate 2 of 2, 'leaf': a certificate, but not that of a CA",
        ),
    ],
    ids=range(15),
)
def test_what_it_is_instead_and_how_to_convert_it(tmp_path, content, reason):
    path = tmp_path / "ca.pem"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Misuse) as caught:
        read_ca_file(path)
    assert str(caught.value).startswith(f"{path}: {reason.format(path)}")
    assert "\n" not in str(caught.value)
    assert "<" not in str(caught.value)
    assert BODY[40:80] not in str(caught.value)


PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


@pytest.mark.parametrize(
    "content",
    [
        key_pem(),
        PARAMETERS + key_pem(form=PrivateFormat.TraditionalOpenSSL),
        "\ufeff" + key_pem().replace("\n", "\r\n"),
        f"Bag Attributes\n    localKeyID: 01\n{key_pem()}",
        KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    ],
    ids=range(5),
)
def test_keys_that_are_clear(tmp_path, content):
    path = tmp_path / "key.pem"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert check_p256(read_key_file(path)).private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ENCRYPTED, "the private key has a password; openssl pkey -in {} -out key.pem takes it off"),
        (OLD_ENCRYPTED, "the private key has a password; openssl pkey"),
        (PEM, "not a private key; give one in PEM"),
        (key_pem() * 2, "2 private keys, expected one"),
        (key_pem().replace("M", "A", 1), "the private key is damaged or of an unsupported kind"),
        (b"\x30\x82\x00", "not a private key that can be read"),
    ],
    ids=range(6),
)
def test_what_is_not_a_key_and_nothing_of_it_is_said(tmp_path, content, reason):
    path = tmp_path / "key.pem"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Misuse) as caught:
        read_key_file(path)
    assert str(caught.value).startswith(f"{path}: {reason.format(path)}")
    assert key_pem().splitlines()[1] not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("key", "kind"),
    [(RSA, "RSA, not EC on P-256"), (ec.generate_private_key(ec.SECP384R1()), "EC on secp384r1, not on P-256")],
    ids=["rsa", "p384"],
)
def test_keys_of_another_kind(key, kind):
    with pytest.raises(ValueError, match=f"^the private key is {kind}; openssl ecparam"):
        check_p256(key)


def test_what_openssl_makes_with_parameters(tmp_path):
    path = tmp_path / "key.pem"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", path], check=True)
    assert "EC PARAMETERS" in path.read_text()
    check_p256(read_key_file(path))
