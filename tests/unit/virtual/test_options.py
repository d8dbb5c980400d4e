"""The command line: what is taken, and that a mistake costs one clear line and exit code 2."""

from pathlib import Path

import pytest

from harness.virtual.board import Fault, Framing, Terminator
from harness.virtual.options import parse_options

from .attestation_maker import Board


def test_defaults():
    options = parse_options([])
    assert (options.names, options.cloud, options.directory) == (("virtual-1",), True, None)
    assert (options.model, options.baud, options.time_scale, options.network) == ("nrf9151", 0, 0.05, ())
    assert (options.on_violation, options.close_style, options.policies) == ("close", "notify", None)
    assert (options.tenant, options.state) == (None, None)
    assert options.die_with_stdin is False
    assert (options.framing, options.terminator) == (Framing.SERIAL_MODEM, Terminator.CR)
    assert (options.colour, options.faults) == (False, ())


def test_everything_given(tmp_path):
    line = (
        f"--names a,b --boards 2 --dir {tmp_path} --model mute --baud 115200 --time-scale 1 --on-violation suback80 "
        f"--network mqtt.nrfcloud.com:8883=127.0.0.1:1 --network x:1=y:2 --policies {tmp_path} --close-style rst "
        f"--tenant 11111111222233334444AAAAAAAAAAAA --state {tmp_path}/state --die-with-stdin"
    )
    options = parse_options(line.split())
    assert (options.names, options.directory, options.model) == (("a", "b"), tmp_path, "mute")
    assert options.network == ((("mqtt.nrfcloud.com", 8883), ("127.0.0.1", 1)), (("x", 1), ("y", 2)))
    assert (options.baud, options.time_scale, options.policies) == (115200, 1.0, tmp_path)
    assert (options.on_violation, options.close_style) == ("suback80", "rst")
    assert options.tenant == "11111111-2222-3333-4444-aaaaaaaaaaaa"
    assert options.state == tmp_path / "state"
    assert options.die_with_stdin is True


def test_application_firmware_and_faults():
    line = "--framing at_client --terminator crlf --fault no-sim --fault clock-unknown"
    options = parse_options(line.split())
    assert (options.framing, options.terminator) == (Framing.AT_CLIENT, Terminator.CRLF)
    assert options.faults == (Fault.NO_SIM, Fault.CLOCK_UNKNOWN)
    assert parse_options(["--framing", "shell", "--colour"]).colour is True


@pytest.mark.parametrize("name", ["page", "current"])
def test_the_shipped_policies_by_name(name):
    folder = parse_options(["--policies", name]).policies
    assert folder.name == name
    assert {path.name for path in folder.glob("*.json")} == {"provisioned.json", "associated.json", "gateway.json"}


@pytest.mark.parametrize("model", ["nrf9160", "nrf9160-1.2", "nrf9161", "nrf9151", "mute", "garbage"])
def test_models(model):
    assert parse_options(["--model", model]).model == model


def test_the_outer_cloud():
    options = parse_options([])
    assert (options.cert_refusal, options.jitp_delay, options.identities, options.proxy) == ("close", 0.05, {}, None)
    board = Board()
    line = f"--cert-refusal alert --jitp-delay 2.5 --proxy 0 --trust-identity {board.uuid}={board.point}"
    options = parse_options(line.split())
    assert (options.cert_refusal, options.jitp_delay, options.proxy) == ("alert", 2.5, 0)
    assert options.identities == {board.uuid: board.key.public_key()}


def test_no_boards():
    assert parse_options(["--boards", "0"]).names == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--boards -1", "--boards: '-1' is no number from 0 to 64"),
        ("--boards 65", "--boards: '65' is no number"),
        ("--boards x", "--boards: 'x' is no number"),
        ("--names a,,b", "--names: '' is no board name"),
        ("--names ../a", "--names: '../a' is no board name"),
        ("--names api-key", "--names: 'api-key' is no board name"),
        ("--names a,a", "--names: names must differ"),
        ("--names a,b --boards 3", "--boards 3 contradicts --names, which has 2"),
        ("--model nrf9999", "--model: invalid choice: 'nrf9999'"),
        ("--framing modbus", "--framing: invalid choice: 'modbus' (choose from 'serial-modem', 'at_client', 'shell')"),
        ("--terminator tab", "--terminator: invalid choice: 'tab'"),
        ("--fault tired", "--fault: invalid choice: 'tired' (choose from 'no-sim', 'denied', "),
        ("--baud -5", "--baud"),
        ("--baud 1e3", "--baud: '1e3' is no baud rate"),
        ("--time-scale nan", "--time-scale: 'nan' is no factor of 0 or more"),
        ("--time-scale inf", "--time-scale: 'inf' is no factor"),
        ("--network mqtt=1", "--network: 'mqtt=1' is not of the form NAME:PORT=HOST:PORT"),
        ("--network a:0=b:1", "--network: 'a:0=b:1' is not"),
        ("--network a:1=b:65536", "--network: 'a:1=b:65536' is not"),
        ("--policies /nonexistent", "--policies: /nonexistent is neither page nor current nor a directory"),
        ("--on-violation maybe", "--on-violation: invalid choice: 'maybe'"),
        ("--tenant me", "--tenant: 'me' is no UUID"),
        ("--no-cloud --state x", "--state means nothing together with --no-cloud"),
        ("--no-cloud --tenant 11111111222233334444aaaaaaaaaaaa", "--tenant means nothing together with --no-cloud"),
        ("--no-cloud --close-style fin", "--close-style means nothing together with --no-cloud"),
        ("--no-cloud --proxy 0", "--proxy means nothing together with --no-cloud"),
        ("--no-cloud --cert-refusal alert", "--cert-refusal means nothing together with --no-cloud"),
        ("--cert-refusal maybe", "--cert-refusal: invalid choice: 'maybe'"),
        ("--proxy 65536", "--proxy: '65536' is no port"),
        ("--jitp-delay -1", "--jitp-delay"),
        ("--trust-identity x", "--trust-identity: 'x' is not of the form UUID=HEX"),
        ("--bords 2", "unrecognized arguments: --bords 2"),
    ],
)
def test_mistakes(line, reason, capsys):
    with pytest.raises(SystemExit) as end:
        parse_options(line.split())
    assert end.value.code == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert message.startswith("python -m harness.virtual: ")
    assert reason in message


def test_paths_are_paths():
    assert parse_options(["--dir", "x"]).directory == Path("x")
