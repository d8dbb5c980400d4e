"""After a run that was killed: the next one finds board and account as after any other, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.runs import START, devices, prepare, run, stand_ins_up, started_in

TESTS = """
import time
from pathlib import Path
from harness.trial import Outcome

def test_connected(trial, board, provisioned):
    trial.verify_connection().expect(Outcome.TOLERATED)
    if Path("kill-me").exists():
        if Path("kill-me").read_text() == "in data mode":
            board.opened.port.command('AT#XMQTTPUB="t","",1,0')
        Path("reached").touch()
        time.sleep(100)
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with stand_ins_up(tmp_path_factory.mktemp("up") / "v") as ready:
        yield ready


@pytest.mark.parametrize("state", ["connected", "in data mode"])
def test_a_run_that_was_killed_costs_the_next_one_nothing(tmp_path, up, state):
    boards = Path(up["boards_file"]).read_text()
    leases = str(tmp_path / "leases")
    where = ["--boards", up["boards_file"], "--lab-ca", str(tmp_path / "ca")]
    (tmp_path / "kill-me").write_text(state)
    env = {"NRF91_HARNESS_LEASES": leases}
    command, environment = prepare(tmp_path, boards, TESTS, *where, env=env)
    with (tmp_path / "output").open("wb") as output:
        killed = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=output)
    deadline = time.monotonic() + START
    while not (tmp_path / "reached").exists():
        assert killed.poll() is None, (tmp_path / "output").read_text()
        assert time.monotonic() < deadline, (tmp_path / "output").read_text()
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    assert devices(up), "the killed run had no time to delete its device"
    assert list((tmp_path / "ca" / "account").rglob("*.jsonl"))
    assert len(list((tmp_path / "ca" / "modes").iterdir())) == 1
    (tmp_path / "kill-me").unlink()
    result = run(tmp_path, boards, TESTS, *where, env=env)
    assert result.exit_code == 0, result.output
    assert devices(up) == []
    assert not list((tmp_path / "ca" / "account").rglob("*.jsonl"))
    assert list((tmp_path / "ca" / "modes").iterdir()) == []
    transcripts = "".join(path.read_text() for path in (tmp_path / "reports").rglob("*.log"))
    assert "a killed run left in the account: 1 x device, 1 x team; deleting it" in transcripts
    if state == "connected":  # the cloud hangs up on what leaving data mode has published
        assert "an earlier user left an MQTT connection open: it is ended" in transcripts
    assert started_in(tmp_path) == []
