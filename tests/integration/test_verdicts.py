"""What else can end a connection, on a real pty and a real broker: told from a policy disconnect."""

from __future__ import annotations

import pytest

from tests.integration.runs import run

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
    device = board.opened.firmware
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
        ("instead(lambda: board.opened.modem.set_functional_mode(4))", "NETWORK_LOST"),
        ("instead(board.opened.firmware.disconnect)", "INCONCLUSIVE"),
    ],
    ids=["reset", "network", "own-disconnect"],
)
def test_other_causes_are_no_policy_disconnect(tmp_path, cause, outcome):
    result = run(tmp_path, BOARDS, TEST % (cause, outcome))
    assert result.exit_code == 0, result.output
    assert {case.result for case in result.cases} == {"passed"}
