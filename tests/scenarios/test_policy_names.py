"""Trials derived from the policy documents that only the names of a board's device and its team call for.

The trials of test_policy.py are derived before any board is open, for any names. Documents may look at names themselves
(``client/5649*``); the additional trials that they then need run here. Usually there are none.
"""

from __future__ import annotations

from harness.policy_trials.own_names import run_cases
from harness.policy_trials.trials import expected, run_case


def test_own_names(board, own_names, trial_recorder, evidence):
    if not own_names.further:
        evidence(f"Additional trials for the names of this device: {own_names}.")

    def run(case):
        board.be(case.membership)
        return run_case(board, board.trials(trial_recorder), case)

    run_cases(own_names.further, run, lambda case, verdict: verdict.expect(expected(case)))
