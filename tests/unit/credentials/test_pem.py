from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.credentials.pem import (
    check_ca,
    check_root_ca,
    check_validity,
    one_certificate,
    read_certificates,
    read_private_key,
)
from harness.errors import Misuse

KEY = ec.generate_private_key(ec.SECP256R1())
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _pem(encryption=None):
    return KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def _certificate(*, start=NOW, end=NOW + timedelta(days=30), ca=True, signs=None):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made here")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if signs is not None:
        usage = x509.KeyUsage(True, False, False, False, False, signs, False, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(KEY, hashes.SHA256())


def test_certificates_come_in_their_order(ca, root_ca):
    both = read_certificates(root_ca + ca.certificate_pem)
    assert [one_certificate(found) for found in both] == [root_ca, ca.certificate_pem]
    assert [one_certificate(found) for found in read_certificates(root_ca.replace("\n", "\r\n"))] == [root_ca]
    assert len(read_certificates(f"\n{root_ca.rstrip()}\n\n{ca.certificate_pem}\n \n")) == 2
    assert len(read_certificates(root_ca.rstrip())) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda pem: "", "no certificate in PEM"),
        (lambda pem: pem[:-10], "no certificate in PEM"),
        (lambda pem: pem.replace("\n", "\\n"), "no certificate in PEM"),
        (lambda pem: _pem(), "no certificate in PEM"),
        (lambda pem: pem + "rubbish", "7 characters that belong to no certificate"),
        (lambda pem: "# my CA\n" + pem, "7 characters"),
        (lambda pem: pem + pem[:40], "characters that belong to no certificate"),
        (lambda pem: pem + _pem(), "a private key beside the certificate"),
        (lambda pem: pem.replace("MII", "AAA", 1), "no readable certificate"),
    ],
)
def test_what_is_more_or_less_than_certificates(root_ca, change, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        read_certificates(change(root_ca))
    assert "\n" not in str(caught.value)


def test_private_keys():
    assert read_private_key(_pem()).private_numbers() == KEY.private_numbers()
    old = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    assert read_private_key(f"\n{old}\n").private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize(
    "change",
    [
        lambda pem: "",
        lambda pem: pem + "rubbish",
        lambda pem: pem * 2,
        lambda pem: pem.replace("M", "A", 1),
        lambda pem: _pem(BestAvailableEncryption(b"password")),
    ],
)
def test_what_is_no_private_key_and_nothing_of_it_is_said(change):
    with pytest.raises(ValueError, match="not a private key in PEM without a password") as caught:
        read_private_key(change(_pem()))
    assert _pem().splitlines()[1] not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW + timedelta(days=31), "expired on 2026-01-31"),
        (NOW - timedelta(minutes=6), "is not valid before 2026-01-01 00:00 UTC, this computer's clock says 2025-12-31"),
        (NOW - timedelta(minutes=4), None),
        (NOW + timedelta(days=30), None),
    ],
)
def test_validity(at, reason):
    if reason is None:
        check_validity(_certificate(), at)
        return
    with pytest.raises(ValueError, match=reason):
        check_validity(_certificate(), at)


@pytest.mark.parametrize(
    ("extensions", "good"),
    [
        ({"ca": True}, True),
        ({"ca": True, "signs": True}, True),
        ({"ca": True, "signs": False}, False),
        ({"ca": False}, False),
        ({"ca": None}, False),
    ],
)
def test_what_is_a_ca(extensions, good):
    if good:
        check_ca(_certificate(**extensions))
        return
    with pytest.raises(ValueError, match="not that of a CA"):
        check_ca(_certificate(**extensions))


def _now_pem(**changes):
    now = datetime.now(UTC)
    span = {"start": now - timedelta(days=2), "end": now + timedelta(days=2)} | changes
    return one_certificate(_certificate(**span))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: _now_pem(ca=False), "not that of a CA"),
        (lambda: _now_pem(end=datetime.now(UTC) - timedelta(days=1)), "expired on 20"),
        (lambda: _now_pem(start=datetime.now(UTC) + timedelta(days=1)), "is not valid before"),
        (lambda: _now_pem() + "rubbish", "belong to no certificate"),
        (lambda: _now_pem() + _now_pem(ca=False), "not that of a CA"),
    ],
)
def test_a_root_ca_that_no_board_should_trust(make, reason):
    check_root_ca(_now_pem())
    with pytest.raises(Misuse, match=f"root CA for the board: .*{reason}") as caught:
        check_root_ca(make())
    assert "\n" not in str(caught.value)
