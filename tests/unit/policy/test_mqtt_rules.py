import pytest

from harness.policy.evaluation.mqtt_rules import (
    beyond_trials,
    is_request,
    may_be_retained,
    possible_client_id,
    possible_filter,
    possible_topic,
)


@pytest.mark.parametrize(
    "text", ["a", "a/b", "/", "a//b", "$aws/things/d/shadow/get", "$aws/things/d/jobs/x", "x" * 256]
)
def test_topics(text):
    assert possible_topic(text)


@pytest.mark.parametrize(
    "text",
    ["", "a/+", "#", "a\0", "1/2/3/4/5/6/7/8/9", "x" * 257, "ä" * 129, "$SYS/x", "$aws/things/d/jobs", "$aws/other/x"],
)
def test_no_topics(text):
    assert not possible_topic(text)


@pytest.mark.parametrize(
    "text",
    [
        "$aws/certificates/create/json",
        "$aws/provisioning-templates/t/provision/json",
        "$aws/things/d/defender/metrics/json",
        "$aws/things/d/tunnels/notify",
        "$aws/things/d/streams/s/get/json",
        "$aws/events/presence/connected/d",
    ],
)
def test_topics_of_services_that_nrf_cloud_does_not_use(text):
    assert possible_topic(text)
    assert beyond_trials(text)
    assert not is_request(text)


def test_what_trials_are_made_of():
    assert beyond_trials("$share/g/a")
    assert not any(map(beyond_trials, ("a", "$aws/things/d/shadow/get", "$aws/things/d/jobs/notify", "$aws/#")))


def test_basic_ingest_does_not_count():
    assert possible_topic("$aws/rules/rule/1/2/3/4/5/6/7/8")
    assert not possible_topic("$aws/rules/rule/1/2/3/4/5/6/7/8/9")


@pytest.mark.parametrize(
    "text", ["#", "+", "a/#", "+/a/+", "$aws/things/d/#", "a/b/c/d/e/f/g/h", "$share/g/a", "$share/g/b/#"]
)
def test_filters(text):
    assert possible_filter(text)


@pytest.mark.parametrize(
    "text", ["", "a#", "a/b#", "#/a", "a/+b", "$share/g", "$share/g/", "$share/+/a", "$SYS/#", "a/b/c/d/e/f/g/h/i"]
)
def test_no_filters(text):
    assert not possible_filter(text)


def test_client_ids():
    assert possible_client_id("dev/1")
    assert [possible_client_id(text) for text in ("", "$dev", "x" * 129)] == [False] * 3


@pytest.mark.parametrize(
    ("topic", "answer"),
    [
        ("a/b", True),
        ("$aws/things/d/shadow/get", True),
        ("$aws/things/d/shadow/name/n/update", True),
        ("$aws/things/d/jobs/$next/get", True),
        ("$aws/rules/r/x", True),
        ("$aws/things/d/shadow/get/accepted", False),
        ("$aws/things/d/jobs/notify", False),
    ],
)
def test_requests(topic, answer):
    assert is_request(topic) is answer


def test_reserved_topics_are_not_retained():
    assert may_be_retained("a/b")
    assert not may_be_retained("$aws/things/d/shadow/get")
