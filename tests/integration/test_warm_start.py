"""Runs from a process that has imported everything: what is told of one that ends before it says anything."""

import subprocess
import sys

import pytest

from tests.integration.warm_start import run_python


def test_a_run_that_is_killed_before_it_says_anything_has_said_nothing(tmp_path):
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        run_python([sys.executable, "-m", "this"], tmp_path, {}, 0.0)
    assert isinstance(caught.value.output, bytes)
