"""Credentials of users are not judged by device policies.

A phone gateway connects with its user's credentials (Amazon Cognito), which no lab machine has; the team's own MQTT
device is the user credential that nRF Cloud's API gives out. Its rights are the team's and not a device's.
"""

from __future__ import annotations

import pytest

from harness.trial import nonce
from tests.scenarios.expected import forbidden, publish


@pytest.mark.parametrize("rest", ["a/harness", "gateways/no-device/g2c"])
def test_user_may_publish_what_no_device_may(board, provisioned, observer, topics, evidence, rest):
    topic = topics.team(rest)
    forbidden(board, publish(topic))
    refused = board.device.expectations.explain("iot:Publish", topic)
    observer.listen(topic)
    token, mark = nonce(), observer.timeline.mark()
    observer.publish(topic, f'{{"harness":"{token}"}}'.encode())
    wanted = token.encode()
    arrived = observer.wait_message(
        lambda message: wanted in message.payload, since=mark, timeout=board.device.patience
    )
    if arrived is None:
        observer.fence()  # raises the lab's error where this computer's network is the reason
    assert arrived is not None, f"{topic}: expected the team device's message to arrive, got nothing: the cloud lost it"
    evidence(f"The team's MQTT device published on {topic} and it arrived. Of a device the policies say: {refused}")
