"""Runs that are killed at random moments: nothing of them is left after the next one, which is green.

``--kills 200 --kills-seed 1`` kills at so many moments.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness.cli import main
from tests.integration.runs import START, TIMEOUT, devices, prepare, run, stand_ins_up, started_in
from tests.integration.test_interrupted_runs import counts

# One board and an account that outlive the run, and one board with a cloud that the run starts.
BOTH = "- {name: own, virtual: {}}\n"
TESTS = """
from harness.trial import Outcome

def test_opened(board): pass

def test_connected(trial, provisioned):
    trial.verify_connection().expect(Outcome.TOLERATED)

def test_observed(observer): pass
"""


@pytest.fixture
def up(tmp_path):
    with stand_ins_up(tmp_path / "up") as ready:
        yield ready


def kill(command, environment, folder, moment):
    """Start a run, kill it after ``moment`` seconds and wait until what it started has ended. False: it had ended."""
    with (folder / "output").open("wb") as output:
        started = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        started.wait(moment)
    except subprocess.TimeoutExpired:
        started.kill()
    deadline = time.monotonic() + START
    while left := started_in(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    return started.wait(TIMEOUT) == -signal.SIGKILL


def read(folder):
    """Read what the runs so far have left: every report, every whole line of every journal."""
    shared = folder / "reports" / "junit.xml"
    if shared.exists():
        counts(shared)
    for journal in (folder / "reports").glob("*/journal.jsonl"):
        for line in journal.read_bytes().split(b"\n")[:-1]:
            json.loads(line)
        if b"\n" in journal.read_bytes():
            assert main(["report", "rebuild", str(journal.parent)]) == 0
            counts(journal.parent / "junit.xml")


def next_run(folder, up, boards, where, env):
    """Run all; return what is wrong with it or left of the run before it."""
    result = run(folder, boards, TESTS, *where, env=env)
    folders = sorted(path.name for path in folder.glob("nrf91-*"))
    ledger = list((folder / "ca" / "account").rglob("*.jsonl"))
    modes = list((folder / "ca").glob("modes/*"))
    processes, of_account = started_in(folder), devices(up)
    if result.exit_code or folders or ledger or modes or processes or of_account:
        return f"{folders} {ledger} {modes} {processes} {of_account}\n{result.output}"
    return ""


@pytest.mark.timeout(0)  # with --kills 200 it takes an hour; each run has a time-out of its own
def test_whatever_moment_a_run_is_killed_at_the_next_one_is_green_and_nothing_is_left(tmp_path, up, request, capsys):
    boards = Path(up["boards_file"]).read_text()
    text = boards.replace("boards:\n", "boards:\n" + BOTH)
    (tmp_path / "both.yaml").write_text(text)
    env = {"NRF91_HARNESS_LEASES": str(tmp_path / "leases")}
    where = ["--boards", str(tmp_path / "both.yaml"), "--lab-ca", str(tmp_path / "ca")]
    where += ["--reports", str(tmp_path / "reports")]
    began = time.monotonic()
    assert next_run(tmp_path, up, text, where, env) == ""
    length = time.monotonic() - began
    dice = random.Random(request.config.getoption("--kills-seed"))  # noqa: S311 - no secret
    wrong = {}
    for _ in range(request.config.getoption("--kills") or 200):
        moment = dice.uniform(0, length)
        command, environment = prepare(tmp_path, text, TESTS, *where, env=env)
        kill(command, environment, tmp_path, moment)
        read(tmp_path)
        said = next_run(tmp_path, up, text, where, env)
        with capsys.disabled():  # an hour is long
            print(f"killed after {moment:.3f} s of {length:.1f}: {said or 'green, and nothing left'}", flush=True)
        if said:
            wrong[moment] = said
    texts = (f"killed after {moment:.3f} s of {length:.1f}: {said}" for moment, said in wrong.items())
    assert not wrong, "\n".join(texts)
