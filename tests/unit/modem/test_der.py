import contextlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from harness.modem.der import encode, mend_csr, split
from tests.unit.modem.keygen_maker import make_csr
from tests.unit.modem.vectors import KEYGEN_CSR


@given(st.lists(st.tuples(st.integers(0, 255), st.one_of(st.binary(max_size=300), st.just(bytes(70_000)))), max_size=5))
def test_split_gives_back_what_encode_made(elements):
    encoded = [encode(tag, content) for tag, content in elements]
    assert [tuple(element) for element in split(b"".join(encoded))] == [
        (tag, content, whole) for (tag, content), whole in zip(elements, encoded, strict=True)
    ]


def test_lengths_are_written_as_der_wants_them():
    assert encode(0x04, bytes(127))[:2] == b"\x04\x7f"
    assert encode(0x04, bytes(128))[:3] == b"\x04\x81\x80"
    assert encode(0x04, bytes(256))[:4] == b"\x04\x82\x01\x00"


@pytest.mark.parametrize(
    "broken",
    [b"\x30", b"\x30\x02\x05", b"\x30\x80\x05\x00\x00\x00", b"\x04\x81\x05hello", b"\x30\x82\x01", b"\x05\x00\x30"],
    ids=["head", "cut", "indefinite", "long length", "cut length", "trailing"],
)
def test_what_is_not_der_is_a_value_error(broken):
    with pytest.raises(ValueError, match="DER"):
        split(broken)


@given(st.binary(max_size=40))
def test_junk_is_mended_never_and_refused_with_value_error_only(junk):
    with contextlib.suppress(ValueError):
        assert mend_csr(junk) == junk


@pytest.mark.parametrize("common_name", ["x", "a" * 64])  # lengths of one and of two bytes
def test_null_is_taken_out_and_both_lengths_follow(common_name):
    key = ec.generate_private_key(ec.SECP256R1())
    old = make_csr(key, common_name=common_name, with_null=True)
    with pytest.raises(ValueError, match="ExtraData"):
        x509.load_der_x509_csr(old)
    mended = mend_csr(old)
    assert len(mended) in (len(old) - 2, len(old) - 3)
    loaded = x509.load_der_x509_csr(mended)
    assert loaded.is_signature_valid
    assert loaded.public_key() == key.public_key()


def test_a_csr_in_the_newer_form_stays_as_it_is():
    new = make_csr(ec.generate_private_key(ec.SECP256R1()))
    assert mend_csr(new) == new


@pytest.mark.parametrize("vector", KEYGEN_CSR, ids=lambda v: v["id"])
def test_recorded_csrs(vector):
    body = bytes.fromhex(vector["body_hex"])
    old_form = bytes.fromhex("300c06082a8648ce3d0403020500")
    assert (old_form in body) is vector["csr_sigalg_has_NULL"]
    mended = mend_csr(body)
    assert old_form not in mended
    assert (mended != body) is vector["csr_sigalg_has_NULL"]


def test_the_same_bytes_elsewhere_are_left_alone():
    old = make_csr(ec.generate_private_key(ec.SECP256R1()), with_null=True)
    info, algorithm, signature = split(split(old)[0].content)
    decoy = encode(0x30, encode(0x04, algorithm.encoded) + info.encoded)
    mended = mend_csr(encode(0x30, decoy + algorithm.encoded + signature.encoded))
    assert split(split(mended)[0].content)[0].encoded == decoy
    assert split(split(mended)[0].content)[1].content == algorithm.content[:-2]
