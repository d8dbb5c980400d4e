"""``nrf91-harness flash`` and a night with flash: in its boards file, on virtual boards and a stand-in for nrfutil.

A board whose port is a link to that of an old modem; to write firmware leads the link to a newer one.
"""

import gzip
import json

import pytest

from harness.lab.boards_file import load_boards_file
from harness.lab.flash.board_contents import ask
from harness.settings import FirmwareName, Model, NamedBoard, Sample, TerminatorName
from harness.timeline import Timeline
from tests.fake_nrfutil import FakeNrfutil
from tests.integration.runs import run
from tests.integration.test_cli import run as command
from tests.integration.test_commands import BOARD
from tests.integration.test_commands import start as start

ZIP = "mfw_nrf91x1_2.0.2.zip"
KEY = {"NRFCLOUD_API_KEY": "0" * 40}


@pytest.fixture
def kit(start, tmp_path, monkeypatch):
    old = NamedBoard(name="old", model=Model.NRF9161, **BOARD)
    stand_in = start(old, NamedBoard(name="new", **BOARD))
    ports = {board["name"]: board["port"] for board in stand_in.ready["boards"]}
    (tmp_path / "port").symlink_to(ports["old"])
    (tmp_path / ZIP).write_bytes(b"modem")
    (tmp_path / "app.hex").write_bytes(b"application")
    tool = FakeNrfutil(tmp_path / "bin")
    tool.hook(f'[ "$1" = {ZIP} ] && ln -sfn {ports["new"]} {tmp_path}/port; true\n')
    monkeypatch.setenv("PATH", tool.path)
    return tool


def test_a_board_is_asked_as_its_firmware_wants_it(start, tmp_path):
    """Behind a shell that the boards file alone tells of, and with another end of a command than its kind has."""
    stand_in = start(
        NamedBoard(name="shell", firmware=FirmwareName.CLOUD_LIBRARY, sample=Sample.ASSET_TRACKER_TEMPLATE, **BOARD),
        NamedBoard(name="ends", firmware=FirmwareName.AT_CLIENT, terminator=TerminatorName.CRLF, **BOARD),
    )
    says = {"shell": {"kind": "cloud-library", "sample": Sample.ASSET_TRACKER_TEMPLATE}, "ends": "at-client"}
    path = tmp_path / "boards.yaml"
    boards = [
        {"name": board["name"], "port": board["port"], "cloud": "nrfcloud", "firmware": says[board["name"]]}
        for board in stand_in.ready["boards"]
    ]
    path.write_text(json.dumps({"boards": boards}))
    for config in load_boards_file(path).boards:
        state = ask(config, str(config.port), Timeline(), patience=1.0)
        assert state.told.modem.startswith("mfw_nrf91x1_"), config.name
        assert not state.proved  # by no command of its own


def boards_file(tmp_path):
    flash = {"modem": ZIP, "application": "app.hex", "serial": "1051216197"}
    port = str(tmp_path / "port")
    board = {"name": "a", "port": port, "cloud": "nrfcloud", "return_within": 5.0, "flash": flash}
    return json.dumps({"boards": [board]})


def test_the_command_writes_once_and_then_finds_it_there(kit, tmp_path):
    (tmp_path / "boards.yaml").write_text(boards_file(tmp_path))
    done = command(tmp_path, "flash", "a")
    assert done.code == 0, done.err
    assert f"a: modem {ZIP}: written, because this lab has not written one to this board; the board reports" in done.out
    assert "flashing the application firmware app.hex" in done.err
    assert len(kit.programmed) == 2
    done = command(tmp_path, "flash", "a", "--json")
    assert [(one["written"], one["proved"]) for one in done.json["firmware"]] == [(False, True), (False, True)]
    assert done.json["firmware"][0]["told"] == "mfw_nrf91x1_2.0.2"
    assert len(kit.programmed) == 2
    kit.does("half-way")
    done = command(tmp_path, "flash", "a", "--force", "--json")
    assert done.code == 3
    assert "Failed to write at 0x50000 (code 24); nrf91-harness flash a tries again" in done.json["message"]


def test_a_night_writes_what_its_boards_file_names_before_the_first_test(kit, tmp_path):
    tests = 'def test_modem(board):\n    assert board.opened.identity.firmware == "mfw_nrf91x1_2.0.2"\n'
    for _ in range(2):
        result = run(tmp_path, boards_file(tmp_path), tests, env=KEY)
        assert result.exit_code == 0, result.output
        assert len(kit.programmed) == 2  # the second night finds it there
    first = gzip.decompress(min(tmp_path.glob("reports/*/timeline/a.jsonl.gz")).read_bytes()).decode()
    assert f"flashing the modem firmware {ZIP}: this lab has not written one to this board" in first


def test_a_night_whose_tool_fails_is_the_labs_error(kit, tmp_path):
    kit.does("refuse")
    tests = "def test_one(board):\n    pass\n\ndef test_two(board):\n    pass\n"
    result = run(tmp_path, boards_file(tmp_path), tests, env=KEY)
    assert [case.result for case in result.cases] == ["error", "skipped"]
    assert "the modem firmware was not written: nrfutil: Program device: The device is protected" in result.output
    assert len(kit.programmed) == 1
