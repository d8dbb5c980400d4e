"""Whole runs of the plug-in: reports, mistakes, and faults of the lab in the middle of a test."""

from __future__ import annotations

import os
import re

import pytest

from harness.lab import Lab, load_boards_file
from tests.integration.runs import IMPATIENT, processes_of, run
from tests.unit.policy_trials.small_policies import BOARDS, write_documents

ONE = """
boards:
  - {name: one, virtual: {}, tags: [smoke]}
"""

TWO = """
boards:
  - {name: bad, %s}
  - {name: good, virtual: {}}
"""

IDENTITY = """
def test_identity(board):
    assert len(board.opened.identity.imei) == 15
"""


def test_passing_run_leaves_junit_journal_and_transcript(tmp_path):
    result = run(tmp_path, ONE, IDENTITY)
    assert result.exit_code == 0, result.output
    case = result.case("test_identity[one]")
    assert case.result == "passed"
    assert {"board", "imei", "modem_firmware", "firmware", "cloud", "verdict"} <= case.properties.keys()
    assert case.properties["board"] == "one"
    assert case.properties["firmware"].startswith("Serial Modem 1.0")
    transcript = (result.run_folder / case.properties["transcript"]).read_text()
    assert "> AT+CGSN" in transcript
    begin, began, *phases, end = result.journal
    assert [entry["k"] for entry in result.journal] == ["run", "begin", "phase", "phase", "phase", "end"]
    assert began["test"] == "test_inner.py::test_identity[one]"
    assert (begin["v"], begin["planned"], begin["boards_file"]["name"]) == (1, {"one": 1}, "boards.yaml")
    assert [entry["phase"] for entry in phases] == ["setup", "call", "teardown"]
    assert {entry["key"] for entry in phases} == {"test_inner.py::test_identity"}
    assert ["expected" in entry for entry in phases] == [False, True, False]
    assert end["ended"] == {"passed": 1}
    assert "one  1 passed in " in result.output
    assert "one    test_inner.py::test_identity[one]" in (result.run_folder / "tests.txt").read_text()
    assert f"reports: reports/{result.run_folder.name} " in result.output
    assert processes_of(tmp_path) == []


def test_selection_by_tag_and_by_unknown_name(tmp_path):
    assert run(tmp_path, ONE, IDENTITY, "--board", "smoke", "--collect-only").exit_code == 0
    result = run(tmp_path, ONE, IDENTITY, "--board", "smoek")
    assert result.exit_code == 4
    assert "no board has the name or tag 'smoek'" in result.output
    assert "Traceback" not in result.output


def test_run_without_boards_leaves_no_report(tmp_path):
    result = run(tmp_path, ONE, "def test_nothing(): pass")
    assert result.exit_code == 0
    assert not (tmp_path / "reports").exists()


def test_mistake_in_the_boards_file_is_one_line_and_one_junit_error(tmp_path):
    result = run(tmp_path, "boards:\n  - {name: one, virtul: {}}\n", IDENTITY)
    assert result.exit_code == 4
    assert "boards.yaml:2:" in result.output
    assert "virtual" in result.output
    assert "Traceback" not in result.output
    (case,) = result.cases
    assert case.result == "error"
    assert "boards.yaml:2:" in case.message


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("port: /dev/no-such-port, cloud: nrfcloud", "/dev/no-such-port"),
        ("virtual: {model: mute}, return_within: 1", "bad"),
        ("virtual: {model: garbage}, return_within: 1", "bad"),
        ('serial: "1051999999", cloud: nrfcloud', "1051999999"),
    ],
    ids=["no-port", "silent", "garbage", "no-kit"],
)
def test_board_that_cannot_be_opened_is_an_error_and_the_next_goes_on(tmp_path, where, message):
    tests = IDENTITY + "def test_again(board): pass\n"
    result = run(tmp_path, TWO % where, tests, "-n", "0", conftest=IMPATIENT)
    assert result.exit_code == 1
    bad = result.case("test_identity[bad]")
    assert bad.result == "error"
    assert message in bad.message
    assert "\n" not in bad.message
    again = result.case("test_again[bad]")
    assert again.result == "skipped"
    assert again.message == "bad is out: see the error of test_inner.py::test_identity[bad]"
    assert re.search(r"^bad   out before its first test: .* \(2 errors in ", result.output, re.MULTILINE)
    assert result.case("test_identity[good]").result == "passed"
    assert processes_of(tmp_path) == []


def test_missing_api_key_is_found_before_any_test_runs(tmp_path):
    boards = "boards:\n  - {name: one, virtual: {}, cloud: nrfcloud}\n"
    tests = "def test_plain(): open('ran', 'w')\n\ndef test_account(cloud): pass\n"
    result = run(tmp_path, boards, tests, env={"NRFCLOUD_API_KEY": ""})
    assert result.exit_code == 4
    assert "environment variable NRFCLOUD_API_KEY is empty" in result.output
    assert not (tmp_path / "ran").exists()


def test_busy_board_says_who_has_it(tmp_path):
    master, slave = os.openpty()
    boards = f"boards:\n  - {{name: one, port: {os.ttyname(slave)}, cloud: nrfcloud}}\n"
    (tmp_path / "boards.yaml").write_text(boards)
    lab = Lab(load_boards_file(tmp_path / "boards.yaml"), folder=tmp_path)
    with lab.lease(lab.select()[0]):
        result = run(tmp_path, boards, IDENTITY)
    os.close(master)
    os.close(slave)
    assert result.exit_code == 1
    case = result.case("test_identity[one]")
    assert case.result == "error"
    assert f"pid {os.getpid()}" in case.message
    assert "since 20" in case.message


def test_board_unplugged_in_the_middle_of_a_test(tmp_path):
    tests = """
from helpers import kill_boards

def test_unplugged(board, modem):
    modem.functional_mode()
    kill_boards()
    modem.functional_mode()

def test_afterwards(board): pass
"""
    boards = "boards:\n  - {name: first, virtual: {}}\n"
    result = run(tmp_path, boards, tests)
    assert result.exit_code == 1
    case = result.case("test_unplugged[first]")
    assert case.result == "error", result.output
    assert "first" in case.message
    assert "\n" not in case.message
    afterwards = result.case("test_afterwards[first]")
    assert afterwards.result == "skipped"
    assert afterwards.message == "first is out: see the error of test_inner.py::test_unplugged[first]"
    assert "first  out after 1 test: " in result.output
    assert processes_of(tmp_path) == []


def test_cloud_killed_in_the_middle_of_a_trial(tmp_path):
    tests = """
from helpers import kill_cloud
from harness.trial import Outcome

def test_killed(trial, board, provisioned):
    trial.verify_connection().expect(Outcome.TOLERATED)
    topic = f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/d2c"
    def witness(token, timeout):
        return True
    kill_cloud()
    trial.publish(topic, witness=witness).expect(Outcome.TOLERATED)
"""
    result = run(tmp_path, ONE, tests)
    case = result.case("test_killed[one]")
    assert case.result == "error", result.output
    assert "cloud lost" in case.message
    assert "signal 9" in case.message
    assert result.exit_code == 1
    (left,) = [line for line in result.output.splitlines() if line.startswith("left behind")]
    assert "died with signal 9" in left  # and no device, which died with it
    assert processes_of(tmp_path) == []


def test_wrong_verdict_is_a_failure_with_its_evidence(tmp_path):
    tests = """
from harness.trial import Outcome

def test_wrong(trial, board, provisioned):
    topic = f"{board.cloud.account.mqtt_prefix}a/x"
    trial.publish(topic, witness=None).expect(Outcome.TOLERATED)
"""
    result = run(tmp_path, ONE, tests)
    case = result.case("test_wrong[one]")
    assert case.result == "failed"
    assert "expected tolerated, got policy disconnect" in case.message
    assert case.properties["verdict"] == "policy disconnect"
    assert "The message reached nobody" not in case.properties["evidence"]
    assert "implicit deny" in case.properties["evidence"]


DERIVED = """
from harness.policy_trials.trials import cases_for

def test_first(board): pass

def test_derived(board, derived):
    assert derived in cases_for(board.cloud.documents, full=False)

def test_names(board, own_names):
    assert own_names.further == ()
"""

ALL_BUT_ONE = """
import pytest

tried = 0

def test_derived(board, derived):
    global tried
    tried += 1
    if tried == 3:
        pytest.skip("not this one")
"""


def test_boards_get_the_trials_of_their_own_clouds_documents(tmp_path):
    write_documents(tmp_path)
    result = run(tmp_path, BOARDS, DERIVED, "-n", "0")
    assert result.exit_code == 0, result.output
    ids: dict[str, list[str]] = {"a-1": [], "a-2": [], "b": []}
    for case in result.cases:
        board = case.properties["board"]
        if case.name.startswith("test_derived["):
            ids[board].append(case.name.removeprefix(f"test_derived[{board}-"))
        else:
            assert case.name in (f"test_first[{board}]", f"test_names[{board}]")
    assert ids["a-1"] == ids["a-2"] != ids["b"]
    boards = [case.properties["board"] for case in result.cases]
    assert boards == sorted(boards)  # one board after the other
    lines = [line for line in result.output.splitlines() if " of cloud " in line]
    assert [line.partition(":")[0].rpartition(" with ")[0] for line in lines] == ["profile page"] * 2
    assert [line.partition(":")[0].rpartition(" ")[2] for line in lines] == ["one", "two"]
    assert re.search(r": \d+ trials, \d+ mutants, all killed, \d+ equivalent$", lines[0])
    assert [result.properties[f"policy_trials.{cloud}"] for cloud in ("one", "two")] == lines


def test_a_summary_of_derived_trials_does_not_claim_those_that_were_not_run(tmp_path):
    write_documents(tmp_path)
    result = run(tmp_path, BOARDS, DERIVED, "--board", "b", "-k", "other or first")
    (line,) = [line for line in result.output.splitlines() if " of cloud " in line]
    assert re.search(r" equivalent; \d+ of the trials were run; not compared with the own names of b$", line)
    result = run(tmp_path, BOARDS, ALL_BUT_ONE, "--board", "b")
    (line,) = [line for line in result.output.splitlines() if " of cloud " in line]
    assert re.search(r" of cloud two: \d+ trials, .*; \d+ of the trials were run; not compared with .* b$", line)
    result = run(tmp_path, BOARDS, DERIVED, "--board", "b", "-k", "first")
    assert " of cloud " not in result.output
    assert result.properties.keys() == {"run"}


PLANT = """
import logging
from pathlib import Path
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

PSK = "5051525354555657aabbccdd"


def test_secrets(board, cloud, provisioned, trial, modem, device_api):
    trial.verify_connection()
    port, planted = board.opened.port, Path("planted")
    planted.mkdir()
    (planted / "psk").write_text(PSK)
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    (planted / "key").write_text(key.splitlines()[1])
    (planted / "api-key").write_text((Path(board.cloud.endpoints.rest_ca).parent / "api-key").read_text().strip())
    token = modem.jwt(sec_tag=board.device.sec_tag, subject=provisioned.device_id).token
    (planted / "jwt").write_text(token.rpartition(".")[2])
    device_api.device(provisioned.device_id, token)
    (planted / "attestation").write_text(port.command("AT%ATTESTTOKEN").value("%ATTESTTOKEN").strip('"'))
    with modem.offline():
        port.command(f'AT%CMNG=0,16842754,3,"{PSK}"')
        port.command(f'AT%CMNG=0,16842754,2,"{key}"')
        port.command("AT%CMNG=3,16842754,3")
        port.command("AT%CMNG=3,16842754,2")
    logging.getLogger("careless").warning("the token is %s", token)
    print("careless:", (planted / "api-key").read_text())
    assert token == "a failure whose traceback shows what it compared"
"""


def test_planted_secrets_reach_no_file_of_the_run(tmp_path):
    """An API key, a private key, a PSK, a JWT and an attestation token; even from a careless, failing test."""
    boards = "boards:\n  - {name: one, virtual: {}, sec_tags: [16842753, 16842754]}\n"
    result = run(tmp_path, boards, PLANT)
    assert result.case("test_secrets[one]").result == "failed", result.output
    planted = {path.name: path.read_text() for path in (tmp_path / "planted").iterdir()}
    assert planted.keys() == {"psk", "key", "api-key", "jwt", "attestation"}
    files = [path for path in (tmp_path / "reports").rglob("*") if path.is_file()]
    files += [path for path in (tmp_path / ".lab").rglob("*") if path.is_file()]
    assert len(files) >= 6
    for name, secret in planted.items():
        assert len(secret) > 20, name
        for path in files:
            assert secret not in path.read_text(errors="replace"), (name, path)
        assert secret not in result.output, name


def test_a_run_says_first_and_in_one_line_what_will_spoil_it(tmp_path):
    boards = f"boards:\n  - {{name: gone, port: {tmp_path}/no-port, cloud: nrfcloud}}\n"
    result = run(tmp_path, boards, IDENTITY, env={"NRFCLOUD_API_KEY": "0" * 40})
    (line,) = [line for line in result.output.splitlines() if line.startswith("doctor: ")]
    assert line == f"doctor: gone: no such port: {tmp_path}/no-port; nrf91-harness boards list"
    assert result.output.index(line) < result.output.index("1 error")


def test_what_will_spoil_a_run_is_said_with_commands_that_mean_its_boards_file(tmp_path):
    boards = f"boards:\n  - {{name: gone, port: {tmp_path}/no-port, cloud: nrfcloud}}\n"
    boards += f"  - {{name: lost, port: {tmp_path}/none, cloud: nrfcloud}}\n"
    (tmp_path / "my lab.yaml").write_text(boards)
    given = ("--boards", "my lab.yaml", "--lab-ca", "ca", "-n0")
    result = run(tmp_path, ONE, IDENTITY, *given, env={"NRFCLOUD_API_KEY": "0" * 40})
    (line,) = [line for line in result.output.splitlines() if line.startswith("doctor: ")]
    first = f"doctor: gone: no such port: {tmp_path}/no-port; nrf91-harness boards list --boards 'my lab.yaml' (and "
    assert line.startswith(first)
    assert line.endswith(" more: nrf91-harness doctor --quick --boards 'my lab.yaml' --lab-ca ca)")


def test_a_test_that_takes_too_long_is_the_labs_error_with_its_stack(tmp_path):
    tests = """
import threading
import pytest

@pytest.mark.timeout(1, func_only=True)
def test_slow(board):
    threading.Event().wait(60)
"""
    result = run(tmp_path, ONE, tests)
    case = result.case("test_slow")
    assert (case.result, case.properties["points_at"]) == ("error", "lab"), result.output
    assert case.message == "Timeout (>1.0s) from pytest-timeout. (points at the lab)"
    assert "threading.Event().wait(60)" in result.output


def test_a_fixture_that_is_not_there_is_named(tmp_path):
    result = run(tmp_path, ONE, "def test_it(board, bored): pass")
    assert "NOT PROVED Test or boards file: fixture 'bored' not found: " in result.output
    assert f"file {tmp_path}/test_inner.py, line 1" in result.output  # pytest's own words of it


def test_a_run_that_nothing_will_spoil_says_nothing_of_it(tmp_path):
    assert "doctor:" not in run(tmp_path, ONE, IDENTITY).output
