"""REST calls that something else than this computer's network carries."""

import requests

from harness.cloud import BoardTransport


def test_a_call_is_handed_over_and_its_reply_is_one_of_requests():
    asked = []

    def exchange(method, target, headers, body):
        asked.append((method, target, dict(headers), body))
        return 202, b'{"done": true}'

    session = requests.Session()
    session.headers.clear()
    session.mount("https://", BoardTransport(exchange))
    answer = session.request(
        "PATCH", "https://127.0.0.1:1/v1/x", params={"a": "b"}, json={"c": 1}, headers={"Host": "h", "X": "y"}
    )
    assert (answer.status_code, answer.json(), answer.ok) == (202, {"done": True}, True)
    assert asked == [("PATCH", "/v1/x?a=b", {"X": "y", "Content-Type": "application/json"}, b'{"c": 1}')]


def test_a_call_without_a_body():
    session = requests.Session()
    session.mount("https://", BoardTransport(lambda method, target, headers, body: (404, body)))
    answer = session.get("https://127.0.0.1:1/")
    assert (answer.status_code, answer.content) == (404, b"")
