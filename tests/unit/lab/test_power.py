"""Tools that switch power, the count of restarts, and what a boards file may say of them."""

import os
import signal
import sys

import pytest

from harness.cli.main import main
from harness.errors import LabError, PortMissing
from harness.lab import BoardsFileError, load_boards_file
from harness.lab.config import BoardConfig
from harness.lab.power import BoardPower, PowerUnproven
from harness.lab.power.reset_loop import MOST, ResetLoop, in_a_row
from harness.lab.power.switches import Program, switch_of
from harness.lab.power_config import CommandPower, HttpPower, UhubctlPower, YepkitPower

PYTHON = sys.executable


def program(code, **keys):
    words = (PYTHON, "-c", code)
    return switch_of(CommandPower(kind="command", on=words, off=words, **keys))


def test_a_program_that_succeeds_proves_nothing_and_complains_of_nothing():
    assert program("pass").act("on", {}) is None


def test_a_program_finds_the_board_in_its_environment(tmp_path):
    said = "os.environ['NRF91_BOARD'] + os.environ['NRF91_ACTION']"
    code = f"import os; open({str(tmp_path / 'said')!r}, 'w').write({said})"
    assert program(code).act("off", {"NRF91_BOARD": "dk-1"}) is None
    assert (tmp_path / "said").read_text() == "dk-1off"


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("import sys; print('no hub'); sys.exit(3)", "python3? ended with exit code 3: no hub"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended with signal 11: it said nothing"),
    ],
)
def test_what_a_program_complains_of(code, complaint):
    said = program(code).act("on", {})
    assert said is not None
    assert complaint.replace("python3? ", "") in said


def test_a_program_that_hangs_is_killed_with_its_children():
    code = "import subprocess; subprocess.run(['sleep', '600'])"
    said = program(code, timeout=0.3).act("on", {})
    assert said == f"{PYTHON} did not end within 0.3 s, and was killed"


def test_a_program_that_may_not_be_killed_is_said_and_not_waited_for(monkeypatch):
    def refuse(group, _signal):
        pids.append(group)
        raise PermissionError

    pids = []
    monkeypatch.setattr("harness.lab.process_group.os.killpg", refuse)
    said = program("import time; time.sleep(100)", timeout=0.3).act("on", {})
    os.kill(pids[0], signal.SIGKILL)
    os.waitpid(pids[0], 0)
    assert said == (
        f"{PYTHON} did not end within 0.3 s, and cannot be killed, for it runs as another user (sudo?): "
        f"end process {pids[0]} yourself"
    )


def test_a_program_that_is_not_there_is_one_line():
    switch = switch_of(CommandPower(kind="command", on=("/no/such/tool",), off=("/no/such/tool",)))
    said = switch.act("on", {})
    assert said == (
        "cannot run '/no/such/tool': No such file or directory; install it, or correct power: in the boards file"
    )


def test_a_tool_that_is_not_there_is_one_error_before_anything_is_done(tmp_path):
    gone = {"kind": "command", "on": [PYTHON], "off": [str(tmp_path / "nope")]}
    config = BoardConfig.model_validate({"name": "dk-1", "virtual": {}, "power": gone})
    assert config.power is not None
    done = []

    def find_port():
        done.append("looked for the port")
        raise AssertionError

    power = BoardPower(config, switch_of(config.power), find_port, ResetLoop(tmp_path / "loop.json"), done.append)
    for use in (power.cycle, power.off, power.on):
        with pytest.raises(LabError, match=r"^dk-1: power: cannot run '.*nope': no such program"):
            use()
    assert done == []


@pytest.mark.parametrize(
    ("code", "said"),
    [("import sys; sys.exit(3)", "exit code 3: it said nothing"), ("pass", "the tool reported no error")],
)
def test_a_board_that_was_away_before_was_not_switched_off_by_anybody(tmp_path, code, said):
    def find_port():
        raise PortMissing("no kit has this number")

    power = {"kind": "command", "on": [PYTHON], "off": [PYTHON, "-c", code], "delay": 0.01}
    config = BoardConfig.model_validate({"name": "dk-1", "serial": "1051216197", "power": power})
    assert config.power is not None
    board = BoardPower(config, switch_of(config.power), find_port, ResetLoop(tmp_path / "loop.json"))
    with pytest.raises(PowerUnproven, match=rf"neither had a device here nor answered \(.*{said}\)"):
        board.off()


def test_boards_check_looks_for_the_boards_own_program(tmp_path, capsys):
    path = tmp_path / "boards.yaml"
    path.write_text(
        f"boards: [{{name: a, virtual: {{}}, power: {{kind: command, 'on': [./nope], 'off': [{PYTHON}]}}}}]"
    )
    assert main(["boards", "check", str(path)]) == 2
    said = f"{path}: board 'a': power: cannot run './nope': no such program, or no right to run it"
    assert said in capsys.readouterr().out


def test_the_commands_of_known_hubs():
    hub = switch_of(UhubctlPower(kind="uhubctl", location="1-3.2", port=4))
    assert isinstance(hub, Program)
    assert hub._words["off"] == ("uhubctl", "-l", "1-3.2", "-p", "4", "-r", "100", "-a", "off")
    assert not hub.cycles
    yepkit = switch_of(YepkitPower(kind="yepkit", model="ykush3", serial="YK1", port=2))
    assert isinstance(yepkit, Program)
    assert yepkit._words == {
        "on": ("ykushcmd", "ykush3", "-s", "YK1", "-u", "2"),
        "off": ("ykushcmd", "ykush3", "-s", "YK1", "-d", "2"),
    }


def test_a_relay_that_cannot_be_reached_and_no_password_of_its_url():
    relay = switch_of(
        HttpPower(kind="http", on="http://u:secret@127.0.0.1:9/on", off="http://127.0.0.1:9/off?token=secret")
    )
    for action in ("on", "off"):
        said = relay.act(action, {})
        assert said is not None
        assert said.startswith("the relay at http://127.0.0.1:9/o")
        assert "secret" not in said


@pytest.mark.parametrize(
    ("times", "now", "count"),
    [
        ([], 0.0, 0),
        ([0.0], 60.0, 1),
        ([0.0], 60.1, 0),
        ([0.0, 100.0, 150.0, 200.0], 210.0, 3),
        ([0.0, 10.0], 5.0, 0),  # the clock was set back: nothing is known, and nothing is claimed
    ],
)
def test_restarts_in_a_row(times, now, count):
    assert in_a_row(times, now) == count


@pytest.mark.parametrize("text", ["", "7", "{}x", '["soon"]', f"[1{'0' * 400}]"])
def test_a_count_of_restarts_that_makes_no_sense_is_none(tmp_path, text):
    (tmp_path / "dk-1.json").write_text(text)
    loop = ResetLoop(tmp_path / "dk-1.json", lambda: 1000.0)
    loop.check("dk-1")
    loop.count()
    assert (tmp_path / "dk-1.json").read_text() == "[1000.0]"


def test_one_restart_too_many_is_refused_and_later_allowed_again(tmp_path):
    now = [1000.0]
    loop = ResetLoop(tmp_path / "power" / "dk-1.json", lambda: now[0])
    for _ in range(MOST):
        loop.check("dk-1")
        loop.count()
        now[0] += 20.0
    other = ResetLoop(tmp_path / "power" / "dk-1.json", lambda: now[0])  # another process
    with pytest.raises(LabError, match=r"^dk-1: 6 restarts without AT.CFUN=0 in a row, .*; wait 40 s$"):
        other.check("dk-1")
    now[0] += 41.0
    other.check("dk-1")


def test_a_torn_count_is_none(tmp_path):
    (tmp_path / "a.json").write_text("[1, ")
    ResetLoop(tmp_path / "a.json").check("a")


@pytest.mark.parametrize(
    ("power", "mistake"),
    [
        ("{kind: uhubctl, location: 1-3, prt: 4}", "unknown key 'prt'; nearest known key is 'port'; correct it"),
        ("{kind: relay}", "'kind' cannot be 'relay'; known values: command, uhubctl, http, yepkit, labgrid; "),
        ("{on: [a]}", "key 'kind' is missing; add kind: command or kind: uhubctl or kind: http or kind: yepkit"),
        ("{kind: command, on: [a]}", "key 'off' is missing; add it"),
        ("{kind: http, on: ftp://x, off: http://x}", "'on' cannot be 'ftp://x': it must be an http:// or https:// URL"),
        ("{kind: command, on: [], off: [a]}", "'on' is an empty list; add an entry to it"),
        ("{kind: yepkit, delay: 0}", "'delay' cannot be 0: it must be greater than 0"),
    ],
)
def test_mistakes_in_the_boards_file(tmp_path, power, mistake):
    path = tmp_path / "boards.yaml"
    path.write_text(f"boards:\n  - name: a\n    virtual: {{}}\n    power: {power}\n")
    with pytest.raises(BoardsFileError) as caught:
        load_boards_file(path)
    assert any(mistake in line for line in caught.value.lines), caught.value.lines


def test_on_and_off_need_no_quotes(tmp_path):
    path = tmp_path / "boards.yaml"
    path.write_text(
        "boards:\n  - name: a\n    virtual: {}\n    power:\n      kind: command\n      on: [x, a]\n      off: [x, b]\n"
    )
    power = load_boards_file(path).boards[0].power
    assert isinstance(power, CommandPower)
    assert (power.on, power.off) == (("x", "a"), ("x", "b"))
