"""PyJWT verifies what the virtual modem signs with AT%JWT."""

from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from harness.at import AtPort
from harness.modem import Modem
from harness.timeline import Timeline
from tests.interop.stand_ins import SEC_TAG, virtual_board

DEVICE_ID = "dev-1"
_ALGORITHMS = ["ES256"]


@pytest.fixture(scope="module")
def port():
    with virtual_board() as board, AtPort.open(board["port"], name="dk1", timeline=Timeline()) as port:
        port.sync()
        port.command(f'AT+CCLK="{datetime.now(UTC):%y/%m/%d,%H:%M:%S}+00"')  # no network has told it the time
        yield port


@pytest.fixture(scope="module")
def modem(port):
    return Modem(port, sec_tags=[SEC_TAG])


@pytest.fixture(scope="module")
def keygen(modem):
    return modem.generate_key(SEC_TAG)


def token(port, parameters):
    return port.command(f"AT%JWT={parameters}").value("%JWT").strip('"')


def test_a_token_of_the_devices_key_verifies(port, keygen):
    made = token(port, f'0,600,"{DEVICE_ID}","lab",{SEC_TAG},2')
    claims = jwt.decode(made, keygen.public_key, algorithms=_ALGORITHMS, audience="lab", options={"require": ["exp"]})
    assert (claims["sub"], claims["aud"]) == (DEVICE_ID, "lab")
    assert claims["exp"] - claims["iat"] == 600
    assert claims["iss"].endswith(f".{keygen.device_uuid}")
    assert jwt.get_unverified_header(made)["alg"] == "ES256"


def test_without_lifetime_and_subject(port, keygen):
    claims = jwt.decode(token(port, f"0,0,,,{SEC_TAG},2"), keygen.public_key, algorithms=_ALGORITHMS)
    assert claims["sub"] == str(keygen.device_uuid)
    assert not {"exp", "iat", "aud"} & set(claims)


def test_another_key_does_not_verify_it(port, keygen):
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token(port, f"0,0,,,{SEC_TAG},2"), stranger, algorithms=_ALGORITHMS)


def test_a_changed_claim_does_not_verify(port, keygen):
    header, _, signature = token(port, f"0,0,,,{SEC_TAG},2").split(".")
    other = jwt.encode({"sub": "dev-2"}, "x" * 32, algorithm="HS256").split(".")[1]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{header}.{other}.{signature}", keygen.public_key, algorithms=_ALGORITHMS)


def test_pyjwt_and_the_harness_read_the_same(modem, keygen):
    made = modem.jwt(sec_tag=SEC_TAG, expires_in=60, subject=DEVICE_ID, audience="lab")
    made.verify(keygen.public_key)
    assert jwt.decode(made.token, keygen.public_key, algorithms=_ALGORITHMS, audience="lab") == dict(made.claims)
    assert jwt.get_unverified_header(made.token) == dict(made.header)


def test_the_device_identity_key_signs_without_a_sec_tag(modem, keygen):
    made = modem.jwt(expires_in=0)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(made.token, keygen.public_key, algorithms=_ALGORITHMS)
    assert made.claims["sub"] == str(keygen.device_uuid)
