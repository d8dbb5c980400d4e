import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.redact import SECRETS
from harness.timeline import packed, size_of, unpacked
from harness.timeline.payload import LARGEST, shown

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJuUkY5MTYxIn0.MEUCIQDkq1mGb7mVt8q3M3Zr8nS1"


@given(st.binary(max_size=200))
def test_bytes_come_back_as_they_were(payload):
    assert unpacked(packed(payload)) == payload
    assert size_of(packed(payload)) == len(payload)


def test_the_three_forms():
    assert packed("Temperatur 3 °C\r\n".encode()) == {"payload": "Temperatur 3 °C\r\n"}
    assert packed(b"\xff\x00") == {"payload": "/wA=", "encoding": "base64"}
    large = b"x" * (LARGEST + 1)
    assert packed(large) == {"size": 4097, "sha256": hashlib.sha256(large).hexdigest()}
    assert "payload" in packed(large[1:])


def test_of_a_large_payload_its_nonces_are_left():
    nonces = [b"n0123456789abcdef", b"nfedcba9876543210"]
    data = packed(b"x" * 5000 + b" " + nonces[0] + b'"' + nonces[1] + b'","' + nonces[0] + b" n0123 " + b"y" * 5000)
    assert data["nonces"] == ["n0123456789abcdef", "nfedcba9876543210"]
    assert all(nonce in unpacked(data) for nonce in nonces)
    assert size_of(data) > 10_000


def test_no_secret_is_packed():
    SECRETS.add("account-key-of-a-team")
    assert "MEUC" not in packed(f'{{"token":"{TOKEN}"}}'.encode())["payload"]
    assert packed(b"key account-key-of-a-team") == {"payload": "key <redacted>"}


def test_for_people():
    assert shown(packed(b"abc")) == "abc"
    assert shown(packed(b"abc"), limit=2) == "ab…"
    assert shown(packed(b"\xff\x00")) == "2 bytes"
    assert shown(packed(b"x" * 5000)) == "5000 bytes"


def test_an_unknown_encoding_is_no_payload():
    with pytest.raises(ValueError, match="'rot13'"):
        unpacked({"payload": "nop", "encoding": "rot13"})


def test_a_secret_in_bytes_that_are_no_text_is_cut():
    SECRETS.add("0123456789abcdef")
    data = packed(b"\xff0123456789abcdef\xfe")
    assert data["encoding"] == "base64"
    assert unpacked(data) == b"\xff<redacted>\xfe"
