"""Which topics a filter takes, and which filters have one in common: a message by one subscription proves no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.trial import PublishAction, SubscribeAction
from harness.trial.filters import overlap, takes
from harness.trial.sham import FILL, AllowedTopics, shams_for

LEVELS = st.lists(st.sampled_from(["a", "b", "", "+"]), min_size=1, max_size=4).map("/".join)
FILTERS = LEVELS | LEVELS.map(lambda text: f"{text}/#") | st.just("#")
TOPICS = st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/c", False),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "+/b", True),
        ("a/+/c", "a/b", False),
        ("a/#", "a/b/c", True),
        ("a/#", "b/#", False),
        ("a/b/#", "a/#", True),
        ("#", "$aws/x", True),
        ("a", "a/#", True),
        ("a", "a/+", False),
        ("a", "a/+/b", False),
    ],
)
def test_overlap(one, other, common):
    assert overlap(one, other) is common
    assert overlap(other, one) is common


@pytest.mark.parametrize(
    ("topic_filter", "topic", "taken"),
    [
        ("a/#", "a/b", True),
        ("+/b", "a/b", True),
        ("#", "$aws/a", False),
        ("+/a", "$aws/a", False),
        ("$aws/#", "$aws/a", True),
    ],
)
def test_takes(topic_filter, topic, taken):
    assert takes(topic_filter, topic) is taken


@given(FILTERS, FILTERS, TOPICS)
def test_two_filters_that_take_a_topic_overlap(one, other, topic):
    if takes(one, topic) and takes(other, topic):
        assert overlap(one, other)


def test_a_sham_hears_nothing_of_what_the_action_asks_for():
    known = AllowedTopics((), ("t/m/#", f"t/m/d/me/{FILL}", "t/m/d/me/#", "s/x"), lambda right, topic: True)
    found = [str(sham.action) for sham in shams_for(SubscribeAction("t/m/d/me/c2d", None), known)]
    assert found == ["subscribe to t/m/d/me/qui (QoS 1)", "subscribe to s/x (QoS 1)"]
    assert [str(sham.action) for sham in shams_for(SubscribeAction("t/#", None), known)] == ["subscribe to s/x (QoS 1)"]
    assert shams_for(PublishAction("t/m/x", None), known) == []
