"""Rules of the service, at their borders."""

import pytest

from harness.settings import Limits
from harness.virtual.cloud.broker import rules
from harness.virtual.mqtt import Publish, Subscribe, Will

LIMITS = Limits()


def refused(check, *args):
    with pytest.raises(rules.ClientError) as caught:
        check(*args)
    return str(caught.value)


def test_client_ids():
    rules.check_client_id("x" * 128, LIMITS)
    rules.check_client_id("a$b", LIMITS)
    assert "longer than 128 bytes" in refused(rules.check_client_id, "ä" * 65, LIMITS)
    assert "begins with $" in refused(rules.check_client_id, "$x", LIMITS)
    assert "empty" in refused(rules.check_client_id, "", LIMITS)


@pytest.mark.parametrize("kind", [Publish, Will])
def test_messages(kind):
    rules.check_message(kind("x" * 256, b"x" * 131072, 1), LIMITS)
    rules.check_message(kind("/" * 7), LIMITS)
    rules.check_message(kind("$aws/rules/name/1/2/3/4/5/6/7/8"), LIMITS)
    assert "QoS 2" in refused(rules.check_message, kind("t", b"", 2), LIMITS)
    assert "257 bytes" in refused(rules.check_message, kind("x" * 257), LIMITS)
    assert "131073 bytes" in refused(rules.check_message, kind("t", b"x" * 131073), LIMITS)
    assert "8 slashes" in refused(rules.check_message, kind("/" * 8), LIMITS)
    assert "8 slashes" in refused(rules.check_message, kind("$aws/rules/name/1/2/3/4/5/6/7/8/9"), LIMITS)


def test_subscribes():
    rules.check_subscribe(Subscribe(1, (("a", 1),) * 8), LIMITS)
    assert "9 filters" in refused(rules.check_subscribe, Subscribe(1, (("a", 0),) * 9), LIMITS)
    assert "QoS 2" in refused(rules.check_subscribe, Subscribe(1, (("a", 2),)), LIMITS)
    assert "8 slashes" in refused(rules.check_subscribe, Subscribe(1, (("/" * 8, 0),)), LIMITS)


@pytest.mark.parametrize(
    "topic",
    ["t", "$aws/things/x/shadow/get", "$aws/things/x/shadow/name/n/update", "$aws/things/x/jobs/get", "$aws/rules/r/t"],
)
def test_offered_topics(topic):
    rules.check_offered(Publish(topic))


@pytest.mark.parametrize(
    "topic",
    [
        "$SYS/x",
        "$aws",
        "$aws/events/presence/connected/x",
        "$aws/things/x",
        "$aws/things/x/y/shadow/get",
        "$aws/rules/r",
    ],
)
def test_topics_not_offered(topic):
    assert topic in refused(rules.check_offered, Publish(topic))


def test_reserved_topics_retain_nothing():
    rules.check_offered(Publish("t", retain=True))
    assert "retained" in refused(rules.check_offered, Publish("$aws/things/x/shadow/get", retain=True))


def test_filters_below_dollar():
    rules.check_filter_offered("$aws/things/+/shadow/#")
    rules.check_filter_offered("#")
    assert "$share/g/t" in refused(rules.check_filter_offered, "$share/g/t")
