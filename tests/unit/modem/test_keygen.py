import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from harness.at import AtFormatError
from harness.errors import Refusal
from harness.modem import KeygenMismatch, parse_keygen, parse_keygen_public_key
from harness.modem.der import encode, split, unmend_csr
from tests.unit.modem.keygen_maker import (
    DEVICE_UUID,
    IDENTITY_KEY,
    join,
    make_cose,
    make_csr,
    make_keygen,
    public_key_der,
)
from tests.unit.modem.vectors import BY_ID, KEYGEN_CSR, SIGNED, identity_key, spoken_uuid

_PUBLIC = BY_ID["nordic-keygen-pubkey-tag16"]


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("vector", KEYGEN_CSR, ids=lambda v: v["id"])
def test_recorded_csrs(vector, quote):
    claims = vector["payload_decoded"]
    result = parse_keygen(
        quote + vector["value"] + quote,
        sec_tag=claims["sec_tag"],
        device_uuid=spoken_uuid(vector),
        common_name=spoken_uuid(vector),
    )
    assert result.sec_tag == claims["sec_tag"]
    assert result.device_uuid == result.common_name == spoken_uuid(vector)
    assert result.nonce.hex() == claims["nonce"]
    assert result.csr_der.hex() == vector["body_hex"]
    assert result.repaired is vector["csr_sigalg_has_NULL"]
    loaded = x509.load_pem_x509_csr(result.csr_pem.encode())
    assert loaded.is_signature_valid
    assert loaded.public_key() == result.public_key


def test_the_digest_may_be_that_of_the_form_with_null():
    vector = BY_ID["nordic-keygen-csr-tag1235"]
    digest = vector["payload_decoded"]["body_sha256"]
    sent = bytes.fromhex(vector["body_hex"])
    assert hashlib.sha256(sent).hexdigest() != digest
    assert hashlib.sha256(unmend_csr(sent)).hexdigest() == digest
    assert parse_keygen(vector["value"]).csr_der == sent


def test_recorded_public_key():
    answer = parse_keygen_public_key(_PUBLIC["value"], sec_tag=16, device_uuid=spoken_uuid(_PUBLIC))
    der = answer.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert der.hex() == _PUBLIC["body_hex"]
    assert answer.nonce.hex() == _PUBLIC["payload_decoded"]["nonce"]


@pytest.mark.parametrize("vector", [v for v in SIGNED if v["prefix"] == "%KEYGEN"], ids=lambda v: v["id"])
def test_recorded_identity_keys_signed_the_statements(vector):
    parse = parse_keygen_public_key if vector is _PUBLIC else parse_keygen
    answer = parse(vector["value"])
    assert answer.signed_by(identity_key(vector))
    assert not answer.signed_by(IDENTITY_KEY.public_key())


@pytest.mark.parametrize("vector", [v for v in SIGNED if v["prefix"] == "%KEYGEN"], ids=lambda v: v["id"])
def test_each_bit_of_a_recording_counts(vector):
    """Whatever bit is flipped: either the answer is refused, or the identity key did not sign it."""
    parse = parse_keygen_public_key if vector is _PUBLIC else parse_keygen
    key = identity_key(vector)
    parts = [bytes.fromhex(vector["body_hex"]), bytes.fromhex(vector["cose_hex"])]
    for part in (0, 1):
        for position in range(len(parts[part]) * 8):
            tampered = list(parts)
            flipped = bytearray(parts[part])
            flipped[position // 8] ^= 1 << position % 8
            tampered[part] = bytes(flipped)
            try:
                answer = parse(join(*tampered))
            except (KeygenMismatch, AtFormatError):
                continue
            assert part == 1, f"bit {position} of the body went unnoticed"
            assert not answer.signed_by(key), f"bit {position} of the statement went unnoticed"


@given(
    sec_tag=st.integers(0, 2**32 - 1),
    common_name=st.text("abcXYZ0189-:_", min_size=1, max_size=64),
    with_null=st.booleans(),
    body_as_aad=st.booleans(),
)
def test_what_a_modem_makes_is_read_back(sec_tag, common_name, with_null, body_as_aad):
    value = make_keygen(sec_tag, common_name=common_name, with_null=with_null, body_as_aad=body_as_aad)
    result = parse_keygen(value, sec_tag=sec_tag, device_uuid=DEVICE_UUID.upper(), common_name=common_name)
    assert result.sec_tag == sec_tag
    assert result.repaired is with_null
    assert result.signed_by(IDENTITY_KEY.public_key())


def test_a_sec_tag_above_2_to_31_comes_as_its_negative_twin():
    assert parse_keygen(make_keygen(2147483650 - 2**32)).sec_tag == 2147483650


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "two base64url parts"),
        ("abc", "two base64url parts"),
        ("ab.cd.ef", "two base64url parts"),
        ("a+b.cd", "two base64url parts"),
        ("a.b", "cannot be read"),
        (BY_ID["nordic-attesttoken"]["value"], "no payload"),
        (_PUBLIC["value"], "type 8"),
        (make_keygen(1, digest=bytes(32)), "SHA-256"),
        (make_keygen(1, body=b"\x30\x00"), "three parts"),
        (make_keygen(1, body=public_key_der(IDENTITY_KEY)), "three parts"),
        (make_keygen(1, body=make_csr(ec.generate_private_key(ec.SECP384R1()))), "P-256"),
        (join(b"x", make_cose(b"\x85\x09\x40\x41\x11\x40\x40")), "UUID|bytes"),
        (join(b"x", make_cose(b"\x84\x09\x40\x40\x40")), "five fields"),
        (join(b"x", make_cose(b"\x85\x61x\x40\x41\x11\x40\x40")), "other types"),
        (join(b"x", make_cose(b"\x85\x09\x50" + bytes(16) + b"\x42ax\x40\x40")), "not a number"),
    ],
)
def test_what_is_no_keygen_answer_is_refused_in_one_line(value, reason):
    with pytest.raises((KeygenMismatch, AtFormatError), match=reason) as caught:
        parse_keygen(value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("AT%KEYGEN: ")


def test_a_csr_whose_signature_is_of_another_csr_is_refused():
    one, two = (split(split(make_csr(IDENTITY_KEY, common_name=name))[0].content) for name in ("one", "two"))
    mixed = encode(0x30, one[0].encoded + one[1].encoded + two[2].encoded)
    with pytest.raises(AtFormatError, match="does not fit"):
        parse_keygen(make_keygen(1, body=mixed))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"sec_tag": 18}, "sec_tag 17, but 18 was asked for"),
        ({"device_uuid": DEVICE_UUID}, f"50363154-.*AT%DEVICEUUID says {DEVICE_UUID}"),
        ({"common_name": "nrf-1"}, "CN is '50363154-.*but 'nrf-1' was asked for"),
    ],
)
def test_another_answer_than_asked_for_is_refused_in_one_line(asked, reason):
    with pytest.raises((KeygenMismatch, AtFormatError), match=reason) as caught:
        parse_keygen(BY_ID["nordic-keygen-csr-tag17"]["value"], **asked)
    assert isinstance(caught.value, Refusal)
    assert "\n" not in str(caught.value)


def test_public_key_answers_are_checked_too():
    for asked in ({"sec_tag": 17}, {"device_uuid": DEVICE_UUID}):
        with pytest.raises(KeygenMismatch, match="the device signed"):
            parse_keygen_public_key(_PUBLIC["value"], **asked)
    with pytest.raises(KeygenMismatch, match="type 9"):
        parse_keygen_public_key(BY_ID["nordic-keygen-csr-tag17"]["value"])
    with pytest.raises(AtFormatError, match="public key cannot be read"):
        parse_keygen_public_key(make_keygen(1, kind=8, body=b"\x30\x00"))


def test_padding_that_a_modem_never_sends_is_refused():
    value = BY_ID["nordic-keygen-csr-tag52-uuid"]["value"]
    body = base64.urlsafe_b64encode(bytes.fromhex(BY_ID["nordic-keygen-csr-tag52-uuid"]["body_hex"])).decode()
    assert body.endswith("=")
    with pytest.raises(AtFormatError, match="two base64url parts"):
        parse_keygen(body + "." + value.split(".")[1])
