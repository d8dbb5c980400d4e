"""What else can end a connection, on a real pty and a real broker: told from a policy disconnect."""

from __future__ import annotations

import pytest

from tests.integration.runs import EARLY, IMPATIENT, run

pytestmark = pytest.mark.timeout(EARLY)
BOARDS = """
boards:
  - {name: one, virtual: {}}
"""

TEST = """
import pytest
from harness.trial import Outcome

@pytest.fixture
def instead(board, trial):
    # What happens in place of a publish on the topic "x".
    device = board.opened.mqtt
    publish = device.publish
    def install(act):
        def replaced(topic, payload, **options):
            if topic != "x":
                return publish(topic, payload, **options)
            act()
            return True
        device.publish = replaced
    trial.ensure_connected()
    yield install
    device.publish = publish

def test_other_cause(board, trial, instead):
    %s
    assert trial.publish("x", witness=None).outcome is Outcome.%s

def test_next_one_works(trial, board, provisioned):
    topic = f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/d2c"
    trial.publish(topic, witness=None).expect(Outcome.TOLERATED)
"""


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        ('instead(lambda: board.opened.port.command("AT#XRESET"))', "MODEM_RESET"),
        ("instead(lambda: board.opened.modem.set_functional_mode(4))", "INCONCLUSIVE"),  # it was the harness
        ("instead(board.opened.mqtt.disconnect)", "INCONCLUSIVE"),
    ],
    ids=["reset", "own-radio-off", "own-disconnect"],
)
def test_other_causes_are_no_policy_disconnect(tmp_path, cause, outcome):
    result = run(tmp_path, BOARDS, TEST % (cause, outcome), conftest=IMPATIENT)
    assert result.exit_code == 0, result.output
    assert {case.result for case in result.cases} == {"passed"}


SILENCE_BOARDS = """
clouds:
  local: {kind: local, policies: [own.json]}
boards:
  - {name: one, virtual: {}}
"""

OWN = """{"Version": "2012-10-17", "Statement": [
  {"Effect": "Deny", "Action": "iot:Receive", "Resource": "arn:aws:iot:*:*:topic/prod/*/a/*"},
  {"Effect": "Deny", "Action": "iot:Receive", "Resource": "arn:aws:iot:*:*:topic/*/shadow/update/*"}
]}"""

SILENCE_TEST = """
import pytest
from harness.trial import Outcome, DesiredChanges, DeviceAsks, DeviceReports, ObserverSends

@pytest.fixture
def account_topic(board, provisioned):
    return f"{board.cloud.account.mqtt_prefix}a/x"

def test_message_from_the_observer(trial, account_topic, observer):
    trial.subscribe(account_topic, trigger=ObserverSends(observer, account_topic)).expect(Outcome.IGNORED)

def test_delta(trial, provisioned, cloud):
    topic = f"$aws/things/{provisioned.device_id}/shadow/update/delta"
    trial.subscribe(topic, trigger=DesiredChanges(cloud, provisioned.device_id)).expect(Outcome.IGNORED)

def test_answer_to_a_report(trial, provisioned, device, cloud):
    topic = f"$aws/things/{provisioned.device_id}/shadow/update/accepted"
    reports = DeviceReports(device, provisioned.device_id, cloud)
    trial.subscribe(topic, trigger=reports).expect(Outcome.IGNORED)

def test_nothing_was_sent(trial, account_topic):
    trial.subscribe(account_topic, trigger=lambda token: None).expect(Outcome.IGNORED)

def test_message_got_lost(trial, account_topic, observer, monkeypatch):
    monkeypatch.setattr(observer, "publish", lambda topic, payload: None)
    trial.subscribe(account_topic, trigger=ObserverSends(observer, account_topic)).expect(Outcome.IGNORED)

def test_message_that_is_allowed_got_lost(board, trial, observer, monkeypatch, provisioned):
    topic = f"{board.cloud.account.mqtt_prefix}m/x"
    monkeypatch.setattr(observer, "publish", lambda topic, payload: None)
    trial.subscribe(topic, trigger=ObserverSends(observer, topic)).expect(Outcome.TOLERATED)

def test_shadow_keeps_silent(trial, provisioned, cloud, monkeypatch):
    topic = f"$aws/things/{provisioned.device_id}/shadow/update/delta"
    monkeypatch.setattr(cloud, "patch_state", lambda device_id, *, desired: None)
    trial.subscribe(topic, trigger=DesiredChanges(cloud, provisioned.device_id)).expect(Outcome.IGNORED)

def test_question_is_answered(trial, provisioned, device):
    topic = f"$aws/things/{provisioned.device_id}/shadow/get/accepted"
    trial.subscribe(topic, trigger=DeviceAsks(device, provisioned.device_id)).expect(Outcome.TOLERATED)
"""


def test_silence_is_a_refused_delivery_only_where_a_message_was_sent(tmp_path):
    (tmp_path / "own.json").write_text(OWN)
    result = run(tmp_path, SILENCE_BOARDS, SILENCE_TEST, conftest=IMPATIENT)
    found = {case.name.partition("[")[0]: case.result for case in result.cases}
    assert found == {
        "test_message_from_the_observer": "passed",
        "test_delta": "passed",
        "test_answer_to_a_report": "passed",
        "test_nothing_was_sent": "error",
        "test_message_got_lost": "error",
        "test_message_that_is_allowed_got_lost": "error",
        "test_shadow_keeps_silent": "error",
        "test_question_is_answered": "passed",
    }, result.output
