"""The command line: what is taken, and that a mistake costs one clear line and exit code 2."""

import re
from pathlib import Path

import pytest

from harness.virtual.options import parse_options


def test_defaults():
    options = parse_options([])
    assert (options.names, options.cloud, options.directory) == (("virtual-1",), True, None)
    assert (options.model, options.baud, options.time_scale, options.network) == ("nrf9151", 0, 0.05, ())
    assert (options.on_violation, options.close_style, options.policies) == ("close", "notify", None)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", options.tenant)
    assert options.die_with_stdin is False


def test_everything_given(tmp_path):
    line = (
        f"--names a,b --boards 2 --dir {tmp_path} --model mute --baud 115200 --time-scale 1 --on-violation suback80 "
        f"--network mqtt.nrfcloud.com:8883=127.0.0.1:1 --network x:1=y:2 --policies {tmp_path} --close-style rst "
        "--tenant 11111111222233334444AAAAAAAAAAAA --die-with-stdin"
    )
    options = parse_options(line.split())
    assert (options.names, options.directory, options.model) == (("a", "b"), tmp_path, "mute")
    assert options.network == ((("mqtt.nrfcloud.com", 8883), ("127.0.0.1", 1)), (("x", 1), ("y", 2)))
    assert (options.baud, options.time_scale, options.policies) == (115200, 1.0, tmp_path)
    assert (options.on_violation, options.close_style) == ("suback80", "rst")
    assert options.tenant == "11111111-2222-3333-4444-aaaaaaaaaaaa"
    assert options.die_with_stdin is True


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
        ("--baud -5", "--baud"),
        ("--baud 1e3", "--baud: '1e3' is no baud rate"),
        ("--time-scale nan", "--time-scale: 'nan' is no factor of 0 or more"),
        ("--time-scale inf", "--time-scale: 'inf' is no factor"),
        ("--network mqtt=1", "--network: 'mqtt=1' is not of the form NAME:PORT=HOST:PORT"),
        ("--network a:0=b:1", "--network: 'a:0=b:1' is not"),
        ("--network a:1=b:65536", "--network: 'a:1=b:65536' is not"),
        ("--policies /nonexistent", "--policies: /nonexistent is no directory"),
        ("--on-violation maybe", "--on-violation: invalid choice: 'maybe'"),
        ("--tenant me", "--tenant: 'me' is no UUID"),
        ("--no-cloud --tenant 11111111222233334444aaaaaaaaaaaa", "--tenant means nothing together with --no-cloud"),
        ("--no-cloud --close-style fin", "--close-style means nothing together with --no-cloud"),
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
