import base64
import json

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from harness.at import AtError, AtFormatError
from harness.errors import Misuse
from harness.modem import JwtMismatch, Modem, parse_jwt
from tests.unit.modem.jwt_maker import FIRMWARE_UUID, key_id, make_jwt
from tests.unit.modem.keygen_maker import DEVICE_UUID, IDENTITY_KEY
from tests.unit.modem.scripted import ScriptedPort
from tests.unit.modem.vectors import BY_ID, identity_key

KEY = IDENTITY_KEY.public_key()
OTHER = ec.generate_private_key(ec.SECP256R1())
VECTOR = BY_ID["nordic-sdk-jwt"]


def _modem(answers):
    port = ScriptedPort(answers)
    return Modem(port.as_port(), sec_tags=[42]), port


def _encoded(item):
    return base64.urlsafe_b64encode(json.dumps(item).encode()).decode().rstrip("=")


# the recorded token


def test_the_recorded_token():
    token = parse_jwt(f'"{VECTOR["value"]}"')
    assert token.token == VECTOR["value"]
    assert token.header == json.loads(VECTOR["header"])
    assert token.claims == json.loads(VECTOR["payload"])
    assert token.key_id == "e6c35cea1f541a4be485ff8db21f51dfe7242e7ca7b9456c90f69815e77ea61f"
    assert token.chip == "nRF9160"
    assert token.device_uuid == "50363154-3930-4d96-80f9-13121cf35adc"
    assert token.firmware_uuid == "f72d9789-2e73-4780-9248-b3952f89b872"
    assert token.expires_at is None
    token.verify(identity_key(VECTOR), now=0.0)


def test_pyjwt_agrees_on_the_recorded_token():
    claims = pyjwt.decode(VECTOR["value"], identity_key(VECTOR), algorithms=["ES256"])
    assert claims == dict(parse_jwt(VECTOR["value"]).claims)


def test_the_token_is_in_no_repr():
    token = parse_jwt(make_jwt())
    assert token.token not in repr(token)
    assert token.token.rpartition(".")[2] not in repr(token)


# verification


def test_the_right_key_verifies_and_another_does_not():
    token = parse_jwt(make_jwt())
    token.verify(KEY)
    assert token.signed_by(KEY)
    assert not token.signed_by(OTHER.public_key())
    with pytest.raises(JwtMismatch, match="the expected key did not make the signature") as caught:
        token.verify(OTHER.public_key())
    assert "\n" not in str(caught.value)
    assert token.token not in str(caught.value)


def test_a_payload_that_was_tampered_with():
    token = parse_jwt(make_jwt(parts={1: _encoded({"sub": "somebody-else"})}))
    assert token.claims == {"sub": "somebody-else"}
    with pytest.raises(JwtMismatch, match="the expected key did not make the signature"):
        token.verify(KEY)


def test_a_kid_of_another_key():
    with pytest.raises(JwtMismatch, match="names another key"):
        parse_jwt(make_jwt(header={"kid": key_id(OTHER)})).verify(KEY)
    parse_jwt(make_jwt(header={"kid": None})).verify(KEY)
    parse_jwt(make_jwt(header={"kid": key_id(IDENTITY_KEY).upper()})).verify(KEY)


@pytest.mark.parametrize(
    ("now", "reason"),
    [(1000, None), (701, None), (699, "issued 301 s ahead"), (1900, None), (1901, "expired 301 s ago")],
)
def test_the_two_clocks(now, reason):
    token = parse_jwt(make_jwt(claims={"iat": 1000, "exp": 1600}))
    token.verify(KEY)
    if reason is None:
        token.verify(KEY, now=now)
        return
    with pytest.raises((JwtMismatch, AtFormatError), match=reason) as caught:
        token.verify(KEY, now=now)
    assert "AT+CCLK?" in str(caught.value)


@given(st.text(max_size=20), st.integers(min_value=0, max_value=2**40))
def test_whatever_the_claims_they_come_back(subject, issued):
    claims = {"sub": subject, "iat": issued, "exp": issued + 600}
    token = parse_jwt(make_jwt(claims=claims), expires_in=600, subject=subject)
    assert {name: token.claims[name] for name in claims} == claims
    assert token.signed_by(KEY)


# what is no token


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "three base64url parts"),
        ('""', "three base64url parts"),
        ('"a.b"', "three base64url parts"),
        (make_jwt()[:-40] + "!" * 39 + '"', "three base64url parts"),
        ('"AAAA.BBBB.CCCC"', "cannot be read"),
        ('"A.B.C"', "cannot be read"),
        (make_jwt(parts={0: _encoded([1])}), "no JSON object"),
        (make_jwt(parts={1: _encoded("text")}), "no JSON object"),
        (make_jwt(header={"alg": "none"}), "'none', not ES256"),
        (make_jwt(header={"alg": "HS256"}), "'HS256', not ES256"),
        (make_jwt(header={"alg": None}), "None, not ES256"),
        (make_jwt(parts={2: "AAAA"}), "3 bytes, not 64"),
        (make_jwt(claims={"exp": "soon"}), "exp is not a number"),
        (make_jwt(claims={"iat": True}), "iat is not a number"),
    ],
)
def test_malformed(value, reason):
    with pytest.raises((JwtMismatch, AtFormatError), match=reason) as caught:
        parse_jwt(value)
    assert "\n" not in str(caught.value)
    assert "eyJ" not in str(caught.value)


@given(st.text(max_size=60))
def test_rubbish_is_a_mismatch_and_never_anything_else(text):
    try:
        parse_jwt(text)
    except (JwtMismatch, AtFormatError):
        return
    raise AssertionError("rubbish was taken for a token")


@pytest.mark.parametrize(
    ("claims", "asked", "reason"),
    [
        ({"sub": "b"}, {"subject": "a"}, "sub is 'b', but 'a' was asked for"),
        ({"sub": None}, {"subject": "a"}, "sub is None"),
        ({}, {"audience": "team"}, "aud is None, but 'team' was asked for"),
        ({"aud": "mate"}, {"audience": "team"}, "aud is 'mate'"),
        ({}, {"expires_in": 600}, "no exp"),
        ({"iat": 1, "exp": 2}, {"expires_in": 600}, "valid for 1 s, but 600 s were asked for"),
    ],
)
def test_other_claims_than_asked_for(claims, asked, reason):
    with pytest.raises((JwtMismatch, AtFormatError), match=reason):
        parse_jwt(make_jwt(claims=claims), **asked)


def test_padded_base64_of_early_firmware():
    plain = make_jwt(claims={"sub": "x"}).strip('"')
    head, claims, signature = plain.split(".")
    token = parse_jwt(f'"{head}.{claims}.{signature}=="')
    assert token.claims["sub"] == "x"
    assert token.signed_by(KEY)


# the command


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ({"sec_tag": 42}, 'AT%JWT=0,600,"","",42,2'),
        ({}, 'AT%JWT=0,600,"",""'),
        ({"sec_tag": 42, "key_type": 8, "expires_in": 0}, 'AT%JWT=0,0,"","",42,8'),
        ({"sec_tag": 42, "subject": "nrf-1", "audience": "team"}, 'AT%JWT=0,600,"nrf-1","team",42,2'),
        ({"expires_in": None, "subject": None, "audience": None}, "AT%JWT=0"),
        ({"expires_in": None, "subject": None, "audience": None, "sec_tag": 0}, "AT%JWT=0,,,,0,2"),
        ({"expires_in": None, "subject": "a", "audience": None}, 'AT%JWT=0,,"a"'),
        ({"expires_in": None, "subject": None, "audience": "b"}, 'AT%JWT=0,,,"b"'),
        ({"expires_in": 60, "subject": None, "audience": None}, "AT%JWT=0,60"),
    ],
)
def test_every_parameter_form(arguments, command):
    lifetime = arguments.get("expires_in", 600)
    claims = {
        "iat": 5 if lifetime else None,
        "exp": 5 + lifetime if lifetime else None,
        "sub": arguments.get("subject") or DEVICE_UUID,
        "aud": arguments.get("audience"),
    }
    modem, port = _modem({command: [f"%JWT: {make_jwt(claims=claims)}", "OK"]})
    token = modem.jwt(**arguments)
    assert port.sent == [command]
    assert token.firmware_uuid == FIRMWARE_UUID
    assert token.expires_at == claims["exp"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"key_type": 3},
        {"expires_in": -1},
        {"expires_in": 2**32},
        {"subject": 'a"b'},
        {"subject": "a\nb"},
        {"audience": "ä"},
    ],
)
def test_misuse_comes_before_anything_is_sent(arguments):
    modem, port = _modem({})
    with pytest.raises(Misuse) as caught:
        modem.jwt(**arguments)
    assert port.sent == []
    assert "\n" not in str(caught.value)


def test_a_refused_token():
    modem, _ = _modem({'AT%JWT=0,600,"","",43,2': "+CME ERROR: 513"})
    with pytest.raises(AtError, match="not found") as caught:
        modem.jwt(sec_tag=43)
    assert caught.value.code == 513


def test_a_token_that_is_nested_too_deeply_is_unreadable():
    deep = base64.urlsafe_b64encode(b"[" * 50_000).decode().rstrip("=")
    with pytest.raises(AtFormatError, match="nested too deeply"):
        parse_jwt(f"{deep}.{deep}.AA")
