"""A boards file that sets up the modem, on virtual boards: written where it differs, put back in the end."""

import gzip

import pytest

from harness.settings import NamedBoard
from tests.integration.runs import run
from tests.integration.test_commands import BOARD
from tests.integration.test_commands import start as start

TESTS = """
def test_settings(board):
    at = board.opened.port.command
    assert board.opened.modem.register().registered
    assert at("AT+CGDCONT?").value("+CGDCONT").startswith('0,"IP","iot.example"')
    assert at("AT%XSYSTEMMODE?").value("%XSYSTEMMODE") == "1,1,1,0"
    assert at("AT%XBANDLOCK?").value("%XBANDLOCK").strip('",').lstrip("0") == "10000000000000000100"
    assert at("AT+CGEREP?").value("+CGEREP") == "1,0"
"""
KEYS = "apn: iot.example, system_mode: lte-m+nb-iot, bands: [3, 20], psm: off, edrx: off, pin_env: SIM_PIN"


def test_a_board_is_set_up_and_its_pin_entered(tmp_path):
    boards = f"boards: [{{name: a, virtual: {{pin: '83749265'}}, {KEYS}}}]\n"
    result = run(tmp_path, boards, TESTS, env={"SIM_PIN": "83749265"})
    assert result.exit_code == 0, result.output
    said = gzip.decompress(next(tmp_path.glob("reports/*/timeline/a.jsonl.gz")).read_bytes()).decode()
    assert "AT+CPIN=<redacted" in said
    assert "83749265" not in said
    assert "AT+CPSMS=0" not in said  # it was off already


@pytest.mark.parametrize("pin", ["", "12a4"])
def test_a_variable_without_a_pin_is_the_labs_error_in_one_line(tmp_path, pin):
    boards = "boards: [{name: a, virtual: {}, pin_env: SIM_PIN}]\n"
    result = run(tmp_path, boards, "def test_a(board):\n    pass\n", env={"SIM_PIN": pin})
    assert result.case("test_a[a]").result == "error"
    assert "environment variable SIM_PIN is not a PIN of 4 to 8 digits" in result.output


def test_former_settings_come_back_also_after_a_run_that_was_killed(start, tmp_path):
    stand_in = start(NamedBoard(name="a", **BOARD))
    port = stand_in.ready["boards"][0]["port"]
    boards = f"boards: [{{name: a, port: {port}, cloud: nrfcloud, apn: iot.example, put_back: true}}]\n"
    killed = "import os, signal\ndef test_a(board):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    environment = {"NRFCLOUD_API_KEY": "0" * 40}
    assert run(tmp_path, boards, killed, env=environment).exit_code != 0
    kept = list((tmp_path / ".lab").rglob("settings/*.json"))
    assert [path.read_text() for path in kept] == ['{"apn": ["AT+CGDCONT=0"]}']
    asks = (
        'def test_a(board):\n    assert "iot.example" in board.opened.port.command("AT+CGDCONT?").value("+CGDCONT")\n'
    )
    result = run(tmp_path, boards, asks, env=environment)
    assert result.exit_code == 0, result.output
    assert not list((tmp_path / ".lab").rglob("settings/*.json"))
    (last,) = tmp_path.glob("reports/*/timeline/a.jsonl.gz")  # the killed run could not pack its own
    assert b'"AT+CGDCONT=0"' in gzip.decompress(last.read_bytes())
