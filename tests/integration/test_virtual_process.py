"""``python -m harness.virtual`` from outside: what it prints, what it makes, how it ends, what it leaves."""

import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import serial

from tests.integration.warm_start import run_python

READY_DEADLINE = 60.0
STOP_DEADLINE = 60.0


@contextmanager
def stand_ins(*arguments):
    """Start the process, wait for its line, hand over both; end it if the test did not."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.virtual", "--die-with-stdin", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield process, json.loads(line)
    finally:
        process.terminate()
        process.communicate(timeout=READY_DEADLINE)


def end(process, how):
    """End the process by ``how``; return exit code, what it still printed, and its errors."""
    how(process)
    out, err = process.communicate(timeout=STOP_DEADLINE)
    return process.returncode, out, err


def sigterm(process):
    process.send_signal(signal.SIGTERM)


def sigint(process):
    process.send_signal(signal.SIGINT)


def close_stdin(process):
    process.stdin.close()
    process.stdin = None


def refused(*arguments):
    """Run the process with options it refuses; return exit code and stderr."""
    done = run_python([sys.executable, "-m", "harness.virtual", *arguments], Path.cwd(), os.environ, READY_DEADLINE)
    assert done.stdout == ""
    return done.returncode, done.stderr


def mode(path):
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_the_ready_line_and_what_it_promises():
    tenant = "11111111-2222-3333-4444-aaaaaaaaaaaa"
    with stand_ins("--boards", "2", "--tenant", tenant) as (process, ready):
        assert ready.keys() == {"pid", "dir", "journal", "cloud", "boards"}
        assert ready["pid"] == process.pid
        cloud = ready["cloud"]
        assert cloud.keys() == {"rest", "mqtt", "jitp", "provisioning", "proxy", "ca", "api_key_file", "network"}
        assert cloud["proxy"] is None
        assert (mode(ready["dir"]), mode(ready["journal"]), mode(cloud["api_key_file"])) == (0o700, 0o600, 0o600)
        assert cloud["network"]["mqtt.nrfcloud.com:8883"] == cloud["mqtt"]
        assert cloud["network"]["mqtt.nrfcloud.com:8443"] == cloud["jitp"]
        claims = cloud["network"]["api.provisioning.nrfcloud.com:443"]
        assert cloud["provisioning"] == f"https://127.0.0.1:{claims[1]}/v1"
        assert cloud["rest"] == f"https://127.0.0.1:{cloud['network']['api.nrfcloud.com:443'][1]}/v1"
        with requests.Session() as session:
            session.trust_env = False
            key = Path(cloud["api_key_file"]).read_text()
            headers = {"Authorization": f"Bearer {key}"}
            account = session.get(f"{cloud['rest']}/account", headers=headers, verify=cloud["ca"], timeout=30).json()
        assert account["mqttTopicPrefix"] == f"prod/{tenant}/"
        assert key not in Path(ready["journal"]).read_text()
        assert [json.loads(line)["event"] for line in Path(ready["journal"]).read_text().splitlines()] == ["rest"]
        one, two = ready["boards"]
        assert one.keys() == {"name", "port", "model", "firmware", "imei", "device_uuid", "identity_key"}
        assert (one["name"], two["name"], one["model"]) == ("virtual-1", "virtual-2", "nrf9151")
        assert one["imei"] != two["imei"]
        with serial.Serial(two["port"], 115200, timeout=30) as port:
            port.write(b"AT+CGSN\r")
            assert f"\r\n{two['imei']}\r\n".encode() in port.read_until(b"\r\nOK\r\n")
        assert end(process, sigterm) == (0, "", "")


def attestation_token(board):
    with serial.Serial(board["port"], 115200, timeout=30) as port:
        port.write(b"AT%ATTESTTOKEN\r")
        answer = port.read_until(b"\r\nOK\r\n")
    return answer.decode().partition('%ATTESTTOKEN: "')[2].partition('"')[0]


def claim(ready, token):
    """Claim a board as a tool would that knows only nRF Cloud's name; return the status."""
    cloud = ready["cloud"]
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": cloud["proxy"]}
        session.headers["Authorization"] = f"Bearer {Path(cloud['api_key_file']).read_text()}"
        url = "https://api.provisioning.nrfcloud.com/v1/claimed-devices"
        return session.post(url, json={"claimToken": token}, verify=cloud["ca"], timeout=30).status_code


def test_boards_of_the_process_can_be_claimed_through_the_proxy():
    with stand_ins("--boards", "2", "--proxy", "0") as (process, ready):
        one, two = ready["boards"]
        assert claim(ready, attestation_token(one)) == 201
        assert claim(ready, attestation_token(one)) == 409
        changed = attestation_token(one).partition(".")[0] + "." + attestation_token(two).partition(".")[2]
        assert claim(ready, changed) == 403
        assert attestation_token(two).partition(".")[2] not in Path(ready["journal"]).read_text()
        assert end(process, sigterm) == (0, "", "")


def test_boards_of_another_process_can_be_claimed_when_they_are_trusted():
    with stand_ins("--no-cloud") as (_, others), stand_ins("--boards", "0", "--proxy", "0") as (_, strange):
        (board,) = others["boards"]
        assert claim(strange, attestation_token(board)) == 403
        identity = f"{board['device_uuid']}={board['identity_key']}"
        with stand_ins("--boards", "0", "--proxy", "0", "--trust-identity", identity) as (_, ready):
            assert claim(ready, attestation_token(board)) == 201


def test_a_proxy_port_that_is_taken_is_one_line():
    with stand_ins("--boards", "0", "--proxy", "0") as (_, ready):
        code, message = refused("--boards", "0", "--proxy", ready["cloud"]["proxy"].rpartition(":")[2])
    assert code == 1
    assert message.endswith("; another process has the port: end it, or give another number\n")
    assert message.count("\n") == 1


@pytest.mark.parametrize("how", [sigterm, sigint, close_stdin])
def test_a_stop_leaves_nothing(how):
    with stand_ins("--boards", "1") as (process, ready):
        assert os.path.lexists(ready["boards"][0]["port"])
        assert end(process, how) == (0, "", "")
        assert not Path(ready["dir"]).exists()


def test_open_connections_do_not_delay_the_stop():
    with stand_ins("--boards", "0") as (process, ready), requests.Session() as session:
        session.trust_env = False
        session.get(f"{ready['cloud']['rest']}/status", verify=ready["cloud"]["ca"], timeout=30)
        assert end(process, sigterm) == (0, "", "")


def test_in_a_given_directory_only_own_files_go(tmp_path):
    (tmp_path / "mine").write_text("x")
    with stand_ins("--dir", str(tmp_path), "--names", "left,right") as (process, ready):
        made = {"mine", ".nrf91-virtual", "journal.jsonl", "api-key", "ca.pem", "left", "right"}
        assert {path.name for path in tmp_path.iterdir()} == made
        assert [board["port"] for board in ready["boards"]] == [str(tmp_path / "left"), str(tmp_path / "right")]
        code, message = refused("--dir", str(tmp_path), "--boards", "0")
        assert (code, message.count("\n")) == (2, 1)
        assert "in use by another process; give another --dir" in message
        assert {path.name for path in tmp_path.iterdir()} == made
        assert end(process, sigterm) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_of_somebody_else_in_the_way_is_one_line(tmp_path):
    (tmp_path / "ca.pem").write_text("theirs")
    code, message = refused("--boards", "0", "--dir", str(tmp_path))
    assert (code, message.count("\n")) == (2, 1)
    assert f"{tmp_path}/ca.pem is not from here and stays" in message
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("ca.pem", "theirs")]


def test_a_killed_run_does_not_block_the_next(tmp_path):
    with stand_ins("--dir", str(tmp_path)) as (process, _):
        process.kill()
        process.wait(READY_DEADLINE)
    assert (tmp_path / "api-key").exists()
    with stand_ins("--dir", str(tmp_path)) as (process, ready):
        assert Path(ready["cloud"]["api_key_file"]) == tmp_path / "api-key"
        assert end(process, sigterm) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_boards_without_a_cloud():
    with stand_ins("--no-cloud", "--network", "mqtt.nrfcloud.com:8883=127.0.0.1:1") as (process, ready):
        assert ready["cloud"] is None
        assert [board["name"] for board in ready["boards"]] == ["virtual-1"]
        assert end(process, sigterm) == (0, "", "")


@pytest.mark.usefixtures("hang_up_ends")
def test_it_runs_without_a_terminal_and_ignores_stdin_unless_told_and_ends_by_a_hang_up():
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.virtual", "--boards", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        rest = json.loads(process.stdout.readline())["cloud"]
        with requests.Session() as session:
            session.trust_env = False
            assert session.get(f"{rest['rest']}/status", verify=rest["ca"], timeout=30).status_code == 200
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=READY_DEADLINE)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--firmware-ca", "firmware_ca: {}: it has no certificate in PEM; name another file"),
        ("--state", "{} is not a state file of the local cloud; give another --state"),
    ],
)
def test_a_file_that_is_none_of_its_kind_is_one_line(tmp_path, option, reason):
    path = tmp_path / "file"
    path.write_text("no such thing, and long enough to be no empty database\n" * 20)
    assert refused(option, str(path)) == (2, f"python -m harness.virtual: {reason.format(path)}\n")


def test_a_state_in_no_folder_is_one_line(tmp_path):
    path = tmp_path / "none" / "state"
    said = f"python -m harness.virtual: state: {path}: No such file or directory; name another file\n"
    assert refused("--state", str(path)) == (2, said)


@pytest.mark.parametrize(
    ("document", "reason"),
    [("{", "associated: "), ('{"Version":"2012-10-17","Statement":[]}', "must be a statement or a list of statements")],
)
def test_a_broken_policy_document_is_named(tmp_path, document, reason):
    (tmp_path / "associated.json").write_text(document)
    code, message = refused("--boards", "0", "--policies", str(tmp_path))
    assert (code, message.count("\n")) == (2, 1)
    assert reason in message


def test_a_wrong_option_is_one_line():
    code, message = refused("--boards", "many")
    assert (code, message.count("\n")) == (2, 1)
    assert "--boards cannot be 'many': it must be a number from 0 to 64" in message


def test_a_directory_that_cannot_be_made_is_one_line():
    code, message = refused("--boards", "0", "--dir", "/proc/nothing")
    assert (code, message.count("\n")) == (1, 1)
    assert "/proc/nothing" in message


def boards_of(*arguments):
    with stand_ins("--no-cloud", "--boards", "2", *arguments) as (_, ready):
        return [(board["imei"], board["device_uuid"]) for board in ready["boards"]]


def test_boards_of_two_processes_differ_unless_they_have_the_same_seed():
    assert not {*boards_of()} & {*boards_of()}
    assert boards_of("--seed", "x") == boards_of("--seed", "x")
    assert not {*boards_of("--seed", "x")} & {*boards_of("--seed", "y")}


def test_a_killed_run_leaves_nothing_after_the_next_start(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with stand_ins() as (killed, left), stand_ins("--no-cloud") as (_, running):
        killed.kill()
        killed.wait(READY_DEADLINE)
        assert Path(left["cloud"]["api_key_file"]).exists()
        (tmp_path / "nrf91-virtual-theirs").mkdir()
        with stand_ins("--no-cloud") as (_, ready):
            there = {path.name for path in tmp_path.iterdir()}
            assert there == {Path(running["dir"]).name, Path(ready["dir"]).name, "nrf91-virtual-theirs"}


def test_settings_that_name_what_is_not_there_are_one_line():
    code, message = refused("--boards", "0", "--policies", "/nonexistent")
    assert (code, message.count("\n")) == (2, 1)
    assert "policies: /nonexistent is neither page nor current nor a directory; name one that is there" in message
    point = "04" + "00" * 64
    code, message = refused("--boards", "0", "--trust-identity", f"11111111-2222-3333-4444-555555555555={point}")
    assert (code, message.count("\n")) == (2, 1)
    assert "is not a UUID with a point on P-256; correct it" in message
