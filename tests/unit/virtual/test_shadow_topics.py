"""Which topics ask a shadow for something, and where the answers go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.services.shadow import Shadow, ShadowRejected, ShadowRequest, update
from harness.virtual.cloud.services.shadow_topics import (
    ShadowCall,
    answer_get,
    answer_refused,
    answer_update,
    parse_topic,
)

SHADOW = Shadow(3, {"desired": {"a": 1}}, {"desired": {"a": {"timestamp": 5}}})
S = "$aws/things/dev-1/shadow"


@pytest.mark.parametrize(
    ("topic", "call"),
    [
        (f"{S}/get", ShadowCall("dev-1", "get")),
        (f"{S}/update", ShadowCall("dev-1", "update")),
        (f"{S}/delete", ShadowCall("dev-1", "delete")),
        ("dev-1/shadow/update", ShadowCall("dev-1", "update")),
        ("dev-1/shadow/get/trim", ShadowCall("dev-1", "get/trim")),
        ("dev-1/shadow/get/tf", ShadowCall("dev-1", "get/tf")),
        ("dev-1/shadow/get", None),
        ("dev-1/shadow/delete", None),
        ("dev-1/shadow/get/accepted/tf", None),
        ("prod/dev-1/shadow/update", None),
        ("$aws/shadow/update", None),
        ("/shadow/update", None),
        (f"{S}/get/accepted", None),
        (f"{S}/name/other/get", None),
    ],
)
def test_topics(topic, call):
    assert parse_topic(topic) == call


@given(st.text())
def test_any_topic_is_a_request_or_not(topic):
    call = parse_topic(topic)
    assert call is None or topic in (f"{call.aws}", f"{call.thing}/shadow/{call.action}")


def test_each_way_to_get_has_its_own_answers():
    assert [topic for topic, _ in answer_get(ShadowCall("dev-1", "get"), SHADOW, b"", 9)] == [
        f"{S}/get/accepted",
        "dev-1/shadow/get/accepted",
    ]
    trimmed = ("dev-1/shadow/get/accepted/trim", {"desired": {"a": 1}})
    assert answer_get(ShadowCall("dev-1", "get/trim"), SHADOW, b"", 9) == [trimmed]
    transform = b"{\"t\":\"{'d':state.delta,'v':version}\"}"
    transformed = ("dev-1/shadow/get/accepted/tf", {"tf": {"d": {"a": 1}, "v": 3}})
    assert answer_get(ShadowCall("dev-1", "get/tf"), SHADOW, transform, 9) == [transformed]


@pytest.mark.parametrize("action", ["get", "get/trim", "get/tf"])
def test_there_is_nothing_to_get(action):
    with pytest.raises(ShadowRejected, match="No shadow exists"):
        answer_get(ShadowCall("dev-1", action), Shadow(), b'{"t":"state"}' if action == "get/tf" else b"", 9)


@pytest.mark.parametrize(
    ("action", "topics"),
    [
        ("get", [f"{S}/get/rejected", "dev-1/shadow/get/rejected"]),
        ("get/trim", ["dev-1/shadow/get/rejected"]),
        ("get/tf", ["dev-1/shadow/get/rejected"]),
        ("update", [f"{S}/update/rejected"]),
        ("delete", [f"{S}/delete/rejected"]),
    ],
)
def test_refusals(action, topics):
    publications = answer_refused(ShadowCall("dev-1", action), ShadowRejected(404, "none", "t"), 9)
    document = {"code": 404, "message": "none", "timestamp": 9, "clientToken": "t"}
    assert publications == [(topic, document) for topic in topics]


def test_an_update_without_a_difference_makes_no_delta():
    request = ShadowRequest({"reported": {"a": 1}})
    publications = answer_update("dev-1", request, update(SHADOW, request, 9))
    assert [topic for topic, _ in publications] == [f"{S}/update/accepted", f"{S}/update/documents"]
