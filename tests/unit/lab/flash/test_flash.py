"""Firmware onto boards: what is needed, how the tool is told, what its output means, what is believed."""

import json
import os
import time
from pathlib import Path

import pytest

from harness.errors import LabError, Misuse, NoAnswer, PortBusy, PortMissing
from harness.lab.boards_file import BoardsFileError, load_boards_file
from harness.lab.config import BoardConfig
from harness.lab.flash import Flasher, FlashFailed, FlashRecords, ImageKind, Versions
from harness.lab.flash.board_contents import BoardContents
from harness.lab.flash.decision import WrittenImage, modem_version, why_needed
from harness.lab.flash.nrfutil import NrfutilOutput
from harness.lab.flash.record import hash_of
from harness.lab.flash.tools import write
from harness.lab.flash_config import FlashConfig
from harness.lab.lease import Lease
from harness.lab.shared_lock import SharedLock
from tests.fake_nrfutil import FakeNrfutil

ZIP, HEX = Path("mfw_nrf91x1_2.0.4.zip"), Path("app.hex")
OLD, NEW = (
    Versions("mfw_nrf91x1_2.0.2", "Serial Modem 1.0.0"),
    Versions("mfw_nrf91x1_2.0.4", "Serial Modem 1.1.0"),
)
WRITTEN = WrittenImage("aa", "Serial Modem 1.1.0")


@pytest.mark.parametrize(
    ("kind", "file", "written", "told", "reason"),
    [
        (ImageKind.APPLICATION, HEX, WRITTEN, NEW, None),
        (ImageKind.APPLICATION, HEX, None, NEW, "has not written one"),
        (
            ImageKind.APPLICATION,
            HEX,
            WrittenImage("bb", "Serial Modem 1.1.0"),
            NEW,
            "differs from the one that was last written",
        ),
        (
            ImageKind.APPLICATION,
            HEX,
            WRITTEN,
            OLD,
            "reports Serial Modem 1.0.0, and reported Serial Modem 1.1.0 after",
        ),
        (ImageKind.APPLICATION, HEX, WRITTEN, Versions(), "reports nothing, and reported Serial Modem 1.1.0"),
        (
            ImageKind.APPLICATION,
            HEX,
            WrittenImage("aa", ""),
            Versions(),
            "reports nothing, and reported nothing after",
        ),
        (ImageKind.APPLICATION, HEX, WRITTEN, None, None),
        (ImageKind.APPLICATION, HEX, None, None, "has not written one"),
        (ImageKind.MODEM, ZIP, None, NEW, None),
        (ImageKind.MODEM, Path("modem.zip"), WrittenImage("aa", ""), Versions(), None),
        (ImageKind.MODEM, ZIP, None, OLD, "has not written one"),
        (ImageKind.MODEM, Path("modem.zip"), None, NEW, "has not written one"),
        (ImageKind.MODEM, ZIP, WrittenImage("bb", NEW.modem), NEW, "differs from the one"),
        (
            ImageKind.MODEM,
            ZIP,
            WrittenImage("aa", NEW.modem),
            OLD,
            "reports mfw_nrf91x1_2.0.2, and reported mfw_nrf91x1_2.0.4 after",
        ),
    ],
)
def test_a_file_is_written_unless_hash_and_version_agree(kind, file, written, told, reason):
    found = why_needed(kind, file, "aa", written, told)
    assert found == reason if reason is None else reason in str(found)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("mfw_nrf9160_1.3.7.zip", "mfw_nrf9160_1.3.7"),
        ("mfw_nrf91x1_2.0.0-77.beta.zip", "mfw_nrf91x1_2.0.0-77.beta"),
        ("modem.zip", None),
        ("mfw_nrf91x1_2.0.4.hex", None),
    ],
)
def test_the_version_in_a_files_name(name, version):
    assert modem_version(Path(name)) == version


def lines(*objects):
    output = NrfutilOutput()
    shown = [output.line(text if isinstance(text, str) else json.dumps(text)) for text in objects]
    return output, [text for text in shown if text]


def progress(percent, **more):
    return {"type": "task_progress", "data": {"progress": {"totalProgressPercentage": percent, **more}}}


def ended(result, **more):
    return {"type": "task_end", "data": {"task": {"description": "Program"}, "result": result, **more}}


def test_progress_is_shown_in_steps_of_ten_percent():
    output, shown = lines(*(progress(percent, description="Erasing") for percent in (0, 3, 9, 12, 19, 20)))
    assert shown == ["0 % Erasing", "12 % Erasing", "20 % Erasing"]
    assert output.percent == 20


def test_any_failed_task_is_a_failure_with_its_reason():
    failure = ended("fail", error={"code": 24, "description": "no power"})
    output, _ = lines(ended("success"), failure, ended("success"), ended("fail", message="odd"), ended(None))
    assert output.failed == ["Program: no power (code 24)", "Program: odd", "Program: no reason is given"]
    assert output.ended == 2


def test_a_batch_that_ends_with_an_error_is_a_failure():
    output, _ = lines({"type": "batch_end", "data": {"error": {"code": 5, "description": "chip locked"}}})
    assert output.failed == ["chip locked (code 5)"]


@pytest.mark.parametrize(
    "noise", ["", "warning: old", "[]", "5", '{"type": "log"}', '{"data": 5}', "{", '{"data": []}']
)
def test_what_is_no_object_of_the_tool_is_passed_over(noise):
    output, shown = lines(noise, {"type": "task_progress", "data": {"progress": {"totalProgressPercentage": "x"}}})
    assert (output.failed, output.ended, shown) == ([], 0, [])


@pytest.mark.parametrize("key", ["info", "task_end"])
def test_a_value_is_found_wherever_it_stands(key):
    devices = {"data": {"devices": [{"devkit": {"deviceFamily": "NRF91_FAMILY"}}]}}
    output, _ = lines({"type": key, "data": devices})
    assert output.find("deviceFamily") == "NRF91_FAMILY"
    assert output.find("nothing") is None


def test_records_are_kept_by_debugger_and_forgotten_before_a_write(tmp_path):
    records = FlashRecords(tmp_path / "flash")
    assert records.get("001051216197", ImageKind.MODEM) is None
    records.put("001051216197", ImageKind.MODEM, WRITTEN)
    records.put("1051216197", ImageKind.APPLICATION, WRITTEN)
    assert FlashRecords(tmp_path / "flash").get("1051216197", ImageKind.MODEM) == WRITTEN
    records.forget("1051216197", ImageKind.MODEM)
    assert records.get("1051216197", ImageKind.MODEM) is None
    assert records.get("1051216197", ImageKind.APPLICATION) == WRITTEN


@pytest.mark.parametrize("text", ["", "[]", "{", '{"modem": 5}', '{"modem": {"sha256": "a"}}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path, text):
    (tmp_path / "1.json").write_text(text)
    assert FlashRecords(tmp_path).get("1", ImageKind.MODEM) is None


def test_the_hash_of_a_build_folder_is_that_of_its_hex_files(tmp_path):
    build = tmp_path / "build"
    (build / "zephyr").mkdir(parents=True)
    with pytest.raises(LabError, match="no hex file in this build folder"):
        hash_of(build)
    (build / "zephyr" / "zephyr.hex").write_bytes(b"1")
    first = hash_of(build)
    (build / "other.txt").write_bytes(b"1")
    assert hash_of(build) == first
    (build / "zephyr" / "zephyr.hex").write_bytes(b"2")
    assert hash_of(build) != first
    with pytest.raises(LabError, match="No such file"):
        hash_of(tmp_path / "nothing.hex")


class Bench:
    """A board that a fake nrfutil writes to. ``states``: what it says at each question; the last one from then on."""

    def __init__(self, folder, monkeypatch):
        self.tool = FakeNrfutil(folder / "bin")
        monkeypatch.setenv("PATH", self.tool.path)
        self.folder = folder
        (folder / ZIP).write_bytes(b"modem")
        (folder / HEX).write_bytes(b"application")
        self.records = FlashRecords(folder / "flash")
        self.states = [
            BoardContents(OLD, frozenset({(16842753, 0), (16842753, 2)})),
            BoardContents(NEW, frozenset({(16842753, 0)})),
        ]
        self.notes = []

    def ask(self):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state

    def flasher(self, **keys):
        flash = {"modem": str(ZIP), "application": str(HEX), **keys}
        flash = {key: value for key, value in flash.items() if value is not None}
        config = BoardConfig.model_validate({"name": "dk-1", "serial": "001051216197", "flash": flash})
        return Flasher(config, self.ask, self.records, self.folder, self.notes.append, self.folder)

    def run(self, force=False, **keys):
        return self.flasher(**keys).run(force=force)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    return Bench(tmp_path, monkeypatch)


def test_modem_before_application_with_verify_and_reset_named(bench):
    done = bench.run()
    assert [(one.kind, one.told) for one in done] == [
        (ImageKind.MODEM, NEW.modem),
        (ImageKind.APPLICATION, NEW.application),
    ]
    modem, application = bench.tool.programmed
    assert modem[modem.index("--firmware") + 1].endswith(str(ZIP))
    assert modem[-1] == "verify=VERIFY_READ,reset=RESET_SYSTEM"
    assert application[application.index("--serial-number") + 1] == "1051216197"
    assert application[-1] == "chip_erase_mode=ERASE_ALL,verify=VERIFY_READ,reset=RESET_SYSTEM"
    assert bench.tool.calls[0][:3] == ["--json", "device", "device-info"]
    assert any(
        text.startswith("modem firmware: 25 % Programming, ") and text.endswith(" s left") for text in bench.notes
    )
    assert bench.notes[-1] == "1 credentials that were in the modem's store are gone"
    assert [one.reason for one in bench.run()] == [None, None]  # now hash and version agree
    assert len(bench.tool.programmed) == 2
    bench.run(force=True)
    assert len(bench.tool.programmed) == 4


def test_a_new_build_of_the_same_version_is_written_and_nothing_else(bench):
    bench.run()
    (bench.folder / HEX).write_bytes(b"another build")
    done = bench.run(erase="touched")
    assert [one.reason is not None for one in done] == [False, True]
    assert bench.tool.programmed[-1][-1].startswith("chip_erase_mode=ERASE_RANGES_TOUCHED_BY_FIRMWARE,")


def test_a_board_that_somebody_flashed_by_hand_is_written_again(bench):
    bench.run()
    bench.states = [BoardContents(Versions(NEW.modem, "Serial Modem 0.9")), BoardContents(NEW)]
    assert [one.reason is not None for one in bench.run()] == [False, True]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("half-way", "nrfutil: Program device: Failed to write at 0x50000 (code 24)"),
        ("refuse", "nrfutil: Program device: The device is protected (code 12)"),
        ("code", "nrfutil ended with code 7: "),
        ("silent", "nrfutil ended without reporting success: "),
    ],
)
def test_a_tool_that_fails_is_one_line_and_leaves_no_record(bench, how, text):
    bench.run()
    bench.tool.does(how)
    with pytest.raises(FlashFailed, match=r"^dk-1: the modem firmware was not written: ") as caught:
        bench.run(force=True)
    assert text in str(caught.value)
    assert str(caught.value).endswith("; nrf91-harness flash dk-1 tries again")
    assert "\n" not in str(caught.value)
    assert bench.records.get("1051216197", ImageKind.MODEM) is None
    assert bench.records.get("1051216197", ImageKind.APPLICATION) is not None
    bench.tool.does("ok")
    assert [one.reason is None for one in bench.run()] == [True, True]  # the modem tells the version of its file


def test_a_tool_that_hangs_is_killed_with_what_it_started(bench):
    bench.tool.does("hang")
    with pytest.raises(FlashFailed, match=r"nrfutil did not end within 1\.5 s and was killed, at 50 %"):
        bench.run(modem=None, application_timeout=1.5)
    child = int((bench.tool.folder / "child").read_text())
    deadline = time.monotonic() + 20
    while state_of(child) != "Z" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert state_of(child) == "Z"


def state_of(pid):
    """Return the state of a process, Z if it is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_a_tool_that_reports_success_is_not_believed(bench):
    bench.states = [BoardContents(OLD), BoardContents(OLD)]
    with pytest.raises(FlashFailed, match=r"the modem reports mfw_nrf91x1_2\.0\.2 in place of mfw_nrf91x1_2\.0\.4"):
        bench.run()
    assert bench.records.get("1051216197", ImageKind.MODEM) is None


def test_a_tool_that_only_erases_leaves_a_board_that_does_not_answer(bench):
    bench.states = [BoardContents(OLD), NoAnswer("no answer to AT")]
    with pytest.raises(FlashFailed, match="success, but the board has not answered since: no answer to AT; is it"):
        bench.run()


def test_an_application_that_the_board_does_not_turn_out_to_run_is_a_failure_and_leaves_no_record(bench):
    bench.states = [BoardContents(OLD), BoardContents(Versions(NEW.modem, ""))]
    with pytest.raises(
        FlashFailed, match=r"success, but the board does not run .* correct 'firmware' there, or applic"
    ):
        bench.run()
    assert bench.records.get("1051216197", ImageKind.APPLICATION) is None


def test_an_application_that_no_command_identifies_is_not_called_proved(bench):
    bench.states = [BoardContents(OLD), BoardContents(Versions(NEW.modem, "AT client"), proved=False)]
    assert [(one.kind, one.proved) for one in bench.run()] == [(ImageKind.MODEM, True), (ImageKind.APPLICATION, False)]


def test_nothing_is_written_to_another_chip(bench):
    bench.tool.does("other-chip")
    with pytest.raises(LabError, match=r"leads to NRF53_FAMILY, not to an nRF91, so nothing is written; on a Thingy"):
        bench.run()
    assert bench.tool.programmed == []


def test_nothing_is_written_to_a_chip_that_nobody_names(bench):
    bench.tool.does("no-family")
    with pytest.raises(LabError, match=r"which chip is behind debugger 1051216197, so nothing is written; look"):
        bench.run()
    assert bench.tool.programmed == []


def test_a_debugger_that_is_not_there_is_one_line(bench):
    bench.tool.does("no-debugger")
    with pytest.raises(LabError, match=r"cannot reach debugger 1051216197: Error: no device .*nrfutil device list"):
        bench.run()


def test_a_tool_that_is_not_installed_is_one_line(bench, monkeypatch):
    monkeypatch.setenv("PATH", str(bench.folder))
    with pytest.raises(LabError, match=r"^cannot run nrfutil: No such file or directory; install nRF Util"):
        bench.run()


def test_a_board_that_is_not_there_is_not_written_to(bench):
    bench.states = [PortMissing("no kit")]
    with pytest.raises(PortMissing):
        bench.run()
    assert bench.tool.calls == []


def test_a_silent_board_is_written_to_only_if_the_record_says_that_it_has_something_else(bench):
    bench.states = [NoAnswer("silent"), BoardContents(NEW)]
    assert all(one.reason for one in bench.run())
    bench.states = [NoAnswer("silent")]
    assert [(one.reason, one.told) for one in bench.run()] == [(None, ""), (None, "")]
    assert "it does not answer before it is flashed: silent" in bench.notes


def test_one_process_at_a_time_has_a_debugger(bench, monkeypatch):
    monkeypatch.setattr("harness.lab.flash.flasher._LOCK_WAIT", 0.1)
    lock = SharedLock(bench.folder / "flash-1051216197.busy")
    assert lock.take(0.0)
    with pytest.raises(LabError, match="another process uses debugger 1051216197; wait for it: fuser"):
        bench.run()
    lock.release()
    assert bench.run()


def test_a_debugger_that_is_a_board_in_use_is_not_written_through(bench, monkeypatch):
    monkeypatch.setattr("harness.lab.flash.flasher._LOCK_WAIT", 0.1)
    with Lease("other", "usb-1051216197", folder=bench.folder):
        monkeypatch.setattr("harness.lab.lease.socket.gethostname", lambda: "another")  # else it is this process's own
        with pytest.raises(PortBusy, match=r"^dk-1: debugger 1051216197 is in use, nothing is written: .* by pid"):
            bench.run()
        assert bench.tool.calls == []
        monkeypatch.undo()
        monkeypatch.setenv("PATH", bench.tool.path)
        bench.states = [BoardContents(OLD), BoardContents(NEW)]
        assert bench.run()


def programs(folder, monkeypatch, *names):
    """Put programs into PATH that note their words."""
    for name in names:
        path = folder / name
        path.write_text(f'#!/bin/sh\necho "$0 $@" >> {folder}/noted\n')
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return lambda: (folder / "noted").read_text().replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("keys", "kind", "words"),
    [
        ({"tool": "west"}, ImageKind.APPLICATION, "west flash --skip-rebuild --build-dir F --dev-id 5 --erase"),
        (
            {"tool": "west", "erase": "touched"},
            ImageKind.APPLICATION,
            "west flash --skip-rebuild --build-dir F --dev-id 5",
        ),
        (
            {"tool": "pyocd"},
            ImageKind.APPLICATION,
            "pyocd flash --target nrf91 --uid 5 --no-wait -O auto_unlock=false --erase chip F",
        ),
        (
            {"tool": "command", "command": ("mine", "{kind}", "-s{serial}", "{file}")},
            ImageKind.MODEM,
            "mine modem -s5 F",
        ),
    ],
)
def test_the_words_of_other_tools(tmp_path, monkeypatch, keys, kind, words):
    noted = programs(tmp_path, monkeypatch, "west", "pyocd", "mine")
    write(FlashConfig(application="F", **keys), kind, Path("F"), "5", lambda _text: None)
    assert noted() == [words]


@pytest.mark.parametrize("tool", ["west", "pyocd"])
def test_tools_that_cannot_write_modem_firmware_say_so(tool):
    with pytest.raises(Misuse, match=f"tool {tool} cannot write modem firmware"):
        write(FlashConfig(modem="F", tool=tool), ImageKind.MODEM, Path("F"), "5", lambda _text: None)


@pytest.mark.parametrize(
    ("flash", "mistake"),
    [
        ("{}", "names no file; give it application:"),
        ("{application: nothing.hex}", "no such file: "),
        ("{application: app.hex, tool: nrfjprog}", "'tool' cannot be 'nrfjprog'"),
        ("{application: app.hex, tool: command}", "'command' goes with tool: command"),
        ("{application: app.hex, command: [a]}", "'command' goes with tool: command"),
        ("{modem: app.hex, tool: west}", "west cannot write modem firmware"),
        ("{application: app.hex, eras: all}", "unknown key 'eras'; nearest known key is 'erase'"),
    ],
)
def test_mistakes_in_the_boards_file(tmp_path, flash, mistake):
    (tmp_path / "app.hex").touch()
    path = tmp_path / "lab.yaml"
    path.write_text(f"boards:\n  - name: a\n    serial: '5'\n    cloud: nrfcloud\n    flash: {flash}\n")
    with pytest.raises(BoardsFileError, match=mistake):
        load_boards_file(path)


def test_firmware_needs_a_debugger_and_a_real_board(tmp_path):
    (tmp_path / "app.hex").touch()
    path = tmp_path / "lab.yaml"
    for where, mistake in (
        ("port: /dev/null, cloud: nrfcloud", "needs serial:"),
        ("virtual: {}", "virtual board has no"),
    ):
        path.write_text(f"boards: [{{name: a, {where}, flash: {{application: app.hex}}}}]\n")
        with pytest.raises(BoardsFileError, match=mistake):
            load_boards_file(path)


@pytest.mark.parametrize(
    ("a", "b", "line"),
    [
        ("port: /dev/a, flash: {application: app.hex, serial: '00105a'}", "serial: '105A'", 2),
        (
            "serial: '5', flash: {application: app.hex, serial: '7'}",
            "port: /dev/b, flash: {modem: m.zip, serial: '07'}",
            2,
        ),
        ("serial: '7'", "serial: '007', location: 1-2, flash: {application: app.hex}", 3),
    ],
)
def test_a_debugger_that_is_another_boards_is_a_mistake(tmp_path, a, b, line):
    for name in ("app.hex", "m.zip"):
        (tmp_path / name).touch()
    path = tmp_path / "lab.yaml"
    path.write_text(f"boards:\n  - {{name: a, cloud: nrfcloud, {a}}}\n  - {{name: b, cloud: nrfcloud, {b}}}\n")
    with pytest.raises(BoardsFileError, match=rf"lab\.yaml:{line}:.* which flashing would erase; give flash: its own"):
        load_boards_file(path)


def test_each_board_has_its_own_debugger(tmp_path):
    (tmp_path / "app.hex").touch()
    path = tmp_path / "lab.yaml"
    flash = "flash: {application: app.hex, serial: '7'}"
    path.write_text(
        f"boards:\n  - {{name: a, cloud: nrfcloud, serial: '07', {flash}}}\n"
        "  - {name: b, cloud: nrfcloud, serial: '8'}\n"
    )
    assert len(load_boards_file(path).boards) == 2
