"""Uploads: the documented forms are taken, everything else is refused with its reason."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.registry.onboarding import (
    InvalidUpload,
    check_row,
    load_certificate,
    load_public_key,
    parse_csv,
    parse_key_csv,
)

from .cloud_makers import certificate_pem, public_key_pem, rsa_certificate_pem

PEM = certificate_pem("d1")


def row(device_id: str = "d1", middle: str = ",t1|t2,APP|MODEM", pem: str = PEM) -> str:
    return f'{device_id},{middle},"{pem}"\n'


def test_the_row_that_nrf_cloud_utils_sends():
    (parsed,) = parse_csv(row().encode())
    assert (parsed.device_id, parsed.sub_type, parsed.pem) == ("d1", "", PEM)
    assert (parsed.tags, parsed.firmware_types) == (("t1", "t2"), ("APP", "MODEM"))


def test_base64_of_the_csv_is_the_same():
    body = (row() + row("d2", "gateway,,")).encode()
    assert parse_csv(base64.b64encode(body)) == parse_csv(body)
    assert [parsed.tags for parsed in parse_csv(body)] == [("t1", "t2"), ()]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the CSV has no row"),
        (b"!!!", "neither CSV nor base64"),
        (b"\xff,", "not UTF-8"),
        (b"d1,,,\n", r"\[0\]: 4 columns instead of 5"),
        ((row() + "\n" + row("d2")).encode(), r"\[1\]: 0 columns instead of 5 \(or a blank line\)"),
        (b'd1,,,,"unfinished', "malformed CSV"),
        (row("d 1").encode(), r"\[0\]: device ID 'd 1' does not match"),
        (row("d" * 129).encode(), "does not match"),
        (row(middle="sub type,,").encode(), "subType does not match"),
        (row(middle=",a b,").encode(), "tag 'a b' does not match"),
        (row(middle=",a||b,").encode(), "tag '' does not match"),
        (row(middle=",,APPS").encode(), "firmware type 'APPS' is none of APP, MODEM"),
        (row(pem=PEM.rstrip()).encode(), "exactly one PEM block"),
        (row(pem=PEM + PEM).encode(), "exactly one PEM block"),
        ((row() + row("d2", pem="x")).encode(), r"\[1\]: the certificate must be exactly one PEM block"),
        (b"d,,,,x\n" * 1001, "1001 rows; at most 1000"),
    ],
)
def test_refused_csv(body, reason):
    with pytest.raises(InvalidUpload, match=reason):
        parse_csv(body)


def test_a_thousand_rows_are_taken():
    assert len(parse_csv(("".join(row(f"d{number}") for number in range(1000))).encode())) == 1000


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
def test_any_newline_is_taken_in_a_pem(newline):
    row = check_row("d1", "", (), (), PEM.replace("\n", newline))
    assert load_certificate(row.pem).pem == PEM


def test_a_bare_public_key_makes_no_certificate():
    assert load_certificate(public_key_pem()) is None


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (rsa_certificate_pem("d1"), "must be an EC key on P-256"),
        (PEM.replace("MII", "AII", 1), "cannot be read"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "cannot be read"),
    ],
)
def test_refused_certificates(pem, reason):
    with pytest.raises(InvalidUpload, match=reason):
        load_certificate(pem)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_with_a_reason(body):
    with pytest.raises(InvalidUpload, match=r"\w"):
        parse_csv(body)


# keys


def test_rows_of_certificates_and_of_public_keys():
    key = public_key_pem()
    body = f'd1,"{key}"\nd2,"{key}"\n'.encode()
    assert [(row.device_id, row.pem) for row in parse_key_csv(body, "PUBLIC KEY")] == [("d1", key), ("d2", key)]
    assert parse_key_csv(base64.b64encode(body), "PUBLIC KEY") == parse_key_csv(body, "PUBLIC KEY")
    assert parse_key_csv(f'd1,"{PEM}"\n'.encode(), "CERTIFICATE")[0].pem == PEM


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (f'd1,"{PEM}"\n', "PUBLIC KEY", r"\[0\]: the certificate must be exactly one PEM block, PUBLIC KEY, "),
        (f'd1,"{public_key_pem()}"\n', "CERTIFICATE", "one PEM block, CERTIFICATE, ending"),
        (row(), "CERTIFICATE", r"\[0\]: 5 columns instead of 2"),
        (f'd 1,"{PEM}"\n', "CERTIFICATE", "device ID 'd 1' does not match"),
        (f'd1,"{PEM}"\n' * 1001, "CERTIFICATE", "at most 1000"),
        (f'd1,"{PEM}x"\n', "CERTIFICATE", "exactly one PEM block"),
    ],
)
def test_refused_rows_of_keys(text, kind, reason):
    with pytest.raises(InvalidUpload, match=reason):
        parse_key_csv(text.encode(), kind)


def test_the_key_in_a_certificate_and_one_by_itself():
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert load_public_key(certificate_pem("d1", key=key)) == load_public_key(spki.decode()) == key.public_key()


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()])
def test_keys_on_other_curves(curve):
    key = ec.generate_private_key(curve)
    with pytest.raises(InvalidUpload, match="must be an EC key on P-256"):
        load_public_key(certificate_pem("d1", key=key))
