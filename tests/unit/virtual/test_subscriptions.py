"""The trie against a plain matcher written from the standard's text, level by level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.broker.subscriptions import Subscriptions

levels = st.sampled_from(["a", "b", "", "$aws", "$x"])
topics = st.lists(levels, min_size=1, max_size=4).map("/".join)
filters = st.builds(
    lambda parts, tail: "/".join(parts) + tail,
    st.lists(levels | st.just("+"), min_size=1, max_size=4),
    st.sampled_from(["", "/#"]),
) | st.just("#")


def matches(text, topic, *, parent):
    wanted, had = text.split("/"), topic.split("/")
    if had[0].startswith("$") and wanted[0] in "+#" and wanted[0]:
        return False
    if wanted[-1] == "#":
        above = wanted[:-1]
        deep_enough = len(had) >= len(above) if parent else len(had) > len(above)
        return deep_enough and all(level in ("+", name) for level, name in zip(above, had, strict=False))
    return len(wanted) == len(had) and all(level in ("+", name) for level, name in zip(wanted, had, strict=True))


@given(st.lists(st.tuples(filters, st.sampled_from("xyz"), st.integers(0, 1)), max_size=8), topics, st.booleans())
def test_match_agrees_with_the_plain_matcher(subscribed, topic, parent):
    subscriptions = Subscriptions(hash_matches_parent=parent)
    latest = {}
    for text, client_id, qos in subscribed:
        subscriptions.add(text, client_id, qos)
        latest[text, client_id] = qos
    expected = {}
    for (text, client_id), qos in latest.items():
        if matches(text, topic, parent=parent):
            expected[client_id] = max(qos, expected.get(client_id, 0))
    assert subscriptions.match(topic) == expected


@given(st.lists(st.tuples(filters, st.sampled_from("xy")), max_size=8), st.randoms(use_true_random=False))
def test_nothing_is_left_when_all_are_removed(subscribed, random):
    subscriptions = Subscriptions(hash_matches_parent=False)
    for text, client_id in subscribed:
        subscriptions.add(text, client_id, 0)
    assert subscriptions.empty == (not subscribed)
    random.shuffle(subscribed)
    for text, client_id in subscribed:
        subscriptions.remove(text, client_id)
    assert subscriptions.empty


def test_hash_and_its_parent():
    aws, oasis = Subscriptions(hash_matches_parent=False), Subscriptions(hash_matches_parent=True)
    for subscriptions in (aws, oasis):
        subscriptions.add("sensor/#", "x", 1)
    assert aws.match("sensor") == {}
    assert oasis.match("sensor") == {"x": 1}
    assert aws.match("sensor/") == oasis.match("sensor/") == {"x": 1}


@pytest.mark.parametrize("text", ["#", "+/things", "+/#"])
def test_leading_wildcards_do_not_reach_reserved_topics(text):
    subscriptions = Subscriptions(hash_matches_parent=True)
    subscriptions.add(text, "x", 0)
    assert subscriptions.match("$aws/things") == {}


def test_removing_what_is_not_there_changes_nothing():
    subscriptions = Subscriptions(hash_matches_parent=False)
    subscriptions.add("a/b", "x", 1)
    subscriptions.remove("a", "x")
    subscriptions.remove("a/b/c", "x")
    subscriptions.remove("a/b", "y")
    assert subscriptions.match("a/b") == {"x": 1}
