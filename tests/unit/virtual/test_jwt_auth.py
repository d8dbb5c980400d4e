"""Device JWTs: what authenticates a device, and everything that must not."""

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.rest.jwt_auth import InvalidToken, is_jwt, verify

from . import jwt_makers as make
from .cloud_makers import NOON

VECTORS = Path(__file__).parents[2] / "data" / "vectors-modem.json"
DEVICE = "dev-1"
UUID = "50363154-3930-4d96-80f9-13121cf35adc"
KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
KEYS = {DEVICE: KEY.public_key(), UUID: KEY.public_key(), "dev-2": OTHER_KEY.public_key()}
NOW = int(NOON.timestamp())


def check(token):
    return verify(token, key_of=KEYS.get, now=NOON)


def refused(token, reason):
    with pytest.raises(InvalidToken, match=reason) as refusal:
        check(token)
    assert token.split(".")[-1][:20] not in str(refusal.value) or not token.split(".")[-1]


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": DEVICE},
        {"sub": DEVICE, "exp": NOW + 1},
        {"sub": DEVICE, "exp": NOW + 600, "iat": NOW, "nbf": NOW},
        {"sub": DEVICE, "exp": NOW + 0.5},
        {"sub": DEVICE, "aud": "some-team", "jti": "x"},
        {"sub": DEVICE, "iss": f"nRF9151.{UUID}"},
    ],
)
def test_a_token_of_the_device(claims):
    assert check(make.signed(KEY, claims)) == DEVICE


@pytest.mark.parametrize("audience", ["team", ["team"], "", None, []])
def test_a_token_for_the_team(audience):
    token = make.signed(KEY, {"sub": DEVICE, "aud": audience})
    assert verify(token, key_of=KEYS.get, now=NOON, audience="team") == DEVICE


@pytest.mark.parametrize("audience", ["other", ["team", "other"], "TEAM", 5, [None], {"team": 1}])
def test_a_token_for_another_team(audience):
    token = make.signed(KEY, {"sub": DEVICE, "aud": audience})
    with pytest.raises(InvalidToken, match="aud"):
        verify(token, key_of=KEYS.get, now=NOON, audience="team")


def test_a_token_made_by_pyjwt():
    assert check(jwt.encode({"sub": DEVICE, "exp": NOW + 9}, KEY, algorithm="ES256")) == DEVICE


@pytest.mark.parametrize(
    ("claims", "device"),
    [
        ({"iss": f"nRF9160.{UUID}", "jti": "nRF9160.f72d9789.942d"}, UUID),
        ({"iss": f"nRF9160.{UUID}", "jti": "nRF9160.f72d9789.942d", "sub": ""}, UUID),
        (
            {"iss": f"nRF9151.{UUID}", "jti": "nRF9151.f72d9789.942d", "sub": DEVICE, "iat": NOW, "exp": NOW + 600},
            DEVICE,
        ),
    ],
)
def test_a_token_of_the_modem(claims, device):
    token = make.modem_token(KEY, claims)
    assert check(token) == device


def test_a_token_that_a_real_modem_made():
    (vector,) = json.loads(VECTORS.read_text())["jwt"]
    key: Any = serialization.load_der_public_key(bytes.fromhex(vector["identity_pub_spki_hex"]))
    token = vector["value"]
    assert base64.urlsafe_b64decode(token.split(".")[0]).endswith(b"}  ")
    assert verify(token, key_of=lambda uuid: key if uuid == UUID else None, now=NOON) == UUID
    with pytest.raises(InvalidToken, match="signature"):
        verify(token, key_of={UUID: OTHER_KEY.public_key()}.get, now=NOON)


def test_padding_with_spaces():
    _, claims, _ = make.modem_token(KEY, {"sub": DEVICE, "n": 1}).split(".")
    assert base64.urlsafe_b64decode(claims) == b'{"sub":"dev-1","n":1}'
    _, claims, _ = (token := make.modem_token(KEY, {"sub": DEVICE, "n": 10})).split(".")
    assert base64.urlsafe_b64decode(claims) == b'{"sub":"dev-1","n":10}  '
    assert check(token) == DEVICE


def test_the_key_id_is_ignored():
    assert check(make.signed(KEY, {"sub": DEVICE}, {**make.HEADER, "kid": "of another key"})) == DEVICE


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_unsigned(algorithm):
    token = make.unsigned({"sub": DEVICE}, algorithm)
    refused(token, "three base64url parts")
    refused(f"{token}AAAA", "alg is not ES256")


def test_unsigned_with_the_signature_of_a_good_token():
    signature = make.signed(KEY, {"sub": DEVICE}).rsplit(".", 1)[1]
    refused(make.unsigned({"sub": DEVICE}) + signature, "alg is not ES256")


@pytest.mark.parametrize("trim", [str, str.strip])
def test_hs256_with_the_public_key_as_the_secret(trim):
    refused(make.hs256(trim(make.public_pem(KEY)).encode(), {"sub": DEVICE}), "alg is not ES256")


def test_rs256():
    refused(make.rs256(rsa.generate_private_key(65537, 2048), {"sub": DEVICE}), "alg is not ES256")


@pytest.mark.parametrize("algorithm", ["RS256", "HS256", "ES384", "es256", "", None, 256, ["ES256"]])
def test_another_algorithm_in_the_header_over_a_good_signature(algorithm):
    refused(make.signed(KEY, {"sub": DEVICE}, {"typ": "JWT", "alg": algorithm}), "alg is not ES256|not JSON objects")


def test_no_algorithm():
    refused(make.signed(KEY, {"sub": DEVICE}, {"typ": "JWT"}), "alg is not ES256")


def test_tampered_claims():
    refused(make.tampered(make.signed(KEY, {"sub": DEVICE, "exp": NOW - 1}), {"sub": DEVICE}), "signature is not that")


def test_a_tampered_header():
    _, claims, signature = make.signed(KEY, {"sub": DEVICE}).split(".")
    other = make.encode(json.dumps({**make.HEADER, "x": 1}).encode())
    refused(f"{other}.{claims}.{signature}", "signature is not that")


def test_the_key_of_another_device():
    refused(make.signed(OTHER_KEY, {"sub": DEVICE}), "signature is not that of its device")


def test_an_unknown_device():
    refused(make.signed(KEY, {"sub": "dev-9"}), "no key is registered")
    refused(make.signed(KEY, {"iss": "nRF9151.00000000-0000-0000-0000-000000000000"}), "no key is registered")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW}, "has expired"),
        ({"exp": NOW - 1}, "has expired"),
        ({"exp": 0}, "has expired"),
        ({"exp": -1}, "has expired"),
        ({"nbf": NOW + 1}, "not valid yet"),
        ({"iat": NOW + 1}, "not valid yet"),
        ({"iat": NOW + 3600, "exp": NOW + 7200}, "not valid yet"),
        ({"iat": NOW, "nbf": NOW + 60, "exp": NOW + 600}, "not valid yet"),
        ({"exp": str(NOW + 9)}, "exp is not a number"),
        ({"exp": None}, "exp is not a number"),
        ({"exp": True}, "exp is not a number"),
        ({"exp": float("nan")}, "exp is not a number"),
        ({"exp": float("inf")}, "exp is not a number"),
        ({"exp": [NOW + 9]}, "exp is not a number"),
        ({"nbf": "0"}, "nbf is not a number"),
        ({"iat": float("-inf")}, "iat is not a number"),
    ],
)
def test_times(claims, reason):
    refused(make.signed(KEY, {"sub": DEVICE, **claims}), reason)


def test_a_huge_time_is_a_number():
    assert check(make.signed(KEY, {"sub": DEVICE, "exp": 10**400})) == DEVICE


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({}, "names no device"),
        ({"sub": None}, "names no device"),
        ({"sub": ""}, "names no device"),
        ({"iss": UUID}, "names no device"),
        ({"iss": "nRF9151.dev-1"}, "names no device"),
        ({"iss": f"nRF9151.x.{UUID}"}, "names no device"),
        ({"iss": f"nRF9151.{UUID}\n"}, "names no device"),
        ({"iss": 5}, "names no device"),
        ({"sub": 5}, "sub is not a string|not JSON objects"),
        ({"sub": ["dev-1"]}, "sub is not a string|not JSON objects"),
    ],
)
def test_claims_that_name_no_device(claims, reason):
    refused(make.signed(KEY, claims), reason)


@pytest.mark.parametrize("claims", [[], "text", 5, None])
def test_claims_that_are_no_object(claims):
    refused(make.signed(KEY, claims), "not JSON objects")


GOOD = make.signed(KEY, {"sub": DEVICE})


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        GOOD + ".",
        GOOD.replace(".", "", 1),
        GOOD + "\n",
        " " + GOOD,
        GOOD.replace(".", " . "),
        GOOD + "!",
        "é.é.é",
        f"{make.encode(b'{')}.{make.encode(b'{}')}.AAAA",
        f"{make.encode(b'[]')}.{make.encode(b'{}')}.AAAA",
        f"{make.encode(b'[' * 3000)}.{make.encode(b'{}')}.AAAA",
        f"{make.encode(json.dumps(make.HEADER).encode())}.{make.encode(b'[' * 3000)}.AAAA",
        f"{make.encode(json.dumps(make.HEADER).encode())}.{make.encode(b'{' + bytes([0xFF]) + b'}')}.AAAA",
        "A.A.A",
    ],
)
def test_malformed(token):
    with pytest.raises(InvalidToken):
        check(token)


def test_padded_base64():
    token = make.padded(KEY, {"sub": DEVICE})
    assert "=" in token
    refused(token, "without padding")


def test_standard_base64():
    tokens = (make.signed(KEY, {"sub": DEVICE}) for _ in range(100))
    token = next(one for one in tokens if "-" in one or "_" in one)
    refused(token.translate(str.maketrans("-_", "+/")), "three base64url parts")


@pytest.mark.parametrize("length", [0, 1, 63, 65, 72])
def test_a_signature_of_another_length(length):
    content = make.signing_input(make.HEADER, {"sub": DEVICE})
    with pytest.raises(InvalidToken):
        check(f"{content}.{make.encode(b'x' * length)}")


def test_a_signature_of_zeroes():  # CVE-2022-21449: accepted by verifiers that do not check the range of r and s
    refused(f"{make.signing_input(make.HEADER, {'sub': DEVICE})}.{make.encode(bytes(64))}", "signature is not that")


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 127))
def test_no_single_change_of_a_character_is_accepted(position, code):
    token = GOOD[:position] + chr(code) + GOOD[position + 1 :]
    # The last character of the signature carries 2 bits only: others of its bits are nobody's.
    if token != GOOD and position < len(GOOD) - 1:
        with pytest.raises(InvalidToken):
            check(token)


@given(st.text(max_size=200))
def test_no_text_breaks_it(text):
    with pytest.raises(InvalidToken):
        check(text)


def test_telling_a_jwt_from_an_api_key():
    assert is_jwt(GOOD)
    assert not is_jwt("d8be845e816e45d4a9529a6cfcd459c88e3c22b5")
