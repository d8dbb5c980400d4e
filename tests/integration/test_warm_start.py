"""Runs from a process that has imported everything: what is told of one that ends before it says anything."""

import subprocess
import sys

import pytest

from tests.integration.runs import processes_of, started_in
from tests.integration.warm_start import run_python


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
