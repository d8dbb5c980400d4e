import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.modem.cose import CoseSign1, decode_cbor
from tests.unit.modem.keygen_maker import IDENTITY_KEY, make_cose
from tests.unit.modem.vectors import BY_ID, SIGNED, VECTORS, identity_key

_KEY = IDENTITY_KEY.public_key()


def _aad(vector):
    return b"" if "empty bstr" in vector["sig_structure"] else bytes.fromhex(vector["body_hex"])


@pytest.mark.parametrize("vector", VECTORS["keygen_attest"], ids=lambda v: v["id"])
def test_recorded_statements_are_taken_apart(vector):
    statement = CoseSign1.parse(bytes.fromhex(vector["cose_hex"]))
    payload = vector["cose"]["payload"]
    assert statement.payload == (None if payload is None else bytes.fromhex(payload))
    assert statement.signature.hex() == vector["cose"]["signature"]


@pytest.mark.parametrize("vector", SIGNED, ids=lambda v: v["id"])
def test_recorded_signatures_verify_with_the_identity_key(vector):
    statement = CoseSign1.parse(bytes.fromhex(vector["cose_hex"]))
    assert statement.signed_by(identity_key(vector), external_aad=_aad(vector))
    assert not statement.signed_by(identity_key(vector), external_aad=_aad(vector) + b"x")
    assert not statement.signed_by(_KEY, external_aad=_aad(vector))


def test_the_recordings_hold_both_forms_and_the_payload_that_travels_apart():
    assert {len(_aad(vector)) > 0 for vector in SIGNED} == {True, False}
    assert any(vector["cose"]["payload"] is None for vector in SIGNED)


def test_sig_structure_bytes():
    statement = CoseSign1(b"pay", bytes(64))
    assert statement.signed_bytes(b"aad").hex() == "846a5369676e61747572653143a10126" + "43616164" + "43706179"
    assert CoseSign1(None, bytes(64)).signed_bytes(b"").hex() == "846a5369676e61747572653143a10126" + "40" + "f6"


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_what_the_key_signed_verifies_and_nothing_else(payload, aad):
    statement = CoseSign1.parse(make_cose(payload, external_aad=aad))
    assert statement.payload == payload
    assert statement.signed_by(_KEY, external_aad=aad)
    assert not statement.signed_by(_KEY, external_aad=aad + b"\0")
    assert not CoseSign1(payload + b"\0", statement.signature).signed_by(_KEY, external_aad=aad)


def test_signature_of_zeros_is_no_signature():
    assert not CoseSign1(b"", bytes(64)).signed_by(_KEY)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not CBOR"),
        (b"\x84\x01", "not CBOR"),
        (make_cose(b"p") + b"\0", "after"),
        (cbor2.dumps([1, 2, 3, 4]), "tag 18"),
        (cbor2.dumps(cbor2.CBORTag(17, [b"", {}, b"", b""])), "tag 18"),
        (cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b""])), "four parts"),
        (cbor2.dumps(cbor2.CBORTag(18, 4)), "four parts"),
        (cbor2.dumps(cbor2.CBORTag(18, [bytes.fromhex("a1013822"), {4: b"\x21"}, b"", bytes(64)])), "ES256"),
        (make_cose(b"p", unprotected={4: b"\x23"}), "identity key"),  # -4: Nordic's base production key
        (make_cose(b"p", unprotected={}), "identity key"),
        (cbor2.dumps(cbor2.CBORTag(18, [bytes.fromhex("a10126"), {4: b"\x21"}, "p", bytes(64)])), "byte string"),
        (cbor2.dumps(cbor2.CBORTag(18, [bytes.fromhex("a10126"), {4: b"\x21"}, b"p", bytes(63)])), "64 bytes"),
    ],
    # Said here, because signatures differ from run to run, and pytest-xdist wants the same ids in every worker.
    ids=[
        "empty",
        "cut",
        "more",
        "no-tag",
        "tag-17",
        "three-parts",
        "no-array",
        "es384",
        "other-key",
        "no-key",
        "text",
        "63-bytes",
    ],
)
def test_other_frames_are_value_errors(data, reason):
    with pytest.raises(ValueError, match=reason):
        CoseSign1.parse(data)


@given(st.binary(max_size=60))
def test_junk_is_a_value_error(junk):
    with pytest.raises(ValueError, match=r"CBOR|COSE"):
        CoseSign1.parse(junk)


@pytest.mark.parametrize("container", [list, tuple])
def test_arrays_inside_a_tag_may_be_lists_or_tuples(container, monkeypatch):
    data = bytes.fromhex(BY_ID["nordic-keygen-csr-tag17"]["cose_hex"])
    genuine = decode_cbor(data)
    monkeypatch.setattr("harness.modem.cose.decode_cbor", lambda _: cbor2.CBORTag(18, container(genuine.value)))
    assert CoseSign1.parse(data).signature == genuine.value[3]
