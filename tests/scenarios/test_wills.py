"""Wills: what the broker publishes for a device that goes without a word. AWS IoT authorises them at CONNECT."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.firmware import Capability, Will
from harness.policy.derivation.case import Request, Verb
from harness.trial import Outcome
from tests.scenarios.expected import allowed, forbidden

_PAYLOAD = b'{"appId":"HARNESS","messageType":"DATA","data":"will"}'


pytestmark = pytest.mark.needs(Capability.WILL)


def _with_will(board, topic, *, retain=False):
    return replace(board.device.login(), will=Will(topic, _PAYLOAD, retain=retain))


def _request(board, topic, *, retain=False):
    return Request(Verb.CONNECT, board.device.id, retain=retain, will=topic)


def test_an_allowed_will_is_published_when_the_device_goes_without_a_word(board, device, provisioned, topics, observer):
    topic = topics.team(f"m/d/{topics.device_id}/d2c")
    allowed(board, _request(board, topic))
    mark = observer.timeline.mark()
    link = provisioned.link
    attempt = link.attempt(_with_will(board, topic))
    assert not attempt.refused, str(attempt)
    device.drop()
    found = observer.wait_message(
        lambda message: message.topic == topic and message.payload == _PAYLOAD, since=mark, timeout=link.settle
    )
    assert found is not None, f"expected the will on {topic}, got nothing within {link.settle:g} s"


@pytest.mark.violation
def test_violation_will_on_a_subscribe_only_topic(board, trial, topics):
    topic = topics.team("a/harness")
    forbidden(board, _request(board, topic))
    trial.connect(_with_will(board, topic), difference=f"a will on {topic}").expect(Outcome.REFUSED_AT_CONNECT)


@pytest.mark.violation
def test_violation_retained_will(board, trial, topics):
    topic = topics.team(f"m/d/{topics.device_id}/d2c")
    forbidden(board, _request(board, topic, retain=True))
    trial.connect(_with_will(board, topic, retain=True), difference=f"a retained will on {topic}").expect(
        Outcome.REFUSED_AT_CONNECT
    )
