"""A kit that is unplugged while a command is at work with it: the command ends, in time, with a line that says so."""

import json
import os
import threading
import tty

import pytest

from harness.cli import main
from harness.settings import NamedBoard
from tests.fake_nrfutil import FakeNrfutil
from tests.integration.test_cli import Done
from tests.integration.test_cli import run as command
from tests.integration.test_commands import BOARD
from tests.integration.test_commands import start as start


@pytest.fixture
def kit(start, tmp_path, monkeypatch):
    """A board whose port is a link; ``tmp_path / "unplug"`` is a script that takes it away."""
    stand_in = start(NamedBoard(name="a", **BOARD))
    link = tmp_path / "port"
    link.symlink_to(stand_in.ready["boards"][0]["port"])
    (tmp_path / "app.hex").touch()
    script = tmp_path / "unplug"
    script.write_text(f"#!/bin/sh\nrm -f {link}\n")
    script.chmod(0o755)
    tool = FakeNrfutil(tmp_path / "bin")
    monkeypatch.setenv("PATH", tool.path)
    board = {
        "name": "a",
        "port": str(link),
        "cloud": "nrfcloud",
        "return_within": 0.5,
        "flash": {"application": "app.hex", "serial": "5"},
        "power": {"kind": "command", "off": [str(script)], "on": ["true"], "delay": 0.05, "boot": 0.5},
    }
    (tmp_path / "boards.yaml").write_text(json.dumps({"boards": [board]}))
    return stand_in, tool, script


def assert_one_line(done, code, text):
    assert done.code == code, done.err
    said = [line for line in done.err.splitlines() if line.startswith("nrf91-harness: ")]
    assert len(said) == 1, done.err
    assert text in said[0]
    assert "Traceback" not in done.out + done.err


@pytest.fixture
def pulled(tmp_path, monkeypatch):
    """The boards file of a board whose plug is pulled when it is asked the first thing."""
    master, slave = os.openpty()
    tty.setraw(slave)
    link = tmp_path / "port"
    link.symlink_to(os.ttyname(slave))

    def pull():
        os.read(master, 1)
        link.unlink()
        os.close(master)

    pulling = threading.Thread(target=pull)
    pulling.start()
    monkeypatch.chdir(tmp_path)
    board = {"name": "a", "port": str(link), "cloud": "nrfcloud", "return_within": 0.05}
    path = tmp_path / "boards.yaml"
    path.write_text(json.dumps({"boards": [board]}))
    yield path
    pulling.join()
    os.close(slave)


@pytest.mark.parametrize(
    "words",
    [
        ("attest", "a"),
        ("jwt", "a", "--identity"),
        ("credentials", "list", "a"),
        ("credentials", "verify", "a"),
        ("credentials", "delete", "a"),
    ],
    ids=lambda words: "-".join(words[:2]),
)
def test_a_plug_that_is_pulled_at_the_first_question(pulled, words, capsys):
    code = main([*words, "--boards", str(pulled)])
    assert_one_line(Done(code, *capsys.readouterr()), 3, "a: the port went away")


def test_during_flash(kit, tmp_path):
    _, tool, script = kit
    tool.hook(str(script))
    done = command(tmp_path, "flash", "a")
    assert_one_line(
        done, 3, "a: nrfutil reports success, but the board has not answered since: board 'a': no such port"
    )


def test_during_power(kit, tmp_path):
    assert_one_line(command(tmp_path, "power", "a", "cycle"), 3, "a: power cycle: nothing shows that it happened")


@pytest.mark.parametrize("words", [("doctor", "a"), ("credentials", "list", "a")], ids=lambda words: words[0])
def test_while_it_is_asked(kit, tmp_path, words):
    stand_in, _, _ = kit
    going = threading.Timer(1.0, stand_in.command, ("unplug-board",), {"board": "a"})
    going.start()
    done = command(tmp_path, *words)  # it may have been quicker than whoever pulls the plug
    going.join()
    assert "Traceback" not in done.out + done.err
    assert done.code in (0, 1, 2, 3)
    again = command(tmp_path, *words)
    assert again.code in (2, 3)
    assert "port" in again.out + again.err
    assert "Traceback" not in again.out + again.err
