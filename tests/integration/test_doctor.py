"""``nrf91-harness doctor`` on virtual boards behind real ports, with faults prepared."""

import json
import os
import stat
import time
from pathlib import Path

import pytest
import yaml

from harness.at import AtPort
from harness.lab import BoardConfig
from harness.lab.doctor.questions import ask
from harness.settings import FirmwareName, NamedBoard, TerminatorName
from harness.timeline import Timeline
from tests.integration.test_cli import COMMAND, DEADLINE
from tests.integration.test_cli import lab as lab
from tests.integration.test_commands import BOARD
from tests.integration.test_commands import start as start
from tests.integration.warm_start import run_python

BOARDS = {
    "good": "",
    "no-sim": ",fault=no-sim",
    "denied": ",fault=denied",
    "mute": ",model=mute",
    "other": ",firmware=at-client",
    "foreign": "",
    "held": "",
}


@pytest.fixture
def up(lab):
    return lab("--boards", "0", *(part for name, rest in BOARDS.items() for part in ("--board", name + rest)))


def doctor(up, file, *arguments):
    command = [*COMMAND, "doctor", "--boards", str(file), "--json", *arguments]
    done = run_python(command, up.folder, os.environ, DEADLINE)
    assert done.stderr == ""
    said = json.loads(done.stdout)
    return done.returncode, said, {(check["about"], check["id"]): check for check in said["checks"]}


def at(up, name, *commands):
    (board,) = [each for each in up.ready["boards"] if each["name"] == name]
    with AtPort.open(board["port"], name=name, timeline=Timeline()) as port:
        port.sync()
        for command in commands:
            try:
                port.command(command)
            except Exception as error:
                assert "+CFUN" in command, error  # noqa: PT017 - a board without a SIM may say no


def prepared(up):
    """Write a boards file on which ten things are wrong; return it."""
    said = yaml.safe_load(up.boards_file.read_text())
    boards = {board["name"]: board for board in said["boards"]}
    boards["other"]["firmware"] = "serial-modem"
    said["boards"].append({**boards["good"], "name": "gone", "port": str(up.folder / "gone")})
    said["clouds"]["virtual"].pop("api_key_file")
    said["clouds"]["virtual"]["api_key_env"] = "NO_SUCH_KEY"
    said["lab_ca"] = str(up.folder / "ca")
    (up.folder / "ca").mkdir()
    (up.folder / "ca" / "lab-ca.key.pem").write_text("no key")
    (up.folder / "ca" / "lab-ca.key.pem").chmod(0o644)
    at(up, "no-sim", "AT+CFUN=1")
    at(up, "denied", "AT+CPSMS=1", "AT+CFUN=1")
    at(up, "foreign", 'AT%CMNG=0,16842753,4,"someone"')
    file = up.folder / "faults.yaml"
    file.write_text(yaml.safe_dump(said))
    return file


TEN = [
    ("no-sim", "board.sim"),
    ("denied", "board.coverage"),
    ("denied", "board.psm"),
    ("mute", "board.answers"),
    ("other", "board.firmware"),
    ("foreign", "board.store"),
    ("held", "port.holder"),
    ("gone", "port.present"),
    ("virtual", "account.key"),
    ("lab-ca", "lab-ca.files"),
]


def test_ten_faults_are_named_each_with_its_cure(up):
    file = prepared(up)
    held = next(board["port"] for board in up.ready["boards"] if board["name"] == "held")
    with open(held, "rb"):
        code, said, found = doctor(up, file)
    assert (code, said["verdict"]) == (2, "fail")
    for fault in TEN:
        assert found[fault]["status"] in ("warn", "fail"), found[fault]
        assert found[fault]["remedy"], found[fault]
    bad = {(check["about"], check["id"]) for check in said["checks"] if check["status"] == "fail"}
    assert bad - set(TEN) == {("no-sim", "board.coverage")}
    assert found["gone", "board.answers"]["status"] == "skipped"
    assert found["good", "board.store"]["status"] == "ok"
    assert found["virtual", "cloud.tls"]["status"] == "ok"


def test_a_lab_that_is_fit_is_left_as_it_is(up):
    before = sorted(path for path in up.folder.rglob("*") if path.is_file())
    code, said, found = doctor(up, up.boards_file, "good")
    assert code in (0, 1)  # a computer without NTP is one to warn of
    assert {check["about"] for check in said["checks"]} == {"host", "good", "virtual", "lab-ca"}
    assert found["virtual", "account.role"]["text"] == "the key's role is owner"
    assert found["virtual", "account.leftovers"]["status"] == "ok"
    assert sorted(path for path in up.folder.rglob("*") if path.is_file()) == before
    sent = [line for line in Path(up.ready["journal"]).read_text().splitlines() if "POST" in line or "DELETE" in line]
    assert sent == []


def test_the_quick_part_asks_no_board(up):
    code, said, _ = doctor(up, up.boards_file, "--quick")
    assert code in (0, 1)
    assert [check for check in said["checks"] if check["id"].startswith(("board.", "cloud.", "usb."))] == []
    assert "port.present" in {check["id"] for check in said["checks"]}


def test_a_board_that_this_lab_provisioned_is_fit(up):
    command = [*COMMAND, "provision", "good", "--boards", str(up.boards_file)]
    assert run_python(command, up.folder, os.environ, DEADLINE).returncode == 0
    code, _, found = doctor(up, up.boards_file, "good")
    assert code in (0, 1)
    store = found["good", "board.store"]
    assert (store["status"], store["remedy"]) == ("ok", None)
    assert store["text"] == "3 items, of which 0 were not written by this lab"


def test_a_wrong_key(up):
    key = Path(up.ready["cloud"]["api_key_file"])
    key.write_text("f" * 40)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    code, _, found = doctor(up, up.boards_file, "good")
    assert code == 2
    assert found["virtual", "account.access"]["status"] == "fail"
    assert "f" * 40 not in json.dumps(list(found.values()))


def test_a_mistake_in_the_boards_file_is_misuse(up):
    command = [*COMMAND, "doctor", "nobody", "--boards", str(up.boards_file)]
    done = run_python(command, up.folder, os.environ, DEADLINE)
    assert done.returncode == 2
    assert "no board has the name or tag 'nobody'" in done.stderr


def test_the_line_of_the_seconds_is_there(up):
    began = time.monotonic()
    _, said, _ = doctor(up, up.boards_file, "good")
    assert 0 < said["seconds"] <= time.monotonic() - began


def test_a_declared_at_client_is_asked_with_what_ends_its_commands(start):
    board = NamedBoard(name="a", firmware=FirmwareName.AT_CLIENT, terminator=TerminatorName.LF, **BOARD)
    url = start(board).ready["boards"][0]["port"]
    answers = ask(BoardConfig(name="a", port=url, firmware=FirmwareName.AT_CLIENT), url)
    assert (answers.mode, answers.firmware) == (0, "AT client")
