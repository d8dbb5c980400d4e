import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from harness.at import AtError, AtFormatError
from harness.errors import Misuse
from harness.modem import AttestationMismatch, Modem, parse_attestation
from tests.unit.modem.jwt_maker import FIRMWARE_UUID, NONCE, make_attestation
from tests.unit.modem.keygen_maker import DEVICE_UUID, IDENTITY_KEY, join, make_cose
from tests.unit.modem.scripted import ScriptedPort
from tests.unit.modem.vectors import BY_ID, identity_key

KEY = IDENTITY_KEY.public_key()
OTHER = ec.generate_private_key(ec.SECP256R1()).public_key()
VECTOR = BY_ID["nordic-attesttoken"]


def test_the_recorded_token():
    token = parse_attestation(f'"{VECTOR["value"]}"', device_uuid="50363154-3931-44F0-8022-121b6401627d")
    assert token.token == VECTOR["value"]
    assert token.uuid == "50363154-3931-44f0-8022-121b6401627d"
    assert (token.device_type, token.model) == (3, "nRF9160 SICA")
    assert token.fw_uuid == "1aff3acb-f1a6-4764-a263-4c2646c1c654"
    assert token.nonce.hex() == VECTOR["body_decoded"]["nonce"]
    assert token.body.hex() == VECTOR["body_hex"]
    assert token.signed_by(identity_key(VECTOR))
    assert not token.signed_by(KEY)


def test_the_token_is_in_no_repr():
    token = parse_attestation(make_attestation())
    assert token.token not in repr(token)
    assert repr(token.statement.signature) not in repr(token)


@pytest.mark.parametrize("form", ["body as aad, payload null", "payload is body", "both"])
def test_every_sig_structure(form):
    token = parse_attestation(make_attestation(form=form))
    assert (token.uuid, token.fw_uuid, token.nonce) == (DEVICE_UUID, FIRMWARE_UUID, NONCE)
    assert token.model == "nRF9151 LACA"
    assert token.signed_by(KEY)
    assert not token.signed_by(OTHER)


def test_a_signature_over_nothing_of_the_body_counts_in_no_form():
    token = parse_attestation(make_attestation(cose=make_cose(None)))
    assert not token.signed_by(KEY)


@given(st.integers(min_value=7, max_value=2**32), st.binary(min_size=16, max_size=16))
def test_whatever_type_and_nonce_they_come_back(device_type, nonce):
    token = parse_attestation(make_attestation(fields={2: device_type}, nonce=nonce), challenge=nonce)
    assert (token.device_type, token.nonce) == (device_type, nonce)
    assert token.model == f"device type {device_type}"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "two base64url parts"),
        ('"a"', "two base64url parts"),
        ('"a.b.c"', "two base64url parts"),
        ('"AAAA.BBBB"', "cannot be read"),
        ('"A.B"', "cannot be read"),
        (make_attestation(cose=make_cose(b"payload")), "payload of its own"),
        (make_attestation(fields={0: 9}), "type 9, not 1"),
        (make_attestation(fields={1: b"short"}), "cannot be read"),
        (make_attestation(fields={1: "text"}), "other types"),
        (make_attestation(fields={2: "six"}), "other types"),
        (make_attestation(nonce=b"short"), "nonce of 5 bytes"),
        (join(cbor2.dumps([1, 2]), make_cose(None)), "not the five fields"),
        (make_attestation()[:-3] + '"', "cannot be read"),
    ],
)
def test_malformed(value, reason):
    with pytest.raises(AtFormatError, match=reason) as caught:
        parse_attestation(value)
    assert "\n" not in str(caught.value)
    assert "0oRD" not in str(caught.value)


@given(st.text(max_size=60))
def test_rubbish_is_a_mismatch_and_never_anything_else(text):
    try:
        parse_attestation(text)
    except (AttestationMismatch, AtFormatError):
        return
    raise AssertionError("rubbish was taken for a token")


def test_another_device_and_another_challenge():
    with pytest.raises(AttestationMismatch, match="AT%DEVICEUUID says"):
        parse_attestation(make_attestation(), device_uuid="56495254-ffff-4738-800d-1f29e0a0f7bf")
    with pytest.raises(AttestationMismatch, match="does not carry the challenge"):
        parse_attestation(make_attestation(), challenge=bytes(16))


# the command

CHALLENGE = bytes.fromhex("00112233445566778899aabbccddeeff")


@pytest.mark.parametrize("uuid_answer", [[f"%DEVICEUUID: {DEVICE_UUID}", "OK"], "ERROR"])
@pytest.mark.parametrize(
    ("challenge", "command"),
    [(None, "AT%ATTESTTOKEN"), (CHALLENGE, 'AT%ATTESTTOKEN="00112233445566778899aabbccddeeff"')],
)
def test_both_forms(uuid_answer, challenge, command):
    answer = make_attestation(nonce=challenge or NONCE)
    port = ScriptedPort({"AT%DEVICEUUID": uuid_answer, command: [f"%ATTESTTOKEN: {answer}", "OK"]})
    token = Modem(port.as_port(), sec_tags=[]).attestation_token(challenge)
    assert port.sent == ["AT%DEVICEUUID", command]
    assert token.nonce == (challenge or NONCE)


def test_a_challenge_of_another_size_is_misuse():
    port = ScriptedPort({})
    with pytest.raises(Misuse, match="expected a challenge of 16 bytes, got 15"):
        Modem(port.as_port(), sec_tags=[]).attestation_token(bytes(15))
    assert port.sent == []


def test_a_firmware_without_it():
    port = ScriptedPort({"AT%DEVICEUUID": "ERROR", "AT%ATTESTTOKEN": "ERROR"})
    with pytest.raises(AtError, match="AT%ATTESTTOKEN answered ERROR"):
        Modem(port.as_port(), sec_tags=[]).attestation_token()
