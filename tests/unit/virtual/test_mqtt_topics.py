"""Topic names and filters."""

import pytest

from harness.virtual.mqtt import Malformed, check_filter, check_topic


@pytest.mark.parametrize("text", ["a", "/", "a//b", "#", "+", "+/+/#", "/#", "$aws/things/+/shadow/#", " ", "é/ü"])
def test_filters(text):
    assert check_filter(text) == text


@pytest.mark.parametrize("text", ["", "a#", "#/a", "#/#", "a/#/b", "a+", "+a/b", "a/b+/c", "++", "a/##"])
def test_no_filters(text):
    with pytest.raises(Malformed):
        check_filter(text)


@pytest.mark.parametrize("text", ["a", "/", "$aws/x", "a b", "ä"])
def test_topics(text):
    assert check_topic(text) == text


@pytest.mark.parametrize("text", ["", "a/+", "#", "a#b"])
def test_no_topics(text):
    with pytest.raises(Malformed):
        check_topic(text)
