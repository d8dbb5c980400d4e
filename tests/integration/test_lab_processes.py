"""Stand-ins and leases over the borders of processes: nothing stays behind, however a run ends."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial

from harness.errors import BoardLost, LabError, PortBusy
from harness.lab import Lab, Lease, load_boards_file, spare
from harness.lab.forked_process import ForkedProcess
from harness.lab.spare import keep_spare
from harness.policy import profile_folder

DEADLINE = 60.0
ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from harness.lab import Lease
lease = Lease("dk-1", "usb-1", folder=Path(sys.argv[1]))
print("taken", flush=True)
sys.stdin.read()
"""
RUN = """
import os, sys
from pathlib import Path
from harness.lab import Lab, load_boards_file
lab = Lab(load_boards_file(Path(sys.argv[1])), folder=Path(sys.argv[2]))
lab.clouds.endpoints("local")
print(*(stand_in.pid for stand_in in lab.stand_ins._running.values()), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start():
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str, *arguments: Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()


def await_exit(pid: int) -> bool:
    """Return whether a process that is no child of ours ends before the deadline."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], DEADLINE)[0])
    finally:
        os.close(handle)


def boards_file(folder: Path) -> Path:
    path = folder / "boards.yaml"
    path.write_text("boards: [{name: virtual-1, virtual: {}}]\n")
    return path


def test_a_lease_holds_against_another_process_and_ends_with_it(start, tmp_path):
    other = start(HOLD, tmp_path)
    assert other.stdout.readline() == b"taken\n"
    owner = json.loads((tmp_path / f"usb-1.{os.getuid()}.json").read_text())
    with pytest.raises(PortBusy, match=rf"board 'dk-1' is in use by pid {other.pid} \({owner['user']}, "):
        Lease("dk-1", "usb-1", folder=tmp_path)
    other.send_signal(signal.SIGKILL)
    with Lease("dk-1", "usb-1", folder=tmp_path, timeout=DEADLINE) as lease:
        assert lease.owner["pid"] == os.getpid()


def test_waiting_for_a_lease_ends_when_it_is_given_back(start, tmp_path):
    other = start(HOLD, tmp_path)
    assert other.stdout.readline() == b"taken\n"
    began = time.monotonic()
    with pytest.raises(PortBusy):
        Lease("dk-1", "usb-1", folder=tmp_path, timeout=0.2)
    assert time.monotonic() - began >= 0.2
    other.stdin.close()
    Lease("dk-1", "usb-1", folder=tmp_path, timeout=DEADLINE).release()


def test_a_killed_run_leaves_no_stand_in(start, tmp_path):
    run = start(RUN, boards_file(tmp_path), tmp_path)
    (pid,) = map(int, run.stdout.readline().split())
    os.kill(pid, 0)
    run.send_signal(signal.SIGKILL)
    assert await_exit(pid)


TWO = "boards: [{name: virtual-1, virtual: {}}, {name: virtual-2, virtual: {}}]\n"


@pytest.fixture
def spare_pid():
    """The number of a process that waits to become a virtual board."""
    keep_spare()
    waiting = spare._waiting["board"][-1]
    yield waiting.pid
    waiting.kill()
    waiting.wait(DEADLINE)


def test_a_process_in_waiting_becomes_the_first_virtual_board(spare_pid, tmp_path):
    file = boards_file(tmp_path)
    file.write_text(TWO)
    lab = Lab(load_boards_file(file), folder=tmp_path)
    one, two = lab.file.boards
    for board in (one, two):
        with serial.Serial(lab.port_url(board), timeout=DEADLINE) as port:
            port.write(b"AT+CFUN?\r\n")
            assert b"+CFUN: 0" in port.read_until(b"OK\r\n")
    assert lab.stand_ins.of(one).pid == spare_pid
    assert lab.stand_ins.of(two).pid != spare_pid
    assert os.getpgid(spare_pid) == spare_pid  # Ctrl-C ends the run only
    log = tmp_path / "stand-ins" / "board-virtual-1.stderr"
    assert os.readlink(f"/proc/{spare_pid}/fd/2") == str(log)
    assert lab.stand_ins.of(one).command("set-route", name="mqtt.nrfcloud.com:8883", target="127.0.0.1:1") == {}
    os.kill(spare_pid, signal.SIGKILL)
    assert "died with signal 9" in str(lab.stand_ins.of(one).died(grace=DEADLINE))
    lab.close()
    (fault,) = lab.faults
    assert "'virtual-1'" in fault


def test_a_process_in_waiting_that_was_ended_is_none(spare_pid, tmp_path):
    os.kill(spare_pid, signal.SIGKILL)
    assert await_exit(spare_pid)
    lab = Lab(load_boards_file(boards_file(tmp_path)), folder=tmp_path)
    (board,) = lab.file.boards
    assert Path(lab.port_url(board)).exists()
    lab.close()
    assert not lab.faults


def test_a_process_in_waiting_is_no_forked_process_s_own(spare_pid, tmp_path):
    """It would wait for an answer of a process that only its maker can reach."""
    answer = ForkedProcess(lambda: print(spare.take_spare("board", [], tmp_path / "log")))
    assert answer.stdout.read() == b"None\n"
    assert answer.wait(DEADLINE) == 0
    assert spare._waiting["board"][-1].pid == spare_pid


def test_a_process_in_waiting_for_a_board_is_no_cloud(spare_pid, tmp_path):
    assert spare.take_spare("cloud", [], tmp_path / "log") is None


def test_a_process_in_waiting_ends_with_the_process_that_made_it(start, tmp_path):
    code = "import sys; from harness.lab import spare; spare.keep_spare()"
    run = start(f"{code}; print(spare._waiting['board'][0].pid, flush=True); sys.stdin.read()")
    pid = int(run.stdout.readline())
    run.send_signal(signal.SIGKILL)
    assert await_exit(pid)


def test_close_leaves_no_process_and_no_file(tmp_path):
    lab = Lab(load_boards_file(boards_file(tmp_path)), folder=tmp_path)
    lab.clouds.endpoints("local")
    folder = tmp_path / "stand-ins"
    assert (folder / "cloud-local" / "api-key").stat().st_mode & 0o777 == 0o600
    (stand_in,) = lab.stand_ins._running.values()
    lab.close()
    assert lab.faults == []
    assert stand_in._process.returncode == 0
    assert {path.name for path in folder.iterdir()} == {"cloud-local.json", "cloud-local.stderr"}
    assert (folder / "cloud-local.stderr").read_bytes() == b""


def test_a_virtual_board_answers_at_its_port_and_its_death_is_told(tmp_path):
    with Lab(load_boards_file(boards_file(tmp_path)), folder=tmp_path) as lab:
        (board,) = lab.select()
        with lab.lease(board), serial.Serial(lab.port_url(board), 115200, timeout=DEADLINE, exclusive=True) as port:
            port.write(b"AT\r")
            assert port.read_until(b"OK\r\n").endswith(b"OK\r\n")
            lab.stand_ins.check(board)
            stand_in = lab.stand_ins._running["board", "virtual-1"]
            os.kill(stand_in.pid, signal.SIGKILL)
            os.waitid(os.P_PID, stand_in.pid, os.WEXITED | os.WNOWAIT)
            with pytest.raises(
                BoardLost, match=rf"virtual board 'virtual-1' \(pid {stand_in.pid}\) died with signal 9"
            ):
                lab.stand_ins.check(board)
    assert lab.faults == [f"virtual board 'virtual-1' (pid {stand_in.pid}) died with signal 9"]


def test_what_the_stand_in_says_at_a_bad_start_is_shown(tmp_path):
    path = tmp_path / "boards.yaml"
    shutil.copy(profile_folder("page") / "gateway.json", tmp_path)
    keys = "kind: local, enforces: [gateway.json]"
    path.write_text(f"clouds: {{local: {{{keys}}}}}\nboards: [{{name: virtual-1, virtual: {{}}}}]\n")
    file = load_boards_file(path)
    (tmp_path / "gateway.json").write_text("{")  # since the boards file was checked
    with Lab(file, folder=tmp_path) as lab:
        with pytest.raises(LabError) as caught:
            lab.clouds.endpoints("local")
        assert "ended with exit code 2; its last words: python -m harness.virtual: " in str(caught.value)
    assert lab.faults == []
