from hypothesis import given
from hypothesis import strategies as st

from harness.cloud import ObservedMessage
from harness.redact import SECRETS
from harness.timeline import Kind, Timeline


def record(topic, payload, qos=1, retain=False):
    timeline = Timeline()
    text, data = ObservedMessage.draft(topic, payload, qos, retain)
    return timeline.add(Kind.CLOUD, "observer", text, **data)


@given(topic=st.text(min_size=1), payload=st.binary(), qos=st.integers(0, 1), retain=st.booleans())
def test_message_survives_the_timeline(topic, payload, qos, retain):
    event = record(topic, payload, qos, retain)
    message = ObservedMessage.of(event)
    assert message == ObservedMessage(topic, payload, qos, retain, event.t, event.seq)


def test_text_payload_is_readable_and_binary_is_counted():
    assert record("a/b", b'{"x":1}').text == 'a/b: {"x":1}'
    assert record("a/b", b"\xff\x00").text == "a/b: 2 bytes"
    assert record("a/b", b"\xff\x00").data["payload"] == "/wA="
    assert len(record("a", b"x" * 4000).text) == 124
    assert record("a", b"x" * 5000).text == "a: 5000 bytes"


def test_a_large_message_is_recognised_by_its_nonce():
    message = ObservedMessage.of(record("a", b"x" * 5000 + b' "n0123456789abcdef"'))
    assert message is not None
    assert b"n0123456789abcdef" in message.payload
    assert b"n0000000000000000" not in message.payload


def test_secrets_stay_out():
    SECRETS.add("0123456789abcdef-message")
    assert record("a", b"k=0123456789abcdef-message").data["payload"] == "k=<redacted>"


def test_other_events_are_no_messages():
    timeline = Timeline()
    assert ObservedMessage.of(timeline.add(Kind.CLOUD, "twin", "GET /account -> 200", status=200)) is None
    assert ObservedMessage.of(timeline.add(Kind.RX, "board", "x", topic="t")) is None
