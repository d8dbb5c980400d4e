"""Runs from a process that has imported everything: what is told of one that ends before it says anything."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.runs import START, processes_of, started_in
from tests.integration.warm_start import run_python

ROOT = Path(__file__).parents[2]


def test_a_run_that_is_killed_before_it_says_anything_has_said_nothing(tmp_path):
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        run_python([sys.executable, "-m", "this"], tmp_path, {}, 0.0)
    assert isinstance(caught.value.output, bytes)


def test_what_was_left_is_found_by_its_log(tmp_path):
    """A forked stand-in has the command line and the first environment of another process."""
    with (tmp_path / "log").open("w") as log:
        left = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=log)
    assert len(processes_of(tmp_path)) == len(started_in(tmp_path)) == 1
    left.communicate(b"\n")
    assert processes_of(tmp_path) == started_in(tmp_path) == []


def test_a_message_at_the_exit_is_told(tmp_path):
    (tmp_path / "ending.py").write_text("import sys\nsys.exit('no more')")
    ended = run_python([sys.executable, "-m", "ending"], tmp_path, {}, 60.0)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "no more\n")


def test_a_run_ends_with_who_asked_for_it(tmp_path):
    (tmp_path / "waiting.py").write_text("import time\nprint('begun', flush=True)\ntime.sleep(600)")
    ask = "from tests.integration.warm_start import run_python; import pathlib, sys; "
    ask += f"run_python([sys.executable, '-m', 'waiting'], pathlib.Path({str(tmp_path)!r}), {{}}, 500.0)"
    asking = subprocess.Popen([sys.executable, "-c", ask], cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)})
    deadline = time.monotonic() + START
    while not any(path.read_text() for path in tmp_path.glob("*/output")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert processes_of(tmp_path)
    asking.kill()
    asking.wait()
    while processes_of(tmp_path):
        assert time.monotonic() < deadline, processes_of(tmp_path)
        time.sleep(0.02)
