import pytest

from harness.cloud import RestError, decode_error
from harness.errors import Refusal
from harness.redact import SECRETS


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"code": 40410, "message": "no such device"}', 40410, "no such device"),
        (b'{"code": 40410}', 40410, ""),
        (b'["tags: too long", "subType: bad"]', None, "tags: too long; subType: bad"),
        (b'{"appId": "GROUND_FIX", "messageType": "DATA", "err": 40499}', 40499, ""),
        (b'{"message": null}', None, '{"message": null}'),
        (b"<html>\n<h1>502 Bad Gateway</h1>", None, "<html> <h1>502 Bad Gateway</h1>"),
        (b"", None, ""),
        (b"\xff\x00", None, "\ufffd\x00"),
        (b'{"code": true, "message": 5}', None, ""),
        (b"17", None, "17"),
    ],
)
def test_decodes_every_body_format(body, code, message):
    assert decode_error(body) == (code, message)


def test_long_foreign_body_is_cut():
    _, message = decode_error(b"x" * 5000)
    assert len(message) == 301


def test_message_names_call_status_code_meaning_and_cure():
    error = RestError("DELETE", "/devices/x", 404, 40414, "gone", attempts=1)
    assert isinstance(error, Refusal)
    assert str(error) == (
        "DELETE /devices/x answered 404 (code 40414: no such device): gone;"
        " check the id, and that the device is onboarded to this team"
    )


def test_message_counts_attempts():
    assert "answered 503 at try 4; the cloud failed" in str(RestError("GET", "/account", 503, None, "", attempts=4))


def test_a_secret_that_the_cloud_echoes_is_cut():
    SECRETS.add("0123456789abcdef-echoed")
    error = RestError("GET", "/account", 401, 40100, "bad key 0123456789abcdef-echoed", attempts=1)
    assert error.message == "bad key <redacted>"
    assert "abcdef" not in str(error)


def test_an_answer_that_is_nested_too_deeply_is_shown_as_text():
    assert decode_error(b"[" * 5000)[0] is None
