"""The message store: what is stored, for which device, and what a query finds."""

from datetime import timedelta

import pytest

from harness.virtual.cloud.services.messages import MessageQuery, MessageStore

from .cloud_makers import NOON


@pytest.fixture
def store():
    return MessageStore("prod/t/", "t")


def test_an_item_as_the_api_lists_it(store):
    store.add("dev-1", "prod/t/m/d/dev-1/d2c", b'{"appId":"TEMP","data":"21"}', NOON)
    (found,) = store.find(MessageQuery())
    assert found.item() == {
        "tenantId": "t",
        "topic": "prod/t/m/d/dev-1/d2c",
        "deviceId": "dev-1",
        "receivedAt": "2030-01-01T12:00:00.000Z",
        "message": {"appId": "TEMP", "data": "21"},
    }


@pytest.mark.parametrize("topic", ["prod/t/a/x", "prod/t/dev-1/jobs/req", "prod/other/m/x", "prod/t/m", "m/x"])
def test_only_the_teams_m_topics_are_stored(store, topic):
    assert store.add("dev-1", topic, b"{}", NOON) is None
    assert list(store.find(MessageQuery())) == []


@pytest.mark.parametrize(
    ("topic", "device"), [("m/d/dev-2/d2c/bulk", "dev-2"), ("m/d/dev-2", "dev-1"), ("m/other/dev-2/x", "dev-1")]
)
def test_the_device_is_read_from_the_topic(store, topic, device):
    assert store.add("dev-1", f"prod/t/{topic}", b"{}", NOON).device_id == device


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"[1,2]", [1, 2]),
        (b"hello", "hello"),
        (b"", ""),
        (b"NaN", "NaN"),
        (b"\xff\x00", "/wA="),
        (b"[" * 100_000, "[" * 100_000),
        (b"[" * 101 + b"]" * 101, "[" * 101 + "]" * 101),
    ],
)
def test_what_is_no_json_object_is_shown_in_one(store, payload, message):
    stored = store.add("dev-1", "prod/t/m/x", payload, NOON)
    assert stored.content == message
    assert stored.item()["message"] == {"data": message}


def test_queries(store):
    for number, (device, app) in enumerate([("a", "TEMP"), ("a", "GNSS"), ("b", "TEMP")]):
        moment = NOON + timedelta(seconds=number)
        store.add(device, f"prod/t/m/d/{device}/d2c", b'{"appId":"%s"}' % app.encode(), moment)

    def numbers(**query):
        return [message.number for message in store.find(MessageQuery(**query))]

    assert numbers() == [1, 2, 3]
    assert numbers(device_id="a") == [1, 2]
    assert numbers(app_id="TEMP") == [1, 3]
    assert numbers(app_id="TEMP", device_id="b") == [3]
    assert numbers(topic="prod/t/m/d/b/d2c") == numbers(topic="m/d/b/d2c") == [3]
    assert numbers(start=NOON + timedelta(seconds=1)) == [2, 3]
    assert numbers(end=NOON + timedelta(seconds=1)) == [1]


def test_memory_is_bounded():
    store = MessageStore("prod/t/", "t", keep=2)
    for _ in range(3):
        store.add("a", "prod/t/m/x", b"1", NOON)
    assert [message.number for message in store.find(MessageQuery())] == [2, 3]
