import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.credentials import make_device_jwt
from harness.errors import LabError, Misuse
from harness.modem import parse_jwt

KEY = ec.generate_private_key(ec.SECP256R1())
DEVICE_ID = "nrf-352656100000000"


def _pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("key", [KEY, _pem(KEY)], ids=["key", "PEM"])
def test_a_token_for_a_device(key):
    before = int(time.time())
    token = make_device_jwt(key, DEVICE_ID)
    claims = jwt.decode(token, KEY.public_key(), algorithms=["ES256"])
    assert claims["sub"] == DEVICE_ID
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] - claims["iat"] == 600
    assert sorted(claims) == ["exp", "iat", "sub"]
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "ES256", "typ": "JWT"}


def test_our_own_parser_agrees():
    token = parse_jwt(make_device_jwt(KEY, DEVICE_ID, 60), subject=DEVICE_ID, expires_in=60)
    token.verify(KEY.public_key(), now=time.time())


def test_a_token_without_an_end():
    assert jwt.decode(make_device_jwt(KEY, DEVICE_ID, 0), KEY.public_key(), algorithms=["ES256"]) == {"sub": DEVICE_ID}


def test_tokens_that_are_meant_to_be_refused():
    past = make_device_jwt(KEY, DEVICE_ID, 60, now=1_000_000)
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(past, KEY.public_key(), algorithms=["ES256"])
    later = make_device_jwt(KEY, DEVICE_ID, claims={"nbf": int(time.time()) + 3600})
    with pytest.raises(jwt.ImmatureSignatureError):
        jwt.decode(later, KEY.public_key(), algorithms=["ES256"])
    other = make_device_jwt(KEY, DEVICE_ID, claims={"sub": "other"})
    assert jwt.decode(other, KEY.public_key(), algorithms=["ES256"])["sub"] == "other"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((KEY, "a b"), "device id"),
        ((KEY, DEVICE_ID, -1), "expires_in -1"),
        ((KEY, DEVICE_ID, 604801), "0 to 604800"),
        ((ec.generate_private_key(ec.SECP384R1()), DEVICE_ID), "not on P-256"),
        ((_pem(KEY) + "rubbish", DEVICE_ID), "not a private key in PEM"),
        (("", DEVICE_ID), "not a private key in PEM"),
    ],
)
def test_misuse(arguments, reason):
    with pytest.raises(Misuse, match=reason) as caught:
        make_device_jwt(*arguments)
    assert "\n" not in str(caught.value)
    assert _pem(KEY).splitlines()[1] not in str(caught.value)


def test_a_clock_that_was_never_set(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 86400.0)
    with pytest.raises(LabError, match="clock says 1970-01-02: set it"):
        make_device_jwt(KEY, DEVICE_ID)
    make_device_jwt(KEY, DEVICE_ID, 0)
    make_device_jwt(KEY, DEVICE_ID, now=1_800_000_000)
