"""Key generation, checked with the means of the receiving side: nothing here asks the board's own code."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from harness.virtual.board.personality import NRF9151_MFW_2_0_2, AttestationForm
from tests.unit.virtual_board.bench import ERROR, OK, Bench, cme
from tests.unit.virtual_board.signatures import parts, skeleton, verify

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "vectors-modem.json").read_text())


@pytest.fixture
def bench():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    return bench


def test_csr_and_its_statement(bench):
    body, cose = parts(bench.ask("AT%KEYGEN=16842753,2,0"), "%KEYGEN")
    csr = x509.load_der_x509_csr(body)
    assert csr.is_signature_valid
    assert csr.public_key().curve.name == "secp256r1"
    device_uuid = bench.nvm.identity.device_uuid
    assert csr.subject == x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(device_uuid))])
    assert len(csr.extensions) == 1
    usage = csr.extensions.get_extension_for_class(x509.KeyUsage)
    assert not usage.critical
    assert (usage.value.digital_signature, usage.value.key_agreement, usage.value.data_encipherment) == (1, 1, 0)

    payload = verify(bench, cose, b"")
    assert payload.startswith(bytes.fromhex("d9d9f785"))
    kind, uuid_bytes, tag, digest, nonce = cbor2.loads(payload)
    assert (kind, uuid_bytes, tag) == (9, device_uuid.bytes, bytes.fromhex("1a01010001"))
    assert digest == hashlib.sha256(body).digest()
    assert len(nonce) == 16
    with pytest.raises(InvalidSignature):
        verify(bench, cose, body)


def test_the_csr_has_the_skeleton_of_a_recorded_one(bench):
    vector = next(v for v in VECTORS["keygen_attest"] if v["id"] == "nordic-keygen-csr-tag1235")
    body, cose = parts(bench.ask("AT%KEYGEN=1235,2"), "%KEYGEN")
    recorded = bytes.fromhex(vector["body_hex"])

    assert skeleton(body, 44) == skeleton(recorded, 44)
    assert skeleton(body, 44)[2].endswith(bytes.fromhex("0403 0203e8 300a06082a8648ce3d040302"))
    assert cose[:9] == bytes.fromhex(vector["cose_hex"])[:9]
    assert cbor2.loads(cbor2.loads(cose).value[2])[2] == bytes.fromhex(vector["payload_decoded"]["sec_tag_cbor"])


def test_public_key(bench):
    body, cose = parts(bench.ask("AT%KEYGEN=17,2,1"), "%KEYGEN")
    assert len(body) == 91
    assert serialization.load_der_public_key(body).curve.name == "secp256r1"
    assert cbor2.loads(verify(bench, cose, b""))[0] == 8


def test_the_key_is_listed_and_not_readable(bench):
    bench.ask("AT%KEYGEN=17,2,0")
    first = bench.ask("AT%CMNG=1,17,2")
    assert first.startswith(b'\r\n%CMNG: 17,2,"')
    assert bench.ask("AT%CMNG=1,17,2") == first
    assert bench.ask("AT%CMNG=2,17,2") == cme(514)


def test_attributes_and_key_usage(bench):
    body, _ = parts(bench.ask('AT%KEYGEN=1,2,0,"O=Nordic Semiconductor,L=Trondheim,C=no,CN=mydevice"'), "%KEYGEN")
    names = [(a.oid, a.value) for a in x509.load_der_x509_csr(body).subject]
    assert names == [
        (NameOID.ORGANIZATION_NAME, "Nordic Semiconductor"),
        (NameOID.LOCALITY_NAME, "Trondheim"),
        (NameOID.COUNTRY_NAME, "no"),
        (NameOID.COMMON_NAME, "mydevice"),
    ]
    assert bytes.fromhex("030203e8") in body
    body, _ = parts(bench.ask('AT%KEYGEN=2,2,0,"CN=nrf-355025930000000","101010000"'), "%KEYGEN")
    assert bytes.fromhex("030203a8") in body
    assert x509.load_der_x509_csr(body).subject.rfc4514_string() == "CN=nrf-355025930000000"


def test_refusals(bench):
    assert bench.ask("AT%KEYGEN=1,2,0").endswith(OK)
    assert bench.ask("AT%KEYGEN=1,2,0") == cme(519)
    bench.ask('AT%CMNG=0,2,2,"written"')
    assert bench.ask("AT%KEYGEN=2,2,0") == cme(519)
    assert bench.ask("AT%KEYGEN=4294967294,2,0") == cme(514)
    for wrong in (
        "3,1,0",
        "3,2,2",
        '3,2,0,"X=1"',
        '3,2,0,"CN="',
        '3,2,0,"","012"',
        '3,2,0,"","1010101010"',
        '3,2,0,"C=nor"',
    ):
        assert bench.ask(f"AT%KEYGEN={wrong}") == cme(50), wrong
    for wrong in ("", "3", '"3",2', "3,2,0,CN=x", '3,2,0,"","",1'):
        assert bench.ask(f"AT%KEYGEN={wrong}") == ERROR, wrong
    bench.ask("AT+CFUN=1")
    assert bench.ask("AT%KEYGEN=1,2,0") == cme(518)


def test_a_deleted_key_is_gone_and_the_next_is_another(bench):
    first, _ = parts(bench.ask("AT%KEYGEN=1,2,1"), "%KEYGEN")
    assert bench.ask("AT%CMNG=3,1,2") == OK
    second, _ = parts(bench.ask("AT%KEYGEN=1,2,1"), "%KEYGEN")
    assert first != second


def test_the_endorsement_key_is_made_once(bench):
    first, _ = parts(bench.ask("AT%KEYGEN=1,8,0"), "%KEYGEN")
    second, _ = parts(bench.ask("AT%KEYGEN=1,8,1"), "%KEYGEN")
    assert first == second
    assert len(first) == 91


def test_it_takes_its_time(bench):
    start = bench.time
    bench.ask("AT%KEYGEN=1,2,0")
    assert bench.time - start == pytest.approx(1.2)


def test_keys_survive_a_reset(bench):
    bench.ask("AT%KEYGEN=1,2,0")
    listed = bench.ask("AT%CMNG=1,1")
    bench.ask("AT#XRESET")
    bench.advance(5)
    assert bench.ask("AT%CMNG=1,1") == listed


def test_attestation_token(bench):
    body, cose = parts(bench.ask('AT%ATTESTTOKEN="000102030405060708090a0b0c0d0e0f"'), "%ATTESTTOKEN")
    kind, uuid_bytes, device_type, firmware, nonce = cbor2.loads(body)
    assert (kind, uuid_bytes, device_type) == (1, bench.nvm.identity.device_uuid.bytes, 6)
    assert nonce == bytes(range(16))
    assert bench.ask("AT%XMODEMUUID").decode().split()[1].replace("-", "") == firmware.hex()
    assert (len(body), len(cose)) == (57, 77)
    assert verify(bench, cose, body) is None
    assert len(bench.ask("AT%ATTESTTOKEN")) == len('\r\n%ATTESTTOKEN: ""\r\n\r\nOK\r\n') + 180
    assert bench.ask('AT%ATTESTTOKEN="00"') == cme(50)


@pytest.mark.parametrize("form", AttestationForm)
def test_every_form_of_what_a_token_signs(form):
    bench = Bench(replace(NRF9151_MFW_2_0_2, attestation=form))
    body, cose = parts(bench.ask("AT%ATTESTTOKEN"), "%ATTESTTOKEN")
    signed = {"aad": (body, None), "detached": (b"", body), "both": (body, body)}

    def valid(aad, detached):
        try:
            return verify(bench, cose, aad, detached=detached) is None
        except InvalidSignature:
            return False

    assert {name for name, what in signed.items() if valid(*what)} == {form.value}
