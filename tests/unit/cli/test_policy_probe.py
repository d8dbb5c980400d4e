"""What ``policy probe`` prints of a comparison. The probe itself: tests/integration/test_policy_probe.py."""

from __future__ import annotations

import io
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from harness.cli import policy_probe
from harness.cli.exit_codes import OK, REFUSED
from harness.cli.progress import Progress
from harness.policy_trials.drift import compare
from harness.trial import Outcome
from tests.unit.policy_trials import test_policy_drift as trials


@pytest.fixture
def printed(monkeypatch):
    """Return exit code and lines for trials."""
    config = SimpleNamespace(profile="page", policies=None, expected="profile page")
    cloud = SimpleNamespace(account=SimpleNamespace(tenant_id="T"), name="local", config=config)
    board = SimpleNamespace(device=SimpleNamespace(id="dev"), cloud=cloud)
    monkeypatch.setattr(policy_probe, "one_board", lambda _given, _progress: nullcontext(board))

    def run(results):
        drift = compare(trials.PAGE, trials.MUTANTS, results, trials.NAMES)
        monkeypatch.setattr(policy_probe, "run_probe", lambda *_args, **_options: drift)
        given: Any = SimpleNamespace(board="one", memberships=None)
        result = policy_probe.probe(given, Progress(io.StringIO()))
        return result.code, result.lines[1:]

    return run


def test_no_difference(printed):
    code, lines = printed(trials.tried(trials.enforced()))
    assert (code, len(lines)) == (OK, 1)


def test_a_cloud_that_does_not_hang_up(printed):
    code, lines = printed(trials.refusing_without_a_hang_up())
    assert code == REFUSED
    assert lines[0] == "stayed  neither hung up on nor seen to be allowed"
    assert sum("this cloud hung up on none of" in line for line in lines) == 2
    assert not [line for line in lines if line.startswith(("gained", "lacks", "perhaps", "unproved"))]


def test_a_cloud_that_refuses_nothing(printed):
    everything = [trials.with_outcome(one.case, Outcome.TOLERATED) for one in trials.tried(trials.enforced())]
    code, lines = printed(everything)
    assert code == REFUSED
    assert "nothing was refused: this cloud seems to enforce no policies at all" in lines
    assert not [line for line in lines if line.startswith(("stayed", "this cloud hung up"))]
