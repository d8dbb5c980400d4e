"""Power that is cut and seen to be: virtual boards whose process plays the hub, and hubs that only pretend."""

import json
import os
import re
import threading
import tty
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.errors import PortMissing
from harness.lab.config import BoardConfig
from harness.lab.power import BoardPower, PowerUnproven, ResetLoop
from harness.settings import FirmwareName, Model, NamedBoard
from tests.integration.runs import run
from tests.integration.test_cli import run as command
from tests.integration.test_commands import BOARD
from tests.integration.test_commands import start as start

POWER = {"kind": "command", "on": ["x"], "off": ["x"], "delay": 0.01}


class Hub:
    """A switch made of functions."""

    missing = None

    def __init__(self, off: Callable[[], object], on: Callable[[], object], cycles: bool = False) -> None:
        self.cycles = cycles
        self.acts = {"off": off, "on": on, "cycle": on}
        self.done: list[str] = []

    def act(self, action, environment):
        self.done.append(action)
        assert environment["NRF91_BOARD"] == "a"
        found = self.acts[action]()
        return found if isinstance(found, str) else None


@pytest.fixture
def power(start, tmp_path):
    """Return a function that makes the power of a virtual board "a"; ``power.stand_in`` is its process."""

    class Made:
        def __init__(self):
            self.stand_in = start(NamedBoard(name="a", **BOARD))
            self.port = Path(self.stand_in.ready["boards"][0]["port"])
            self.link = tmp_path / "port"
            self.link.symlink_to(self.port)
            self.notes: list[str] = []

        def find(self):
            if not self.link.exists():
                raise PortMissing("no such port")
            return str(self.link)

        def command(self, name):
            return lambda: self.stand_in.command(name, board="a")

        def __call__(self, hub, boot=1.0):
            config = BoardConfig.model_validate({"name": "a", "port": str(self.link), "power": POWER | {"boot": boot}})
            loop = ResetLoop(tmp_path / "loop.json")
            return BoardPower(config, hub, self.find, loop, self.notes.append)

    return Made()


def test_a_device_that_goes_away_and_comes_back(power):
    hub = Hub(power.command("unplug-board"), power.command("plug-board"))
    assert power(hub, boot=10.0).cycle() == "its device went away and came back"
    assert hub.done == ["off", "on"]
    assert power.notes[0] == "AT+CFUN=0 was sent before"


def test_a_port_that_stays_and_a_boot_line(power):
    hub = Hub(lambda: None, power.command("reset-board"))
    assert power(hub, boot=10.0).cycle() == "it said 'Ready'"


def test_a_shell_that_nobody_declared_is_found_and_spoken_to_as_one(start, tmp_path):
    stand_in = start(NamedBoard(name="a", firmware=FirmwareName.SHELL, **BOARD))
    url = stand_in.ready["boards"][0]["port"]
    notes: list[str] = []
    hub = Hub(lambda: None, lambda: stand_in.command("reset-board", board="a"))
    config = BoardConfig.model_validate({"name": "a", "port": url, "power": POWER | {"boot": 10.0}})
    BoardPower(config, hub, lambda: url, ResetLoop(tmp_path / "loop.json"), notes.append).cycle()
    assert notes[0] == "AT+CFUN=0 was sent before"


def test_what_is_not_known_gets_no_command(tmp_path):
    ours, boards = os.openpty()
    tty.setraw(boards)
    os.set_blocking(ours, False)
    url = os.ttyname(boards)
    notes: list[str] = []
    config = BoardConfig.model_validate({"name": "a", "port": url, "power": POWER | {"boot": 0.1}})
    power = BoardPower(config, Hub(lambda: None, lambda: None), lambda: url, ResetLoop(tmp_path / "l"), notes.append)
    with pytest.raises(PowerUnproven):
        power.cycle()
    typed = os.read(ours, 1 << 16)
    os.close(ours)
    os.close(boards)
    assert notes[0].startswith("AT+CFUN=0 could not be sent before: a: expected firmware that answers AT commands")
    assert typed.startswith(b"+++")
    assert b"AT+" not in typed


def test_a_tool_that_cycles_by_itself(power):
    hub = Hub(lambda: None, power.command("reset-board"), cycles=True)
    assert power(hub, boot=10.0).cycle() == "it said 'Ready'"
    assert hub.done == ["cycle"]


def test_a_tool_that_does_nothing_is_not_believed(power):
    with pytest.raises(PowerUnproven, match=r"nothing shows that it happened: .* \(the tool reported no error\)"):
        power(Hub(lambda: None, lambda: None), boot=0.3).cycle()


def test_what_the_tool_complained_of_is_told_if_nothing_happened(power):
    with pytest.raises(PowerUnproven, match="no hub with this number"):
        power(Hub(lambda: "no hub with this number", lambda: None), boot=0.3).cycle()


def test_a_tool_that_complains_and_does_it_all_the_same_is_right(power):
    hub = Hub(power.command("unplug-board"), lambda: (power.command("plug-board")(), "signal 11")[1])
    assert power(hub, boot=10.0).cycle() == "its device went away and came back"
    assert "power on: signal 11" in power.notes


def test_a_hub_that_cuts_data_and_not_power(power):
    hub = Hub(power.link.unlink, lambda: power.link.symlink_to(power.port))
    with pytest.raises(PowerUnproven, match="did not restart: the hub cuts data and not power"):
        power(hub, boot=5.0).cycle()


def test_power_comes_back_when_something_breaks_between(power):
    hub = Hub(lambda: 1 / 0, lambda: None)
    with pytest.raises(ZeroDivisionError):
        power(hub).cycle()
    assert hub.done == ["off", "on"]


def test_off_and_on_are_seen_too(power):
    hub = Hub(power.command("unplug-board"), power.command("plug-board"))
    assert power(hub).off() == "its device went away"
    assert power(hub, boot=10.0).on() == "its device came"
    with pytest.raises(PowerUnproven, match="power off: nothing shows"):
        power(Hub(lambda: None, lambda: None)).off()
    assert power(Hub(lambda: None, lambda: None), boot=0.3).on() == "it answers"


class Relay(ThreadingHTTPServer):
    """A relay on loopback. ``heard``: what it was told; ``does``: what it does then, at first nothing."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Calls)
        self.heard: list[str] = []
        self.does: Callable[[str], object] = lambda _text: None


class _Calls(BaseHTTPRequestHandler):
    server: Relay

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.heard.append(f"{self.path} {body}")
        self.server.does(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def relay():
    server = Relay()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def lab_file(relay, port, **keys):
    """Return a boards file, as JSON, which is YAML."""
    address = f"http://127.0.0.1:{relay.server_address[1]}/relay/0"
    power = {
        "kind": "http",
        "on": address,
        "off": address,
        "method": "POST",
        "on_body": "turn=on",
        "off_body": "turn=off",
    }
    board = {"name": "a", "port": str(port), "cloud": "nrfcloud", "power": power | {"delay": 0.05, **keys}}
    return json.dumps({"boards": [{**board, "return_within": 1.0}]})


def test_the_command_line_and_a_relay_that_answers_200_and_does_nothing(start, relay, tmp_path):
    stand_in = start(NamedBoard(name="a", **BOARD))
    port = stand_in.ready["boards"][0]["port"]
    (tmp_path / "boards.yaml").write_text(lab_file(relay, port, boot=0.5))
    done = command(tmp_path, "power", "a", "cycle", "--json")
    assert done.code == 3
    assert "nothing shows that it happened" in done.json["message"]
    assert relay.heard == ["/relay/0 turn=off", "/relay/0 turn=on"]
    relay.does = lambda text: stand_in.command("unplug-board" if "off" in text else "plug-board", board="a")
    (tmp_path / "boards.yaml").write_text(lab_file(relay, port, boot=10.0))
    done = command(tmp_path, "power", "a", "cycle", "--json")
    assert (done.code, done.json) == (
        0,
        {"ok": True, "board": "a", "action": "cycle", "seen": "its device went away and came back"},
    )


def test_a_board_that_hangs_is_power_cycled_once_and_the_night_goes_on(start, relay, tmp_path):
    stand_in = start(NamedBoard(name="hung", model=Model.MUTE, **BOARD), NamedBoard(name="well", **BOARD))
    hung, well = (board["port"] for board in stand_in.ready["boards"])
    port = tmp_path / "port"
    port.symlink_to(hung)

    def switch(text):
        if "off" in text:
            port.unlink()
        else:
            port.symlink_to(well)

    relay.does = switch
    tests = "def test_identity(board):\n    assert board.opened.identity.imei\n\ndef test_again(board):\n    pass\n"
    result = run(tmp_path, lab_file(relay, port, boot=10.0), tests, env={"NRFCLOUD_API_KEY": "0" * 40})
    assert result.exit_code == 0, result.output
    assert relay.heard == ["/relay/0 turn=off", "/relay/0 turn=on"]
    assert re.search(r"\bpower 1\b", result.case("test_identity[a]").properties["recovery"])


def test_the_fixture_cycles_power_and_the_board_is_opened_anew(start, relay, tmp_path):
    stand_in = start(NamedBoard(name="a", **BOARD))
    relay.does = lambda text: stand_in.command("unplug-board" if "off" in text else "plug-board", board="a")
    tests = """
def test_power(board, power_cycle):
    before = board.opened.identity
    assert power_cycle() == "its device went away and came back"
    assert board.opened.identity == before
"""
    port = stand_in.ready["boards"][0]["port"]
    result = run(tmp_path, lab_file(relay, port, boot=10.0), tests, env={"NRFCLOUD_API_KEY": "0" * 40})
    assert result.exit_code == 0, result.output


def test_the_fixture_skips_a_board_without_power(tmp_path):
    tests = "def test_power(power_cycle):\n    power_cycle()\n"
    result = run(tmp_path, "boards: [{name: a, virtual: {}}]\n", tests)
    assert result.exit_code == 0, result.output
    assert result.case("test_power[a]").result == "skipped"
