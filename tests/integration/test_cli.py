"""The command line as its users run it: processes, with ``virtual up`` as the lab that they run against."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.at import AtPort
from harness.cli import main
from harness.cli.arguments import parse
from harness.cli.virtual import BOARDS_FILE, NotStarted, write_boards_file
from harness.cli.virtual import _settings as up_settings
from harness.lab.scratch import Scratch
from harness.lab.stand_in import StandIn
from harness.timeline import Timeline
from tests.integration import runs
from tests.integration.runs import processes_of
from tests.integration.warm_start import run_python

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
COMMAND = (sys.executable, "-m", "harness.cli")
ORIGINS = ("device", "host", "cloud")


@dataclass
class Done:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


@dataclass
class Lab:
    """Stand-ins, as ``virtual up`` has them. ``ready``: what it would print."""

    stand_in: StandIn
    ready: dict[str, Any]
    folder: Path

    @property
    def boards_file(self) -> Path:
        return Path(self.ready["dir"]) / BOARDS_FILE

    def run(self, *arguments: str) -> Done:
        """Run one command in this process: the start of another one each time costs more than what it does."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main([*arguments, "--boards", str(self.boards_file), "--json"])
        return Done(code, out.getvalue(), err.getvalue())

    def edit(self, former: str, text: str) -> None:
        """Change the boards file."""
        content = self.boards_file.read_text()
        assert former in content
        self.boards_file.write_text(content.replace(former, text))


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}


def run(folder: Path, *arguments: str) -> Done:
    done = run_python([*COMMAND, *arguments], folder, environment(folder), DEADLINE)
    return Done(done.returncode, done.stdout, done.stderr)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
    return process.stdout.readline() if ready else ""


@contextmanager
def started_lab(folder: Path, *options: str) -> Iterator[Lab]:
    """Start the stand-ins of ``virtual up`` with these options, in no process of its own, in a folder in ``folder``."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("TMPDIR", str(folder))
        log = stack.enter_context(Scratch()).path / "stderr"
        settings = up_settings(parse(["virtual", "up", *options]))
        stand_in = StandIn("stand-ins", settings, log=log, error=NotStarted)
        stack.callback(stand_in.stop)
        write_boards_file(stand_in.ready)
        yield Lab(stand_in, stand_in.ready, folder)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Return a function that starts the stand-ins of ``virtual up`` with these options."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(started_lab(tmp_path, *options))


def journal(lab: Lab, event: str) -> list[dict[str, Any]]:
    lines = Path(lab.ready["journal"]).read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if entry["event"] == event]


@contextmanager
def up_process(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, "virtual", "up", *options],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_virtual_up_ends_on_ctrl_c_and_leaves_nothing(tmp_path):
    with up_process(tmp_path, "--json", "--boards", "2", "--proxy", "0") as process:
        ready = json.loads(first_line(process))
        assert ready["cloud"]["proxy"].startswith("http://127.0.0.1:")
        assert [board["name"] for board in ready["boards"]] == ["virtual-1", "virtual-2"]
        boards_file = Path(ready["boards_file"])
        assert stat.S_IMODE(boards_file.stat().st_mode) == 0o600
        assert ready["dir"] == str(boards_file.parent)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
    assert not boards_file.exists()
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_virtual_up_for_readers(tmp_path):
    with up_process(tmp_path) as process:
        first = first_line(process)
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        text = first + process.stdout.read()
        assert process.wait(DEADLINE) == 0
    lines = dict(line.split(maxsplit=1) for line in text.replace("boards file", "boards-file").splitlines())
    assert lines["boards-file"].endswith("/boards.yaml")
    assert lines["try"] == f"nrf91-harness provision virtual-1 --boards {lines['boards-file']}"
    assert text.endswith("Ctrl-C ends it.\n")


@pytest.mark.parametrize("origin", ORIGINS)
def test_provision_then_kept_then_renewed(lab, tmp_path, origin):
    up = lab()
    first = up.run("provision", "virtual-1", "--key-origin", origin)
    assert first.code == 0, first.err
    assert first.json["ok"] is True
    assert (first.json["key_origin"], first.json["kept"], first.json["sec_tag"]) == (origin, False, 16842753)
    assert (first.json["device_id"], first.json["imei"]) == (
        up.ready["boards"][0]["device_uuid"],
        up.ready["boards"][0]["imei"],
    )
    assert (first.json["jitp_attempts"] > 2) == (origin == "cloud")  # dropped, accepted, accepted as associated

    listed = up.run("credentials", "list", "virtual-1").json["credentials"]
    ours = [item for item in listed if item["ours"]]
    assert [(item["sec_tag"], item["type"]) for item in ours] == [(16842753, kind) for kind in (0, 1, 2)]

    again = up.run("provision", "virtual-1", "--key-origin", origin)
    assert again.code == 0, again.err
    assert again.json["kept"] is True
    assert again.json["certificate_id"] == first.json["certificate_id"]
    assert again.json["jitp_attempts"] == 0
    assert up.run("credentials", "list", "virtual-1").json["credentials"] == listed

    renewed = up.run("provision", "virtual-1", "--key-origin", origin, "--reprovision")
    assert renewed.code == 0, renewed.err
    assert (renewed.json["kept"], renewed.json["reason"]) == (False, "renewed as asked")
    assert renewed.json["certificate_id"] != first.json["certificate_id"]
    assert (renewed.json["sec_tag"], renewed.json["saved"]) == (16842754, None)
    listed = up.run("credentials", "list", "virtual-1").json["credentials"]
    assert {item["sec_tag"] for item in listed if item["type"] < 3} == {16842754}
    assert len([e for e in journal(up, "associate") if e["device_id"] == first.json["device_id"]]) == 2
    verified = run(tmp_path, "credentials", "verify", "virtual-1", "--boards", str(up.boards_file))
    assert (verified.code, verified.out) == (
        0,
        f"sec_tag 16842754: as written for device {first.json['device_id']} (key made by {origin}, active)\n",
    )


def test_a_renewal_in_the_only_sec_tag_saves_what_it_replaces(lab):
    up = lab()
    up.edit("  sec_tags:\n  - 16842753\n  - 16842754\n", "  sec_tag: 7\n")
    first = up.run("provision", "virtual-1").json
    renewed = up.run("provision", "virtual-1", "--reprovision").json
    assert (first["sec_tag"], first["saved"], renewed["sec_tag"]) == (7, None, 7)
    saved = Path(up.folder, renewed["saved"])
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    contents = json.loads(saved.read_text())["contents"]
    assert sorted(contents) == ["0", "1"]
    assert "PRIVATE KEY" not in saved.read_text()


def test_several_boards_are_provisioned_side_by_side(lab):
    up = lab("--boards", "3")
    gone = f"- {{name: gone, port: {up.folder / 'gone'}, cloud: virtual}}\n"
    up.boards_file.write_text(up.boards_file.read_text() + gone)
    boards = ["virtual-1", "gone", "virtual-2", "virtual-3"]
    done = up.run("provision", *boards)
    assert done.code == 3
    assert [entry["board"] for entry in done.json["boards"]] == boards
    assert [entry["ok"] for entry in done.json["boards"]] == [True, False, True, True]
    assert done.json["boards"][1]["error"] == "lab"
    assert "no such port" in done.json["boards"][1]["message"]
    assert len(journal(up, "onboard")) == 3
    requests = [entry for entry in journal(up, "rest") if entry["method"] == "POST" and entry["path"] == "/v1/devices"]
    assert len(requests) == 1
    again = up.run("provision", "virtual-1", "virtual-2", "virtual-3")
    assert (again.code, [entry["kept"] for entry in again.json["boards"]]) == (0, [True, True, True])


def test_a_board_that_makes_no_keys_is_told_so_and_takes_the_other_ways(lab):
    up = lab("--model", "nrf9160-1.2")
    refused = up.run("provision", "virtual-1")
    assert (refused.code, refused.json["error"]) == (2, "misuse")
    assert "has no AT%KEYGEN" in refused.json["message"]
    for origin in ("host", "cloud"):
        done = up.run("provision", "virtual-1", "--key-origin", origin)
        assert done.code == 0, done.err
        assert done.json["device_id"] == f"virtual-1-{done.json['imei']}"


@pytest.mark.parametrize(
    ("fault", "origin", "code", "said"),
    [
        ("store-full", "device", 1, "515 (memory full)"),
        ("low-voltage", "host", 1, "528 (not allowed while the power-off warning is active)"),
        ("no-sim", "cloud", 3, "check that a SIM is inserted and active"),
        ("denied", "cloud", 3, "registration denied"),
    ],
)
def test_a_board_with_a_fault_is_one_line(lab, fault, origin, code, said):
    up = lab("--fault", fault)
    refused = up.run("provision", "virtual-1", "--key-origin", origin)
    assert refused.code == code
    assert said in refused.json["message"]
    assert refused.err.splitlines()[-1] == f"nrf91-harness: {refused.json['message']}"


@pytest.mark.parametrize("firmware", ["at-client", "shell"])
def test_nrf_cloud_makes_the_key_of_a_board_without_mqtt(lab, firmware):
    up = lab("--firmware", firmware)
    done = up.run("provision", "virtual-1", "--key-origin", "cloud")
    assert done.code == 0, done.err
    assert done.json["jitp_attempts"] >= 2
    assert up.run("provision", "virtual-1", "--key-origin", "cloud").json["kept"] is True


def test_verify_and_delete(lab):
    up = lab()
    nothing = up.run("credentials", "verify", "virtual-1")
    assert (nothing.code, nothing.json) == (1, {"ok": False, "board": "virtual-1", "checks": []})
    up.run("provision", "virtual-1")
    device_id = up.ready["boards"][0]["device_uuid"]
    assert up.run("credentials", "verify", "virtual-1").json["checks"] == [
        {"sec_tag": 16842753, "ok": True, "text": f"as written for device {device_id} (key made by device, active)"}
    ]
    other = up.run("credentials", "delete", "virtual-1", "--sec-tag", "5")
    assert other.code == 2
    assert other.json["message"].startswith("sec_tag 5 does not belong to this board")
    deleted = up.run("credentials", "delete", "virtual-1")
    assert [item["type"] for item in deleted.json["deleted"]] == [0, 1, 2]
    assert up.run("credentials", "delete", "virtual-1").json["deleted"] == []
    assert up.run("credentials", "verify", "virtual-1").json["checks"] == []


def test_what_others_wrote_goes_only_when_it_is_named(lab, tmp_path):
    up = lab()
    up.run("provision", "virtual-1")
    elsewhere = ("--lab-ca", str(tmp_path / "other"))
    refused = up.run("credentials", "delete", "virtual-1", *elsewhere)
    assert str(tmp_path / "other" / "boards") in refused.json["message"]  # where it looked for a record
    assert up.run("credentials", "delete", "virtual-1", "--foreign").code == 2  # which one?
    gone = up.run("credentials", "delete", "virtual-1", "--foreign", "--sec-tag", "16842753", *elsewhere)
    assert ([item["type"] for item in gone.json["deleted"]], gone.json["left"]) == ([0, 1, 2], [])
    reserved = up.run("credentials", "list", "virtual-1").json["credentials"]
    assert max(item["sec_tag"] for item in reserved) == 4294967294
    kept = up.run("credentials", "delete", "virtual-1", "--foreign", "--sec-tag", "4294967294")
    assert (kept.code, kept.json["deleted"]) == (0, [])
    assert {item["sec_tag"] for item in kept.json["left"]} == {4294967294}


def test_types_that_the_harness_does_not_write_stay_and_are_named(lab):
    up = lab()
    with AtPort.open(up.ready["boards"][0]["port"], name="a", timeline=Timeline()) as port:
        port.sync()
        for command in ("AT+CFUN=4", 'AT%CMNG=0,16842753,3,"00ff"', "AT+CFUN=1"):
            port.command(command)
    done = up.run("credentials", "delete", "virtual-1").json
    assert done["deleted"] == []
    assert [(item["type"], item["reason"]) for item in done["left"]] == [
        (3, "a type that the harness does not write; --foreign --sec-tag N deletes it")
    ]


def test_records_are_found_from_whatever_folder(lab, tmp_path, monkeypatch):
    up = lab()
    first = up.run("provision", "virtual-1").json
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert (first["kept"], up.run("provision", "virtual-1").json["kept"]) == (False, True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_the_modem_says_needs_no_cloud(lab, monkeypatch):
    up = lab()
    port = up.ready["boards"][0]["port"]
    up.boards_file.write_text(f"boards: [{{name: dk, port: {port}, cloud: nrfcloud}}, {{name: none, port: {port}2}}]")
    monkeypatch.delenv("NRFCLOUD_API_KEY", raising=False)
    for command in (
        ["attest"],
        ["jwt", "--identity", "--expires-in", "0"],
        ["credentials", "list"],
        ["credentials", "delete"],
    ):
        assert up.run(*command, "dk").code == 0
    up.boards_file.write_text(f"boards: [{{name: dk, port: {port}}}]")  # no cloud is named, so it is the local one
    assert up.run("attest", "dk").code == 0
    without = f"{up.boards_file}:1:10: a real board without 'cloud' uses 'local', which only this computer can reach;"
    assert up.run("provision", "dk").json["message"] == f"{without} write cloud: nrfcloud"
    checked = run(up.folder, "boards", "check", str(up.boards_file), "--json")
    assert (checked.code, checked.json["mistakes"]) == (2, [f"{without} write cloud: nrfcloud"])
    asked = up.run("provision", "dk", "--cloud", "nrfcloud")
    assert (asked.code, asked.json["message"][:45]) == (2, "environment variable NRFCLOUD_API_KEY is empt")


def test_credentials_of_others_are_neither_replaced_nor_deleted(lab, tmp_path):
    up = lab()
    up.edit("  sec_tags:\n  - 16842753\n  - 16842754\n", "  sec_tag: 7\n")
    up.run("provision", "virtual-1")
    elsewhere = ("--lab-ca", str(tmp_path / "other"))  # another lab, which did not write what is there
    for command in (("provision", "virtual-1"), ("credentials", "delete", "virtual-1")):
        refused = up.run(*command, *elsewhere)
        assert (refused.code, refused.json["error"]) == (2, "misuse")
        assert "adopt: true" in refused.json["message"]
    assert up.run("credentials", "verify", "virtual-1").code == 0
    up.edit("  sec_tag: 7\n", "  sec_tag: 7\n  adopt: true\n")
    assert up.run("provision", "virtual-1", *elsewhere).json["kept"] is False


def test_tokens_are_shown_only_when_asked_for(lab):
    up = lab()
    up.run("provision", "virtual-1")
    attested = up.run("attest", "virtual-1", "--challenge", "00112233445566778899aabbccddeeff")
    assert attested.code == 0, attested.err
    assert attested.json["device_uuid"] == up.ready["boards"][0]["device_uuid"]
    assert attested.json["nonce"] == "00112233445566778899aabbccddeeff"
    assert "token" not in attested.json
    assert up.run("attest", "virtual-1", "--show").json["token"].count(".") == 1

    transcript = up.folder / "transcript.txt"
    signed = up.run("jwt", "virtual-1", "--audience", "lab", "--show", "--transcript", str(transcript))
    assert signed.code == 0, signed.err
    assert (signed.json["verified"], signed.json["header"]["alg"]) == (True, "ES256")
    assert signed.json["claims"]["aud"] == "lab"
    assert signed.json["claims"]["exp"] - time.time() == pytest.approx(600, abs=60)
    assert signed.json["token"] not in transcript.read_text()
    assert "AT%JWT" in transcript.read_text()
    hidden = up.run("jwt", "virtual-1", "--expires-in", "0", "--identity")
    assert "token" not in hidden.json
    assert hidden.json["verified"] is False


def test_errors_have_their_exit_code_and_one_line(lab, tmp_path):
    up = lab()
    unknown = up.run("provision", "virtual-9")
    assert unknown.code == 2
    assert unknown.json["message"] == f"no board has the name 'virtual-9'; names in {up.boards_file}: virtual-1"
    key = Path(up.ready["cloud"]["api_key_file"])
    former = key.read_text()
    key.write_text("0123456789abcdef0123\n")
    refused = up.run("provision", "virtual-1")
    assert (refused.code, refused.json["error"]) == (1, "refused")
    assert "check that the API key is valid" in refused.json["message"]
    assert "0123456789abcdef0123" not in refused.out + refused.err
    key.write_text(former)
    assert up.stand_in.stop() is None
    text = f"boards: [{{name: gone, port: {tmp_path / 'gone'}, cloud: nrfcloud}}]"
    (tmp_path / "boards.yaml").write_text(text)
    missing = run(tmp_path, "credentials", "list", "gone")
    assert (missing.code, missing.out) == (3, "")
    assert f"no such port: {tmp_path / 'gone'}" in missing.err.splitlines()[-1]
    (tmp_path / "boards.yaml").write_text("boards: [{name: a, prot: /dev/ttyACM0}]")
    broken = run(tmp_path, "provision", "a")
    assert broken.code == 2
    assert f"{'boards.yaml'}:1:20: unknown key 'prot'; nearest known key is 'port'; correct it" in broken.err


REPORT = """
def test_provisioned(board, provisioned, evidence):
    assert board.device.sec_tag == provisioned.credentials.sec_tag
    assert board.cloud.api.device(provisioned.device_id) is not None
    evidence("there")
"""


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_test_run_keeps_and_renews_as_the_command_line_does(lab, tmp_path, origin):
    up = lab()
    inner = tmp_path / "run"
    inner.mkdir()
    boards = up.boards_file.read_text()

    def report(*options):
        result = runs.run(inner, boards, REPORT, f"--lab-ca={up.boards_file.parent}/.lab/ca", *options)
        assert result.exit_code == 0, result.output
        return result.case("test_provisioned").properties

    device_id = up.run("provision", "virtual-1", "--key-origin", origin).json["device_id"]
    kept = report("--key-origin", origin)
    assert (kept["device_id"], kept["provisioned_by"], kept["credentials"]) == (device_id, origin, "kept")
    assert kept["private_key"].startswith("more secure" if origin == "device" else "less secure")
    renewed = report("--key-origin", origin, "--reprovision")
    assert (renewed["provisioned_by"], renewed["credentials"]) == (origin, "written")
    assert ("jitp_attempts" in renewed) == (origin == "cloud")
    # Found in the account by the run, and left there.
    assert up.run("provision", "virtual-1", "--key-origin", origin).json["kept"] is True


def test_a_way_that_is_none_is_a_usage_error(tmp_path):
    result = runs.run(tmp_path, "boards: [{name: a, virtual: {}}]", REPORT, "--key-origin", "phone")
    assert result.exit_code == 4
    assert "argument --key-origin: invalid choice: 'phone'" in result.output


PER_TEST = """
from harness.credentials import KeyOrigin

def test_by_another_way(board, evidence):
    assert board.provisioned.credentials.key_origin is KeyOrigin.DEVICE
    first = board.provisioned.credentials.certificate_id
    assert board.provision(renew=False).credentials.certificate_id == first
    assert board.provision().credentials.certificate_id != first
    host = board.provision(KeyOrigin.HOST).credentials
    assert (host.key_origin, host.kept) == (KeyOrigin.HOST, False)
    assert board.provisioned.link.reconnect()
    evidence("provisioned three times")

def test_next(board, provisioned, evidence):
    assert provisioned.credentials.key_origin is KeyOrigin.DEVICE
    assert provisioned.link.reconnect()
    evidence("as the boards file says")
"""


def test_a_test_may_choose_the_way(tmp_path):
    result = runs.run(tmp_path, "boards: [{name: a, virtual: {}}]", PER_TEST)
    assert result.exit_code == 0, result.output
    assert result.case("test_by_another_way").properties["provisioned_by"] == "host"
    assert result.case("test_next").properties["provisioned_by"] == "device"


def test_a_jwt_of_a_board_without_a_key_is_refused_with_board_and_cure(lab):
    done = lab("--boards", "1").run("jwt", "virtual-1", "--expires-in", "0")
    assert done.code == 1
    assert done.json["error"] == "refused"
    assert done.json["message"].startswith("virtual-1: AT%JWT=")
    assert "+CME ERROR: 513 " in done.json["message"]
    assert "nrf91-harness provision virtual-1" in done.json["message"]
