"""Boards at labgrid places: a real coordinator, exporters and ser2net on loopback, virtual boards behind them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import BoardLost, LabError, PortBusy, PortMissing
from harness.lab import Lab, load_boards_file
from harness.lab.places.holding import PlaceHolder
from harness.run.leased_board import LeasedBoard
from harness.timeline import Kind
from tests.integration.runs import EARLY, run
from tests.labgrid_lab import FILE, LABGRID, RACKS, ROOT, UNDELAYED, LabgridLab, missing

pytestmark = [pytest.mark.skipif(missing() is not None, reason=missing() or ""), pytest.mark.timeout(EARLY)]


class Relay(ThreadingHTTPServer):
    """A power relay that labgrid's driver "rest" speaks to. ``does``: what switching does, by board."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Calls)
        self.heard: list[str] = []
        self.state: dict[str, bytes] = {}
        self.on = lambda _board: None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def resource(self, board):
        return {
            "NetworkPowerPort": {
                "model": "rest",
                "host": f"http://127.0.0.1:{self.server_address[1]}/{board}",
                "index": 0,
            }
        }


class _Calls(BaseHTTPRequestHandler):
    server: Relay

    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        board = self.path.strip("/").partition("/")[0]
        self.server.heard.append(f"{board} {body.decode()}")
        self.server.state[self.path] = body
        if body == b"1":
            self.server.on(board)
        self.answer(b"")

    def do_GET(self):
        self.answer(self.server.state.get(self.path, b"1"))

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def relay():
    server = Relay()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def rack(tmp_path_factory, relay):
    lab = LabgridLab(tmp_path_factory.mktemp("labgrid"), extra=relay.resource)
    yield lab
    lab.close()


@pytest.fixture(autouse=True)
def nobody_holds_a_place(request):
    """Whatever a test does, no place is held after it."""
    yield
    if "rack" in request.fixturenames:
        assert request.getfixturevalue("rack").who() == []


@pytest.fixture
def boards(rack, tmp_path):
    """Return a function that writes the boards file of the racks; ``keys`` are added to each board."""

    def write(**keys):
        path = tmp_path / "lab.yaml"
        path.write_text(yaml.safe_dump(rack.boards(**keys)))
        return path

    return write


@pytest.fixture
def lab(boards, tmp_path):
    with opened(boards(), tmp_path) as lab:
        yield lab


@contextmanager
def opened(path, folder, **options) -> Iterator[Lab]:
    leases = folder / "leases"
    leases.mkdir(mode=0o700, exist_ok=True)
    with Lab(load_boards_file(path), leases=leases, **options) as lab:
        yield lab
    assert lab.faults == []


def config(lab, name="dk-1"):
    return next(board for board in lab.file.boards if board.name == name)


def held_elsewhere(rack, name, *words):
    """Acquire or release a place as somebody else."""
    done = subprocess.run(
        [str(LABGRID / "bin" / "labgrid-client"), "-x", rack.coordinator, "-p", name, *words],
        env={**os.environ, "LG_USERNAME": "somebody", "LG_HOSTNAME": "elsewhere"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_place_is_held_used_and_given_back(rack, lab):
    board = LeasedBoard(lab, config(lab), lambda _text: None)
    assert len(board.opened.identity.imei) == 15
    assert rack.who() == ["dk-1"]
    assert board.begin()
    board.close()
    assert rack.who() == []


def test_the_program_of_the_docs_takes_the_delays_from_labgrids_ports(tmp_path):
    assert f"```\n{UNDELAYED}```\n" in (ROOT / "docs" / "many-hosts.md").read_text()
    lab = LabgridLab(tmp_path, {"rack-1": ("dk-1",)}, served_by="undelayed")
    try:
        path = tmp_path / "lab.yaml"
        path.write_text(yaml.safe_dump(lab.boards()))
        with opened(path, tmp_path) as held:
            board = LeasedBoard(held, config(held), lambda _text: None)
            assert board.opened.identity.imei
            (pid,) = lab.ser2nets("dk-1")
            assert Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"-Y\0    chardelay: false\0")
            board.close()
        assert lab.ser2nets("dk-1") == []
    finally:
        lab.close()


def test_places_that_are_acquired_in_the_background_are_not_asked_for_twice(rack, lab):
    folder = lab.lead_places(lab.select())
    worker = PlaceHolder(lambda: pytest.fail("a worker starts no process of its own"), Path(folder))
    for name in ("dk-4", "dk-1", "dk-2", "dk-3"):
        assert worker._request("url", place=name)["again"] == 0
    assert rack.who() == ["dk-1", "dk-2", "dk-3", "dk-4"]
    worker.places.release("dk-2")
    assert rack.who() == ["dk-1", "dk-3", "dk-4"]


def test_names_are_exact_where_labgrid_takes_a_part(lab):
    with pytest.raises(
        PortMissing, match=r"no labgrid place 'dk' at .*; there: dk-1, dk-2, dk-3, dk-4; correct place:"
    ):
        lab.places.acquire("dk")


def test_a_place_that_somebody_holds_is_busy_until_it_is_free(rack, boards, tmp_path):
    held_elsewhere(rack, "dk-1", "acquire")
    with (
        opened(boards(), tmp_path) as lab,
        pytest.raises(PortBusy, match=r"place dk-1 is held by elsewhere/somebody; wait"),
    ):
        lab.lease(config(lab))
    timer = threading.Timer(1.0, held_elsewhere, (rack, "dk-1", "release"))
    timer.start()
    with opened(boards(), tmp_path, wait=30.0) as lab, lab.lease(config(lab)):
        timer.join()
        assert rack.who() == ["dk-1"]


def test_a_run_that_is_killed_gives_its_places_back(rack, boards, tmp_path):
    holder = holding(boards(), tmp_path)
    assert rack.who() == ["dk-1"]
    holder.kill()
    holder.wait()
    wait_until_free(rack, tmp_path, boards())


def test_what_a_killed_helper_left_is_freed_by_the_next_run_of_this_computer(rack, boards, tmp_path):
    holder = holding(boards(), tmp_path)
    (child,) = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)
    holder.kill()
    holder.wait()
    assert rack.who() == ["dk-1"]
    wait_until_free(rack, tmp_path, boards())


def holding(path, folder):
    """Start a process that holds dk-1, and return it."""
    code = (
        "import sys; from pathlib import Path; from harness.lab import Lab, load_boards_file\n"
        "lab = Lab(load_boards_file(Path(sys.argv[1])), leases=Path(sys.argv[2]))\n"
        "lease = lab.lease(lab.file.boards[0]); print('held', flush=True); sys.stdin.read()\n"
    )
    leases = folder / "leases"
    leases.mkdir(mode=0o700, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path), str(leases)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def wait_until_free(rack, folder, path):
    """Hold dk-1 as the next run does, with some patience, and give it back."""
    with opened(path, folder, wait=20.0) as lab, lab.lease(config(lab)):
        assert rack.who() == ["dk-1"]


def test_a_dead_ser2net_is_healed_and_counted(rack, lab):
    board = LeasedBoard(lab, config(lab), lambda _text: None)
    port = board.opened.port
    (pid,) = rack.ser2nets("dk-1")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises((BoardLost, LabError)):
        port.command("AT")
    assert not board.begin()
    assert len(board.opened.identity.imei) == 15
    assert board.properties()["recovery"] == "await 1, heal 1"
    (fault,) = [event for event in board.timeline.since() if event.kind is Kind.FAULT and "heal" in event.text]
    assert "nothing listened at 127.0.0.1:" in fault.text
    assert "so place dk-1 was acquired anew" in fault.text
    board.close()


def test_a_restarted_coordinator_has_forgotten_everything_and_the_run_goes_on(rack, lab):
    board = LeasedBoard(lab, config(lab), lambda _text: None)
    assert board.opened
    rack.restart_coordinator()
    assert not board.begin()
    assert len(board.opened.identity.imei) == 15
    assert rack.who() == ["dk-1"]
    board.close()


def test_a_coordinator_that_is_not_there_is_one_line(boards, rack, tmp_path):
    said = rack.boards()
    said["labgrid"]["coordinator"] = "127.0.0.1:1"
    (tmp_path / "lab.yaml").write_text(yaml.safe_dump(said))
    with (
        opened(tmp_path / "lab.yaml", tmp_path) as lab,
        pytest.raises(PortMissing, match=r"^no labgrid coordinator at"),
    ):
        lab.lease(config(lab))


def test_power_through_the_place(rack, relay, boards, tmp_path):
    path = boards(power={"kind": "labgrid", "delay": 0.1, "boot": 20})
    relay.on = lambda name: rack.stand_ins.command("reset-board", board=name)
    with opened(path, tmp_path) as lab:
        board = LeasedBoard(lab, config(lab), lambda _text: None, state=tmp_path)
        assert board.opened
        assert board.cycle_power() == "it said 'Ready'"
        assert relay.heard == ["dk-1 0", "dk-1 1"]
        assert board.opened
        board.close()


def test_boards_list_and_doctor_show_places(rack, boards):
    held_elsewhere(rack, "dk-2", "acquire")
    command = [sys.executable, "-m", "harness.cli"]
    options: dict[str, Any] = {"cwd": ROOT, "capture_output": True, "text": True, "check": False}
    listed = subprocess.run([*command, "boards", "list", "--boards", str(boards())], **options)
    assert listed.returncode == 0, listed.stderr
    assert "dk-1   rack-1    nobody              dk-1" in listed.stdout
    assert "dk-2   rack-1    elsewhere/somebody  dk-2" in listed.stdout
    done = subprocess.run([*command, "doctor", "dk-1", "dk-2", "--boards", str(boards()), "--json"], **options)
    found = {(each["about"], each["id"]): each for each in json.loads(done.stdout)["checks"]}
    assert found["dk-1", "place.present"]["status"] == "ok"
    assert found["dk-1", "board.answers"]["status"] == "ok", found["dk-1", "board.answers"]
    assert found["dk-2", "place.holder"]["status"] == "warn"
    client = f"{LABGRID}/bin/labgrid-client -x {rack.coordinator}"
    assert found["dk-2", "place.holder"]["remedy"] == f"{client} -p dk-2 release-from elsewhere/somebody"
    assert found["dk-2", "board.answers"]["status"] == "skipped"
    held_elsewhere(rack, "dk-2", "release")


TESTS = """
import os, signal, time
from pathlib import Path

SIGNS = Path(__file__).parent


def await_sign(name):
    deadline = time.monotonic() + 60
    while not SIGNS.joinpath(name).exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def await_end(pid):
    # It has ended and its starter has not asked about it yet. It ends its ser2nets first, one by one.
    deadline = time.monotonic() + 60
    while ") Z " not in Path(f"/proc/{pid}/stat").read_text() and time.monotonic() < deadline:
        time.sleep(0.05)


def test_first(board):
    assert board.opened.identity.imei
    SIGNS.joinpath(f"{board.name}-began").touch()
    if board.name == "dk-4":
        await_sign("cut")


def test_cut(board):
    assert board.opened.identity.imei
    if board.name == "dk-3":
        await_sign("dk-4-began")
        os.kill(int(os.environ["EXPORTER"]), signal.SIGTERM)
        await_end(int(os.environ["EXPORTER"]))
        SIGNS.joinpath("cut").touch()


def test_last(board):
    assert board.opened.modem.imei() == board.opened.identity.imei
"""


def test_one_exporter_ends_in_the_middle_its_boards_are_errors_and_the_others_green(rack, tmp_path):
    text = yaml.safe_dump(rack.boards(return_within=0.5))
    pid = rack.pid("rack-2")
    result = run(tmp_path, text, TESTS, env={"EXPORTER": str(pid), "NRF91_HARNESS_LEASES": str(tmp_path / "leases")})
    rack.await_end("rack-2")
    rack.start_exporter("rack-2")
    found = {case.name: case for case in result.cases}
    for name in RACKS["rack-1"]:
        assert [found[f"{test}[{name}]"].result for test in ("test_first", "test_cut", "test_last")] == ["passed"] * 3
    for name in RACKS["rack-2"]:
        assert found[f"test_first[{name}]"].result == "passed"
        others = [found[f"{test}[{name}]"].result for test in ("test_cut", "test_last")]
        assert "error" in others, result.output
        assert "failed" not in others
        assert f"place {name}: its exporter is gone (rack-2/{name}/*); start labgrid-exporter there" in result.output
    assert result.exit_code == 1
    assert rack.client("who").stdout.splitlines()[1:] == []  # as labgrid itself tells it


def test_the_boards_file_of_the_project_is_this_lab(rack):
    said, made = yaml.safe_load(FILE.read_text()), rack.boards()
    assert [board["name"] for board in said["boards"]] == [name for names in RACKS.values() for name in names]
    assert said["boards"] == made["boards"]
    assert said["clouds"]["virtual"].keys() == made["clouds"]["virtual"].keys()
