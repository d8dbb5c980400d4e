"""Who is to blame: what a run says of causes that are not what they look like."""

from __future__ import annotations

import json

import pytest

from tests.integration.disturbed_runs import PUBLISHES, disturbed
from tests.integration.runs import EARLY, run

pytestmark = pytest.mark.timeout(EARLY)
REFUSING = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Deny", "Action": ["iot:Publish", "iot:Subscribe"], "Resource": "*"},
    ],
}
REFUSING_BOARDS = """
clouds:
  local: {kind: local, enforces: [refusing.json]}
boards:
  - {name: one, virtual: {}}
"""


def test_a_cloud_that_hangs_up_on_all_that_is_allowed_fails_its_tests(tmp_path):
    (tmp_path / "refusing.json").write_text(json.dumps(REFUSING))
    result = run(tmp_path, REFUSING_BOARDS, PUBLISHES)
    (case,) = result.cases
    assert case.result == "failed", result.output
    first = case.message.splitlines()[0]
    assert "expected tolerated, got nothing allowed (points at the cloud): publish on " in first
    assert "The cloud accepted the CONNECT and hung up 3 times on every action that the policy documents allow" in first
    assert case.properties["verdict"] == "nothing allowed"


STRAY_START = """
provisioned.link.ensure()
publish_as_before = device.publish
def publish_and_speak(topic, payload, **options):
    if topic == "forbidden/topic":
        line.insert(b"\\r\\nReady\\r\\n")
    return publish_as_before(topic, payload, **options)
device.publish = publish_and_speak
try:
    verdict = trial.publish("forbidden/topic", witness=None)
finally:
    device.publish = publish_as_before
assert verdict.outcome is Outcome.INCONCLUSIVE
assert "something else writes to this port" in verdict.evidence
"""

GARBLED_START = """
provisioned.link.ensure()
publish_as_before = device.publish
def publish_and_restart(topic, payload, **options):
    if topic != "forbidden/topic":
        return publish_as_before(topic, payload, **options)
    line.once(b"Ready", lambda data: b"\\xc0" + data)
    board.opened.port.command("AT#XRESET")
    return True
device.publish = publish_and_restart
try:
    verdict = trial.publish("forbidden/topic", witness=None)
finally:
    device.publish = publish_as_before
assert line.struck_at
assert verdict.outcome is Outcome.MODEM_RESET, verdict
"""

INTERLEAVED = """
from harness.trial import ObserverSends
board.stand_in.command("set-fault", board=board.name, fault="interleaved-messages")
try:
    topic = f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/c2d"
    trial.subscribe(topic, trigger=ObserverSends(observer, topic)).expect(Outcome.TOLERATED)
finally:
    board.stand_in.command("clear-fault", board=board.name, fault="interleaved-messages")
"""

LOST_IN_MESSAGE = """
from harness.trial import ObserverSends
topic = f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/c2d"
def send(nonce):
    line.once(nonce.encode(), lambda data: data.replace(nonce.encode(), nonce.encode()[:-1]))
    return ObserverSends(observer, topic)(nonce)
verdict = trial.subscribe(topic, trigger=send)
assert verdict.outcome is Outcome.INCONCLUSIVE, verdict
assert "bytes were lost on the way from the board" in verdict.evidence
"""


def test_causes_on_the_line_are_told_apart(tmp_path):
    """A foreign boot line, a garbled one of the board itself, messages that a line fell into or lost a byte."""
    result = disturbed(tmp_path, [STRAY_START, GARBLED_START, INTERLEAVED, LOST_IN_MESSAGE])
    found = {case.name: case.result for case in result.cases}
    assert set(found.values()) == {"passed"}, result.output
    assert len(found) == 9
