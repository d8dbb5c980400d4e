"""Provisioning that is killed at a step: the next plain run heals by itself.

``--kills 0`` kills at every step; otherwise so many are chosen by ``--kills-seed``, as many of a renewal as of JITP.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.integration.runs import TIMEOUT, devices, prepare, run, stand_ins_up, started_in

STEPS = "steps"
TESTS = """
from harness.trial import Outcome

def test_connected(trial, provisioned):
    trial.verify_connection().expect(Outcome.TOLERATED)
"""
KILLER = """
# Counts what changes the board or the account, once before it is sent and once when it is answered.
import os
import re
import signal

from harness.at import AtPort
from harness.cloud.rest import RestClient

LAST = int(os.environ["KILL_AT"])
CHANGES = re.compile(r"AT(%KEYGEN|%CMNG=[03]|\\+CFUN=|#XMQTTCON=|#XMQTTCFG=)", re.I)
count = 0


def step(what):
    global count
    count += 1
    with open("steps", "a") as file:
        file.write(f"{what}\\n")
    if count == LAST:
        os.kill(os.getpid(), signal.SIGKILL)


def around(function, what):
    def inner(self, *given, **named):
        text = what(*given, **named)
        if text:
            step(f"before {text}")
        result = function(self, *given, **named)
        if text:
            step(f"after {text}")
        return result
    return inner


def command(text, *_given, **_named):
    return text[:24].splitlines()[0] if CHANGES.match(text) else ""


def call(method, path, **_named):
    return "" if method == "GET" else f"{method} {path}"


AtPort.command = around(AtPort.command, command)
RestClient.call = around(RestClient.call, call)
"""
WAYS = {
    "renewal": ["--reprovision"],
    "jitp": ["--key-origin", "cloud", "--reprovision"],
}
FEWEST = {"renewal": 24, "jitp": 30}
"""Steps that there always are: a kill at one of them needs no run beforehand that counts them."""


class Bench:
    """Runs on one board and account; ``plain``: the options of every run."""

    def __init__(self, folder, up):
        self.folder, self.up = folder, up
        self.boards = Path(up["boards_file"]).read_text()
        self.plain = ["--boards", up["boards_file"], "--lab-ca", str(folder / "ca")]
        self.env = {"NRF91_HARNESS_LEASES": str(folder / "leases")}
        (folder / "killer.py").write_text(KILLER)

    def killed_at(self, number, *options):
        """Run until the step ``number``; 0: to the end. Returns the steps."""
        (self.folder / STEPS).write_text("")
        arguments = ["-p", "killer", *self.plain, *options]
        env = {**self.env, "KILL_AT": str(number)}
        command, environment = prepare(
            self.folder, Path(self.up["boards_file"]).read_text(), TESTS, *arguments, env=env
        )
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        # What an earlier kill has left may save a step: then there is no last one.
        assert done.returncode in ((-9, 0) if number else (0,)), done.stdout + done.stderr
        return (self.folder / STEPS).read_text().splitlines()

    def heal(self):
        """Run plainly; return what is wrong with it."""
        result = run(self.folder, self.boards, TESTS, *self.plain, env=self.env)
        left = devices(self.up)
        ledger = list((self.folder / "ca" / "account").rglob("*.jsonl"))
        if result.exit_code or left or ledger or started_in(self.folder):
            return f"{left} {ledger}\n{result.output}"
        return ""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """One board and one account for all kills: each leaves them as a plain run does, or the test fails."""
    folder = tmp_path_factory.mktemp("killed")
    with stand_ins_up(folder / "up") as up:
        bench = Bench(folder, up)
        assert bench.heal() == ""
        yield bench


@pytest.mark.timeout(0)  # with --kills 0 it takes minutes; each run has a time-out of its own
@pytest.mark.parametrize("way", WAYS)
def test_the_next_plain_run_heals_whatever_step_was_the_last(bench, request, way):
    kills = request.config.getoption("--kills")
    steps = FEWEST[way] if kills else len(bench.killed_at(0, *WAYS[way]))
    assert steps >= FEWEST[way]
    dice = random.Random(f"{way} {request.config.getoption('--kills-seed')}")  # noqa: S311 - no secret
    chosen = dice.sample(range(steps), max(1, kills // len(WAYS)) if kills else steps)
    wrong = {}
    for at in sorted(chosen):
        *_, last = bench.killed_at(at + 1, *WAYS[way])
        said = bench.heal()
        print(f"killed at step {at + 1} of {steps}, {last}: {said or 'healed'}", flush=True)
        if said:
            wrong[f"{at + 1} {last}"] = said
    assert not wrong, "\n".join(f"killed at step {step}: {said}" for step, said in wrong.items())
