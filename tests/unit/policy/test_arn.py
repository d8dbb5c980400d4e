"""Resource names. AWS IoT Core Developer Guide, "Action resources"."""

import pytest

from harness.policy.documents.arn import other_topic_type, resource_part, topic_arn, topicfilter_arn


@pytest.mark.parametrize(
    ("arn", "part"),
    [
        (topic_arn("a/b"), "topic/a/b"),
        (topic_arn("a:b"), "topic/a:b"),
        ("*", "*"),
        ("arn:aws:iot:*client/x", "arn:aws:iot:*client/x"),
        ("", ""),
    ],
)
def test_resource_part(arn, part):
    assert resource_part(arn) == part


def test_other_topic_type():
    assert other_topic_type(topic_arn("topic/b")) == topicfilter_arn("topic/b")
    assert other_topic_type(topicfilter_arn("a/#")) == topic_arn("a/#")
    assert other_topic_type("arn:aws:iot:r:1:client/a") is None
    assert other_topic_type("arn:aws:iot:r:1:topic") is None
    assert other_topic_type("*") is None
