"""%JWT, checked with PyJWT and cryptography."""

import base64
import hashlib
import json
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from harness.virtual.board.personality import NRF9151_MFW_2_0_2, NRF9160_MFW_1_3_5
from tests.unit.virtual_board.bench import ERROR, NOON, OK, Bench, cme
from tests.unit.virtual_board.signatures import parts

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8


@pytest.fixture
def bench():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    return bench


def token(bench, parameters=""):
    answer = bench.ask("AT%JWT" + parameters).decode()
    assert answer.startswith('\r\n%JWT: "'), answer
    assert answer.endswith('"\r\n\r\nOK\r\n')
    return answer.split('"')[1]


def claims(text, key, **options):
    return jwt.decode(text, key, algorithms=["ES256"], options={"verify_exp": False, "verify_iat": False}, **options)


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def generated_key(bench, tag, kind=2):
    body, _ = parts(bench.ask(f"AT%KEYGEN={tag},{kind},1"), "%KEYGEN")
    return serialization.load_der_public_key(body)


@pytest.mark.parametrize("parameters", ["", "=", "=0", '=0,0,"",""', "=,,,", "=0,0"])
def test_without_parameters_the_identity_key_signs(bench, parameters):
    text = token(bench, parameters)
    public = bench.nvm.identity_key.public_key()
    device = str(bench.nvm.identity.device_uuid)
    found = claims(text, public)
    assert list(found) == ["iss", "jti", "sub"]
    assert (found["iss"], found["sub"]) == (f"nRF9151.{device}", device)
    chip, firmware, nonce = found["jti"].split(".")
    assert chip == "nRF9151"
    assert bench.ask("AT%XMODEMUUID").decode().split()[1] == firmware
    assert len(bytes.fromhex(nonce)) == 16
    header = {"typ": "JWT", "alg": "ES256", "kid": hashlib.sha256(spki(public)).hexdigest()}
    assert jwt.get_unverified_header(text) == header


def test_both_texts_are_filled_with_blanks_to_whole_groups(bench):
    header, payload, signature = token(bench, '=0,0,"x"').split(".")
    for part in (header, payload):
        text = base64.urlsafe_b64decode(part).decode()  # no padding needed
        assert len(text) % 3 == 0
        assert text.rstrip(" ") == json.dumps(json.loads(text), separators=(",", ":"))
    assert len(signature) == 86


def test_two_tokens_differ(bench):
    public = bench.nvm.identity_key.public_key()
    assert claims(token(bench), public)["jti"] != claims(token(bench), public)["jti"]


def test_subject_and_audience(bench):
    text = token(bench, '=0,0,"nrf-352656100000001","nrfcloud"')
    found = claims(text, bench.nvm.identity_key.public_key(), audience="nrfcloud")
    assert (found["sub"], found["aud"]) == ("nrf-352656100000001", "nrfcloud")
    with pytest.raises(jwt.InvalidAudienceError):
        claims(text, bench.nvm.identity_key.public_key(), audience="other")


def test_a_client_key_signs(bench):
    public = generated_key(bench, 16842753)
    text = token(bench, '=0,0,"me","",16842753,2')
    assert claims(text, public)["sub"] == "me"
    assert jwt.get_unverified_header(text)["kid"] == hashlib.sha256(spki(public)).hexdigest()
    with pytest.raises(jwt.InvalidSignatureError):
        claims(text, bench.nvm.identity_key.public_key())


@pytest.mark.parametrize(
    ("encryption", "password"),
    [(serialization.NoEncryption(), ""), (serialization.BestAvailableEncryption(b"pass"), ',"pass"')],
)
def test_a_written_key_signs(bench, encryption, password):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(PEM, PKCS8, encryption).decode()
    assert bench.ask(f'AT%CMNG=0,7,2,"{pem}"{password}') == OK
    assert claims(token(bench, "=0,0,,,7,2"), key.public_key())["sub"] == str(bench.nvm.identity.device_uuid)


def test_expiry_needs_the_time(bench):
    assert bench.ask("AT%JWT=0,600") == cme(525)
    token(bench, "=0,0")  # without expiry it does not
    bench.ask('AT+CCLK="26/11/23,14:00:00+04"')  # 13:00 UTC
    found = claims(token(bench, "=0,600"), bench.nvm.identity_key.public_key())
    assert (found["iat"], found["exp"]) == (int(NOON.timestamp()) + 3600, int(NOON.timestamp()) + 4200)


def test_the_network_tells_the_time(bench):
    bench.attach()
    found = claims(token(bench, "=0,60"), bench.nvm.identity_key.public_key())
    assert (found["iat"], found["exp"]) == (int(NOON.timestamp()), int(NOON.timestamp()) + 60)


def test_refusals(bench):
    for wrong in ("1", "0,-1", "0,0,,,7", "0,0,,,,2", "0,0,,,7,3", "0,0,,,7,8", "0,0,,,7,0"):
        assert bench.ask(f"AT%JWT={wrong}") == cme(50), wrong
    for wrong in ('"0"', "0,x", "0,0,sub", "0,0,,,7,2,9"):
        assert bench.ask(f"AT%JWT={wrong}") == ERROR, wrong
    assert bench.ask("AT%JWT=0,0,,,7,2") == cme(513)
    assert bench.ask("AT%JWT=0,0,,,4294967294,2") == cme(514)
    assert bench.ask("AT%JWT?") == ERROR


def test_keys_that_cannot_sign(bench):
    rsa_key = rsa.generate_private_key(65537, 2048).private_bytes(PEM, PKCS8, serialization.NoEncryption()).decode()
    other_curve = ec.generate_private_key(ec.SECP384R1()).private_bytes(PEM, PKCS8, serialization.NoEncryption())
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        PEM, PKCS8, serialization.BestAvailableEncryption(b"pass")
    )
    for tag, content in enumerate(("no key", rsa_key, other_curve.decode(), locked.decode())):
        assert bench.ask(f'AT%CMNG=0,{tag},2,"{content}"') == OK
        assert bench.ask(f"AT%JWT=0,0,,,{tag},2") == cme(525)


def test_the_endorsement_key_signs_on_nrf9160_only():
    bench = Bench(NRF9160_MFW_1_3_5)
    public = generated_key(bench, 5, 8)
    found = claims(token(bench, "=0,0,,,5,8"), public)
    assert found["iss"] == f"nRF9160.{bench.nvm.identity.device_uuid}"
    assert found["jti"].startswith("nRF9160.")


def test_utf8_and_quotation_in_the_subject(bench):
    text = token(bench, "=0,0,{}".format('"b\\o\xc3\xb8t"'))
    assert claims(text, bench.nvm.identity_key.public_key())["sub"] == "b\\oøt"
    assert bench.ask('AT%JWT=0,0,"\xf8"') == cme(50)


def test_firmware_without_it():
    old = Bench(replace(NRF9151_MFW_2_0_2, unsupported=frozenset({"%JWT"})))
    assert old.ask("AT%JWT") == ERROR
