"""Trials derived from the policy documents: what they allow, and what one change to them would allow or forbid.

By default the smallest set that would notice every single change to a document; ``--policy-trials full`` runs every
derived trial. docs/policies.md says how they are derived.
"""

from __future__ import annotations

import pytest

from harness.policy_trials.trials import can_run, concrete, expected


@pytest.fixture
def case(board, device, derived):
    """The derived case with the board's own names in it."""
    case = concrete(derived, board.cloud.documents, board.device.names)
    reason = can_run(case, board)
    if reason is not None:
        pytest.skip(reason)
    return case


@pytest.fixture
def membership(case):
    """The device's membership in this case: in no team, a member, a gateway."""
    return case.membership


def test_derived(case, run_derived):
    run_derived(case).expect(expected(case))
