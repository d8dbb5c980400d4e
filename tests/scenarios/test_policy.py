"""Trials derived from the policy documents: what they allow, and what one change to them would allow or forbid.

By default the smallest set that would notice every single change to a document; ``--policy-trials full`` runs every
derived trial. docs/policies.md says how they are derived.
"""

from __future__ import annotations

import pytest

from harness.bench.policy_trials import can_run, concrete, expected, run_case


@pytest.fixture
def policy_trial(board, provisioned, device, derived, trial_recorder):
    """Trials on a device that is what the case says: in no team, a member, a gateway."""
    board.be(derived.kind)
    return board.trials(trial_recorder)


def test_derived(board, derived, policy_trial):
    case = concrete(derived, board.cloud.documents, board.names)
    reason = can_run(case, board)
    if reason is not None:
        pytest.skip(reason)
    run_case(board, policy_trial, case).expect(expected(case))
