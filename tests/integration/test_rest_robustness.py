"""REST takes whatever bytes come: every answer has a form, a mistake is the client's, and nothing breaks.

Statuses: RFC 9110 and RFC 9112. The form of a refusal: nRF Cloud REST API.
"""

import gzip
import json
import socket
import ssl

import pytest

from tests.integration import random_requests, schema_run
from tests.integration.cloud_lab import DEADLINE


def exchange(lab, data, *, provisioning=False):
    """Send bytes on a connection of their own; return status and JSON of the answer."""
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    address = lab.cloud.provisioning_address if provisioning else lab.cloud.rest_address
    with (
        socket.create_connection(address, timeout=DEADLINE) as tcp,
        context.wrap_socket(tcp, server_hostname="api.nrfcloud.com") as tls,
    ):
        tls.sendall(data)
        answer = b""
        while more := tls.recv(65536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def request(lab, *fields, method="POST", target="/v1/devices/dev-1", body=b""):
    key = f"Authorization: Bearer {lab.cloud.api_key}"
    lines = [f"{method} {target} HTTP/1.1", "Host: api.nrfcloud.com", "Connection: close", key, *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@pytest.mark.parametrize("provisioning", [False, True])
@pytest.mark.parametrize(
    ("fields", "change", "status", "reason"),
    [
        (("X: a\x00b",), {}, 400, "malformed"),
        ((), {"method": "BREW"}, 400, "method"),
        (("Content-Length: -1",), {}, 400, "Length"),
        (("Content-Length: 5x",), {}, 400, "Length"),
        (("Transfer-Encoding: chunked",), {"body": b"zz\r\n"}, 400, "chunks"),
        (("Transfer-Encoding: rot13",), {}, 400, "chunked"),
        ((f"X: {'a' * 9000}",), {}, 400, "too long"),
        ((), {"target": "/v1/devices/\xff\xfe"}, 400, "URL"),
        (("Expect: 200-maybe",), {}, 417, "Expectation"),
    ],
)
def test_what_is_no_http_is_refused_like_everything_else(lab, capfd, fields, change, status, reason, provisioning):
    got, answer = exchange(lab, request(lab, *fields, **change), provisioning=provisioning)
    assert (got, answer["code"]) == (status, status * 100)
    assert reason in answer["message"]
    entry = lab.journal.wait("http_refused", status=status, reason=answer["message"])
    assert capfd.readouterr().err == ""
    assert [event for event, _ in lab.journal.events] == ["http_refused"]
    assert lab.cloud.api_key not in json.dumps(entry)


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("gzip", b"no gzip", (400, 40000)),
        ("deflate", b"no deflate", (400, 40000)),
        ("rot13", b"{}", (415, 41500)),
        ("gzip", gzip.compress(b"{}", mtime=0), (422, 42200)),  # read, and wrong in another way
    ],
)
def test_a_body_is_what_its_encoding_says(lab, capfd, encoding, body, expected):
    fields = (f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}", "Content-Type: application/json")
    status, answer = exchange(lab, request(lab, *fields, body=body))
    assert (status, answer["code"]) == expected
    assert lab.journal.wait("rest", status=status)["code"] == expected[1]
    assert capfd.readouterr().err == ""


def test_a_client_that_goes_away_within_its_body_is_noted_and_no_more(lab, capfd):
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    with (
        socket.create_connection(lab.cloud.rest_address, timeout=DEADLINE) as tcp,
        context.wrap_socket(tcp, server_hostname="api.nrfcloud.com") as tls,
    ):
        tls.sendall(request(lab, "Content-Length: 100", body=b"{"))
    lab.journal.wait("rest", status=400)
    assert lab.rest.get("/status") == {"status": "ok"}
    assert capfd.readouterr().err == ""


def test_requests_that_the_document_describes():
    """A little of ``python -m tests.integration.schema_run``."""
    cases, errors = schema_run.try_out(["team"], "--phases", "fuzzing", "--max-examples", "2", "--seed", "1")
    assert errors == ""
    assert cases["team"] > 100


def test_random_requests():
    """15,000 take a while: ``python -m tests.integration.random_requests``."""
    statuses, errors = random_requests.try_out(3000, seed=1)
    assert errors == ""
    assert max(status for status in statuses if isinstance(status, int)) < 502
    assert statuses["closed"] < 30  # bytes that are no request at all
