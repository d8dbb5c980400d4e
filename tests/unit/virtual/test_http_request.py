"""HTTP requests out of bytes: whole, in pieces, several at once, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.broker.http_request import BadRequest, HttpDecoder, HttpRequest

# As the nRF Cloud library sends it for JITP.
JITP = (
    b"POST /topics/jitp?qos=1 HTTP/1.1\r\nHost: mqtt.nrfcloud.com:8443\r\nAccept: */*\r\nContent-Type: */*\r\n"
    b"Connection: close\r\n\r\n"
)
BODY = b"POST /topics/a HTTP/1.1\r\ncontent-length:5 \r\n\r\nhello"


def decode(data, longest_body=100):
    decoder = HttpDecoder(longest_body)
    decoder.feed(data)
    return decoder.next_request()


def test_a_request_without_body():
    request = decode(JITP)
    assert (request.method, request.target, request.body, request.keep_alive) == (
        "POST",
        "/topics/jitp?qos=1",
        b"",
        False,
    )
    assert request.fields["host"] == "mqtt.nrfcloud.com:8443"


def test_a_request_with_body():
    assert decode(BODY) == HttpRequest("POST", "/topics/a", {"content-length": "5"}, b"hello", True)


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", False),
    ],
)
def test_whether_the_connection_stays(head, keep_alive):
    assert decode(head).keep_alive is keep_alive


@given(st.lists(st.integers(1, len(JITP) + len(BODY) - 1), max_size=6))
def test_pieces_make_no_difference(cuts):
    data, found, start = BODY + JITP, [], 0
    decoder = HttpDecoder(100)
    for end in (*sorted(set(cuts)), len(data)):
        decoder.feed(data[start:end])
        start = end
        while request := decoder.next_request():
            found.append(request.target)
    assert found == ["/topics/a", "/topics/jitp?qos=1"]


@pytest.mark.parametrize(
    "data",
    [
        b"POST /topics/a\r\n\r\n",
        b"post /topics/a HTTP/1.1\r\n\r\n",
        b"POST /topics/a HTTP/2\r\n\r\n",
        b"POST /topics/a HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /topics/a HTTP/1.1\r\nname : x\r\n\r\n",
        b"POST /topics/a HTTP/1.1\r\n folded: x\r\n\r\n",
        b"POST /topics/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /topics/a HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /topics/a HTTP/1.1\r\nContent-Length: 101\r\n\r\n",
        b"POST /topics/a HTTP/1.1\r\nContent-Length: 0000000000\r\n\r\n",
        b"POST /topics/a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"x" * 8193,
    ],
)
def test_what_is_no_request(data):
    with pytest.raises(BadRequest):
        decode(data)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_request_nothing_or_a_refusal(data):
    try:
        request = decode(data + b"\r\n\r\n")
    except BadRequest:
        return
    assert request is None or isinstance(request, HttpRequest)
