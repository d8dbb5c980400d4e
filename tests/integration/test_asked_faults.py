"""Faults that users ask for: in boards.yaml, from a test by the fixture, and from the command line."""

from harness.cli.main import main
from tests.integration.runs import run, stand_ins_up

BOARDS = """
clouds:
  local:
    kind: local
    faults:
      device: [{deed: delay, packet: 2, seconds: 0.01}]
      commands:
        - {command: change-broker, settings: {reasons: {AUTH_ERROR: REFUSED}}}
        - {command: deafen-client, client_id: "{device}", phase: action, times: 1}
boards:
  - name: a
    virtual: {}
    faults:
      line: [{deed: delay, direction: in, byte: 1500, seconds: 0.01}]
      commands:
        - {command: slow-attach, seconds: 0.2}
        - {command: say-line, text: "hello from nowhere", phase: action}
"""
TESTS = """
import pytest
from harness.errors import Misuse
from harness.faults import Deed, Fault

def test_faults_of_the_file_strike(board, trial, provisioned):
    topic = f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/d2c"
    trial.publish(topic, witness=None)
    texts = [event.text for event in board.timeline.since()]
    assert any(text == "hello from nowhere" for text in texts)
    assert "say-line in phase action" in texts
    assert texts.count("deafen-client in phase action") == 1
    assert any(text.startswith("a fault struck: delay at packet 2 (out) (connection 1, ") for text in texts)
    assert any(text.startswith("a fault struck: delay at byte 1500 (in)") for text in texts)
    assert board.cloud.stand_in.command("change-broker", settings={"reasons": {}})["settings"]["reasons"]

def test_it_strikes(board, provisioned, faults):
    faults.board("lose-registration")
    faults.board("slow-attach", seconds=60)
    before = faults.cloud("change-broker", settings={"close_delay": 0.5})
    assert before == {"settings": {"close_delay": 0.0}}
    faults.cloud("disturb-rest", how="status", status=500, path="/account")
    faults.cloud("stop-broker")
    assert not board.opened.modem.registration().registered
    with pytest.raises(Misuse, match="unknown key 'secs'"):
        faults.board("lose-registration", secs=3)

def test_it_is_undone(board, provisioned, modem):
    assert modem.registration().registered
    now = board.cloud.stand_in.command("change-broker", settings={"close_delay": 0.0})
    assert now == {"settings": {"close_delay": 0.0}}
    with pytest.raises(Misuse, match="the broker runs already"):
        board.cloud.stand_in.command("start-broker")
    with modem.offline():
        pass
    modem.register(timeout=30)

def test_a_proxy_before_the_broker(board, provisioned, faults):
    link = provisioned.link
    link.disconnect()
    proxy = faults.broker(Fault(Deed.RST, packet=2), seed=3)
    link.reconnect()
    mark = link.device.mark()
    link.device.publish("x", b"1")
    from harness.firmware import MqttEventKind
    assert link.device.wait(lambda event: event.kind is MqttEventKind.CLOSED, since=mark, timeout=30)
    assert [str(one.fault) for one in proxy.struck] == ["rst at packet 2 (out)"]

def test_the_proxy_is_gone(board, provisioned):
    provisioned.link.reconnect()
"""


def test_faults_in_the_boards_file_and_by_the_fixture(tmp_path):
    result = run(tmp_path, BOARDS, TESTS)
    assert result.exit_code == 0, result.output


def test_faults_by_the_command_line(tmp_path, capsys):
    def fault(*words):
        code = main(["virtual", "fault", "--boards", str(tmp_path / "boards.yaml"), *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    with stand_ins_up(tmp_path):
        assert fault("set-fault", "fault=no-sim") == (0, 'set-fault: done (faults ["no-sim"])\n')
        code, said = fault("change-broker", 'settings={"close_dely": 1}')
        assert (code, "nearest known key is 'close_delay'" in said) == (2, True)
        assert fault("lose-registration", "2") == (
            2,
            "nrf91-harness: '2' is not of the form KEY=VALUE, e.g. seconds=2; correct it\n",
        )
    code, said = fault("restart-broker")
    assert (code, "no stand-ins of virtual up beside" in said) == (2, True)
    assert "lose-registration  Coverage goes away: " in fault()[1]
