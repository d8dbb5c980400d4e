"""The four ways, renewal, failures and tokens against virtual boards, through real ptys."""

import json
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from harness.at import AtError, AtPort
from harness.credentials import CredentialRecords, KeyOrigin, LabCa, ProvisioningFailed, ProvisionRequest
from harness.errors import Misuse
from harness.modem import CredentialKind, JwtMismatch, Modem, digest_of
from harness.timeline import Timeline
from tests.unit.credentials.cloud_keys import CloudKeys
from tests.unit.credentials.over_the_air import provision

TAGS = (16842753, 16842754)
FILL = range(100, 200)
DEVICE_ID = "nrf-352656100000000"
_START = 20.0


@contextmanager
def _stand_in(*arguments):
    command = [sys.executable, "-m", "harness.virtual", "--no-cloud", "--boards", "1", "--die-with-stdin", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        ready, _, _ = select.select([process.stdout], [], [], _START)
        assert ready, f"the stand-ins did not start within {_START:g} s"
        yield json.loads(process.stdout.readline())["boards"][0]
        process.stdin.close()
        assert process.wait(_START) == 0


@contextmanager
def _modem(board, timeline):
    with AtPort.open(board["port"], name=board["name"], timeline=timeline) as port:
        port.sync()
        modem = Modem(port, sec_tags=[*TAGS, *FILL])
        modem.prepare()
        yield modem


@pytest.fixture(scope="module", params=["nrf9151", "nrf9161", "nrf9160"])
def any_board(request):
    with _stand_in("--model", request.param) as board:
        yield board


@pytest.fixture(scope="module")
def board():
    with _stand_in() as board:
        yield board


@pytest.fixture
def timeline():
    return Timeline()


@pytest.fixture
def on():
    """A modem of a board, its credential store empty."""

    @contextmanager
    def clean(board, timeline):
        with _modem(board, timeline) as modem:
            modem.set_functional_mode(4)
            for item in modem.credentials.list():
                if item.sec_tag in (*TAGS, *FILL):
                    modem.credentials.delete(item.sec_tag, item.kind)
            yield modem

    return clean


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return LabCa.load_or_create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def root_ca(tmp_path_factory):
    return LabCa.load_or_create(tmp_path_factory.mktemp("root")).certificate_pem


@pytest.fixture
def keys(ca, root_ca):
    return CloudKeys(ca, root_ca)


@pytest.fixture
def request_for(ca, root_ca, tmp_path):
    def make(key_origin=KeyOrigin.DEVICE, **changes):
        plain = ProvisionRequest(DEVICE_ID, TAGS, key_origin, ca, root_ca, CredentialRecords(tmp_path / "records"))
        return replace(plain, **changes)

    return make


def _identity_key(board):
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(board["identity_key"]))


@pytest.mark.parametrize("origin", list(KeyOrigin))
def test_provisioned_kept_and_renewed(any_board, on, timeline, request_for, keys, origin):
    with on(any_board, timeline) as modem:
        modem.set_functional_mode(1)
        first = provision(modem, request_for(origin), cloud_keys=keys)
        assert (first.sec_tag, first.kept, first.key_origin) == (TAGS[0], False, origin)
        listed = {item.kind: item.digest for item in modem.credentials.list(TAGS[0])}
        assert sorted(listed) == [0, 1, 2]
        assert listed[0] == digest_of(first.root_ca_pem)
        assert listed[1] == digest_of(first.chain_pem or first.certificate_pem)
        assert (first.chain_pem is not None) == (origin is KeyOrigin.CLOUD)
        if origin is KeyOrigin.DEVICE:
            assert first.keygen.signed_by(_identity_key(any_board))
        mark = timeline.mark()
        kept = provision(modem, request_for(origin), cloud_keys=keys)
        assert (kept.kept, kept.certificate_id) == (True, first.certificate_id)
        assert not any("CFUN" in event.text or "CMNG=0" in event.text for event in timeline.since(mark))
        second = provision(modem, request_for(origin, renew=True), cloud_keys=keys)
        assert (second.sec_tag, second.kept) == (TAGS[1], False)
        assert second.commit()
        assert modem.credentials.list(TAGS[0]) == []
        assert modem.functional_mode() == 1
    assert not any("PRIVATE KEY" in event.text for event in timeline.since())


@pytest.mark.parametrize("origin", [KeyOrigin.DEVICE, KeyOrigin.HOST])
def test_the_modems_token_is_signed_with_the_provisioned_key(any_board, on, timeline, request_for, keys, origin):
    with on(any_board, timeline) as modem:
        made = provision(modem, request_for(origin), cloud_keys=keys)
        modem.register(timeout=30.0)
        token = modem.jwt(sec_tag=made.sec_tag, subject=DEVICE_ID, audience="team")
        assert made.public_key is not None
        token.verify(made.public_key, now=time.time())
        assert (token.claims["sub"], token.claims["aud"]) == (DEVICE_ID, "team")
        assert token.expires_at == token.claims["iat"] + 600
        assert token.device_uuid == any_board["device_uuid"]
        claims = jwt.decode(token.token, made.public_key, algorithms=["ES256"], audience="team")
        assert claims == dict(token.claims)
        with pytest.raises(JwtMismatch):
            token.verify(_identity_key(any_board))
    assert not any(token.token in event.text for event in timeline.since())


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"expires_in": 0},
        {"expires_in": None, "subject": None, "audience": None},
        {"expires_in": None, "subject": None, "audience": "team"},
        {"expires_in": 60, "subject": None, "audience": None},
    ],
)
def test_every_form_of_the_identity_keys_token(any_board, on, timeline, arguments):
    with on(any_board, timeline) as modem:
        modem.register(timeout=30.0)
        token = modem.jwt(**arguments)
    token.verify(_identity_key(any_board), now=time.time())
    assert token.claims["sub"] == any_board["device_uuid"]
    assert (token.expires_at is None) == (not arguments.get("expires_in", 600))
    assert ("aud" in token.claims) == (arguments.get("audience") == "team")


def test_a_token_needs_a_key_and_the_time(board, on, timeline):
    with on(board, timeline) as modem:
        with pytest.raises(AtError) as caught:
            modem.jwt(sec_tag=TAGS[0], expires_in=0)
        assert caught.value.code == 513


@pytest.mark.parametrize("challenge", [None, bytes(range(16))])
def test_the_attestation_token(any_board, on, timeline, challenge):
    with on(any_board, timeline) as modem:
        token = modem.attestation_token(challenge)
        model = modem.identity().model
    assert token.uuid == any_board["device_uuid"]
    assert token.model.split()[0] == model.split("-")[0]
    assert token.signed_by(_identity_key(any_board))
    assert not token.signed_by(ec.generate_private_key(ec.SECP256R1()).public_key())
    assert challenge in (None, token.nonce)
    assert not any(token.token in event.text for event in timeline.since())


def test_foreign_credentials_are_adopted_only_with_leave(board, on, timeline, request_for, root_ca):
    with on(board, timeline) as modem:
        for tag in TAGS:
            modem.credentials.write(tag, CredentialKind.ROOT_CA, root_ca)
        before = modem.credentials.list()
        with pytest.raises(Misuse, match=r"sec_tag 16842753 .*\(type 0; no record in .*\): set adopt: true"):
            provision(modem, request_for())
        assert modem.credentials.list() == before
        made = provision(modem, request_for(adopt=True))
        assert json.loads(made.saved.read_text())["contents"] == {"0": root_ca}


def test_a_full_store_leaves_the_former_credentials(board, on, timeline, request_for):
    with on(board, timeline) as modem:
        first = provision(modem, request_for())
        used = {item.kind: item.digest for item in modem.credentials.list(TAGS[0])}
        _fill(modem)
        with pytest.raises(ProvisioningFailed, match=r"515 \(memory full\); sec_tag 16842754 is empty as before"):
            provision(modem, request_for(renew=True))
        assert {item.kind: item.digest for item in modem.credentials.list(TAGS[0])} == used
        assert modem.credentials.list(TAGS[1]) == []
        assert provision(modem, request_for()).certificate_id == first.certificate_id


def test_a_full_store_with_one_sec_tag_leaves_even_the_key(board, on, timeline, request_for, root_ca):
    with on(board, timeline) as modem:
        request = request_for(KeyOrigin.HOST, sec_tags=TAGS[:1])
        first = provision(modem, request)
        before = modem.credentials.list(TAGS[0])
        _fill(modem)
        with pytest.raises(ProvisioningFailed, match=r"515 .*; sec_tag 16842753 holds its former credentials$"):
            provision(modem, replace(request, root_ca_pem=root_ca * 2))
        assert modem.credentials.list(TAGS[0]) == before
        assert provision(modem, request).certificate_id == first.certificate_id


def _fill(modem):
    """Fill the store until less than a certificate goes in."""
    for size in (4000, 400):
        for tag in FILL:
            try:
                if not modem.credentials.list(tag):
                    modem.credentials.write(tag, CredentialKind.PSK_IDENTITY, "0" * size)
            except AtError as error:
                if error.code != 515:
                    raise
                break
        else:
            pytest.fail("the store takes whatever it is given")


def test_firmware_that_makes_no_keys(on, timeline, request_for):
    with _stand_in("--model", "nrf9160-1.2") as board, on(board, timeline) as modem:
        with pytest.raises(Misuse, match=r"has no AT%KEYGEN.*key origin host"):
            provision(modem, request_for())
        made = provision(modem, request_for(KeyOrigin.HOST))
        assert sorted(item.kind for item in modem.credentials.list(made.sec_tag)) == [0, 1, 2]


def test_low_voltage_is_one_clear_line(timeline, request_for):
    with _stand_in("--fault", "low-voltage") as board, _modem(board, timeline) as modem:
        with pytest.raises(
            ProvisioningFailed, match=r"528 \(.*power-off warning.*\); sec_tag 16842753 is empty"
        ) as caught:
            provision(modem, request_for())
        assert "\n" not in str(caught.value)
        assert modem.credentials.list(TAGS[0]) == []


def test_a_board_without_imei(timeline, request_for):
    refused = pytest.raises(AtError, match=r"AT\+CGSN=1 answered")
    with _stand_in("--fault", "no-imei") as board, _modem(board, timeline) as modem, refused:
        provision(modem, request_for())


def test_a_clock_of_another_year_is_told(board, on, timeline):
    with on(board, timeline) as modem:
        modem.register(timeout=30.0)
        token = modem.jwt()
    later = datetime.now(UTC).timestamp() + 3600
    with pytest.raises(JwtMismatch, match=r"expired .* s ago by this computer's clock"):
        token.verify(_identity_key(board), now=later)
    with pytest.raises(JwtMismatch, match="ahead of this computer's clock"):
        token.verify(_identity_key(board), now=later - 7200)
