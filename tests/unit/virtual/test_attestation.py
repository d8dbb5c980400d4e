"""Attestation tokens: a published one, made ones in every form, and everything that must not pass."""

import base64
import json
import uuid
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.provisioning.attestation import (
    AttestationToken,
    InvalidAttestation,
    TrustedIdentities,
    parse_identity,
)

from .attestation_maker import FIRMWARE, Board, base64url

VECTORS = json.loads((Path(__file__).parents[2] / "data/vectors-modem.json").read_text())["keygen_attest"]
PUBLISHED = next(vector for vector in VECTORS if vector["id"] == "nordic-attesttoken")
BOARD, OTHER = Board("one"), Board("two")


def test_the_published_token():
    token = AttestationToken.parse(PUBLISHED["value"])
    assert token.device_uuid == uuid.UUID("50363154-3931-44f0-8022-121b6401627d")
    assert token.device_type_name == "nRF9160-SICA"
    assert token.firmware_uuid == uuid.UUID("1aff3acb-f1a6-4764-a263-4c2646c1c654")
    assert token.nonce.hex() == PUBLISHED["body_decoded"]["nonce"]
    _, key = parse_identity(f"{token.device_uuid}={PUBLISHED['identity_pub_x962']}")
    assert token.signed_by(key)
    assert not token.signed_by(BOARD.key.public_key())


@pytest.mark.parametrize("form", ["aad", "detached", "both"])
def test_every_form_of_the_signed_structure(form):
    token = AttestationToken.parse(BOARD.token(form))
    assert (token.device_uuid, token.device_type_name, token.firmware_uuid) == (BOARD.uuid, "nRF9151-LACA", FIRMWARE)
    assert token.signed_by(BOARD.key.public_key())
    assert not token.signed_by(OTHER.key.public_key())


def test_a_signature_that_covers_no_body_does_not_count():
    assert not AttestationToken.parse(BOARD.token("nothing")).signed_by(BOARD.key.public_key())


def test_a_payload_inside_must_be_the_body():
    body = base64.urlsafe_b64decode(BOARD.token().partition(".")[0] + "==")
    assert AttestationToken.parse(BOARD.token("detached", attached=body)).signed_by(BOARD.key.public_key())
    other = AttestationToken.parse(BOARD.token("detached", attached=b"something else"))
    assert not other.signed_by(BOARD.key.public_key())


@given(st.integers(0, 56), st.integers(1, 255))
def test_no_changed_body_passes(position, change):
    body, _, cose = PUBLISHED["value"].partition(".")
    raw = bytearray(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    raw[position] ^= change
    _, key = parse_identity(f"{uuid.UUID(int=0)}={PUBLISHED['identity_pub_x962']}")
    try:
        token = AttestationToken.parse(f"{base64url(bytes(raw))}.{cose}")
    except InvalidAttestation:
        return
    assert not token.signed_by(key)


def other_cose(item):
    return f"{BOARD.token().partition('.')[0]}.{base64url(cbor2.dumps(item))}"


SIGNATURE = bytes(64)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "é.x",
        PUBLISHED["value"].replace("_", "/"),
        PUBLISHED["value"] + "A",
        PUBLISHED["value"].partition(".")[0] + ".",
        "A" * 5 + "." + PUBLISHED["value"].partition(".")[2],
        VECTORS[0]["value"],  # KEYGEN output
        BOARD.token(message=9),
        BOARD.token(kind="6"),
        BOARD.token(key_id=b"\x23"),
        other_cose([b"", {}, None, SIGNATURE]),
        other_cose(cbor2.CBORTag(18, [bytes.fromhex("a10127"), {4: b"\x21"}, None, SIGNATURE])),
        other_cose(cbor2.CBORTag(18, [bytes.fromhex("a10126"), {4: b"\x21"}, None, SIGNATURE[1:]])),
        other_cose(cbor2.CBORTag(18, [bytes.fromhex("a10126"), {4: b"\x21"}, 5, SIGNATURE])),
        other_cose(5),
    ],
)
def test_what_is_no_token(text):
    with pytest.raises(InvalidAttestation) as refusal:
        AttestationToken.parse(text)
    assert len(text) < 10 or text not in str(refusal.value)


def test_a_signature_of_zeros_is_no_signature():
    token = AttestationToken.parse(
        other_cose(cbor2.CBORTag(18, [bytes.fromhex("a10126"), {4: b"\x21"}, None, SIGNATURE]))
    )
    assert not token.signed_by(BOARD.key.public_key())


def test_a_repr_shows_nothing_that_claims_the_board():
    text = repr(AttestationToken.parse(PUBLISHED["value"]))
    assert "signature" not in text
    assert "body" not in text


def test_identities():
    device_uuid, key = parse_identity(f"{BOARD.uuid}={BOARD.point}")
    assert (device_uuid, key) == (BOARD.uuid, BOARD.key.public_key())
    trusted = TrustedIdentities()
    trusted.trust(OTHER.uuid, OTHER.key.public_key())
    assert trusted.find(OTHER.uuid) == OTHER.key.public_key()
    assert trusted.find(uuid.UUID(int=1)) is None


@pytest.mark.parametrize(
    "text", ["", "x=y", f"{BOARD.uuid}", f"{BOARD.uuid}=04", f"{BOARD.uuid}=zz", f"x={BOARD.point}"]
)
def test_what_is_no_identity(text):
    with pytest.raises(ValueError):  # noqa: PT011  # of several libraries
        parse_identity(text)


def test_a_point_that_is_not_on_the_curve_is_no_identity():
    with pytest.raises(ValueError):  # noqa: PT011
        parse_identity(f"{BOARD.uuid}=04{'11' * 64}")
    assert isinstance(parse_identity(f"{BOARD.uuid}={BOARD.point}")[1], ec.EllipticCurvePublicKey)
