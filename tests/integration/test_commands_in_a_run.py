"""Tests of a run that tell the stand-ins behind their board and cloud what goes wrong."""

from tests.integration.runs import run

BOARDS = "boards: [{name: a, virtual: {}}]"
TESTS = """
import pytest
from harness.errors import BoardLost, Misuse, NotRegistered
from helpers import kill_boards

def test_a_fault_in_the_middle(board, provisioned):
    modem = board.opened.modem
    assert board.stand_in.command("set-fault", board=board.name, fault="denied") == {"faults": ["denied"]}
    with modem.offline():
        pass
    with pytest.raises(NotRegistered):
        modem.register(timeout=30)
    assert board.stand_in.command("clear-fault", board=board.name, fault="denied") == {"faults": []}
    with modem.offline():
        pass
    modem.register(timeout=30)

def test_a_connection_in_the_middle(board, trial, provisioned):
    trial.publish(f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/d2c", witness=None)
    board.cloud.stand_in.command("close-connection", client_id=provisioned.device_id)
    with pytest.raises(Misuse, match="has no connection"):
        board.cloud.stand_in.command("close-connection", client_id=provisioned.device_id)

def test_a_dead_board_takes_no_command(board):
    kill_boards()
    with pytest.raises(BoardLost, match="virtual board 'a' .* died with signal 9; run again"):
        board.stand_in.command("reset-board", board=board.name)
"""


def test_tests_inject_faults_and_leave_no_records(tmp_path):
    result = run(tmp_path, BOARDS, TESTS, "--lab-ca", str(tmp_path / "ca"), "-k", "middle")
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "ca" / "boards").glob("*.json")] == []


def test_a_dead_board_takes_no_command(tmp_path):
    result = run(tmp_path, BOARDS, TESTS, "-k", "dead")
    assert "1 passed" in result.output
