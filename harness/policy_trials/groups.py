"""Tries derived cases that are expected to be allowed in groups, which share a connection and so share the hold.

pytest runs a test for each case. So the first test of a group tries all its cases, and each test takes its own result.
A case that the group did not prove is tried alone in its test.
"""

from collections.abc import Iterable, Sequence

from harness.policy.derivation.case import Case, Verb
from harness.policy.derivation.delivery import delivery
from harness.policy_trials.answers import answer
from harness.policy_trials.trials import action_of, can_run, concrete, expected, run_case
from harness.run.board import Board
from harness.trial import Outcome, Shared, Trials, Verdict
from harness.trial.filters import overlap

_LEAST = 2
"""The least number of cases for a group."""


class CaseGroups:
    """What the groups of one board have shown, by case."""

    def __init__(self) -> None:
        self._shown: dict[str, Shared] = {}
        self._tried: set[str] = set()

    def run(self, board: Board, trials: Trials, case: Case, coming: Iterable[Case]) -> Verdict:
        """Run ``case`` on ``board`` with ``trials``. The case has the board's names and the device's membership.

        ``coming``: further cases of the board, still for any names, which will be run in this session.
        """
        if case.id not in self._tried and _fits(case):
            self._try(board, trials, [case, *_alike(board, case, coming)])
        found = self._shown.pop(case.id, None)
        action = None if found is None else action_of(board, case)
        if found is None or action is None:
            return run_case(board, trials, case)
        return trials.shared(action, found)

    def _try(self, board: Board, trials: Trials, cases: Sequence[Case]) -> None:
        chosen = _without_overlap(board, [case for case in cases if case.id not in self._tried])
        self._tried |= {case.id for case in chosen}
        if len(chosen) < _LEAST:
            return
        actions = [action for case in chosen if (action := action_of(board, case)) is not None]
        for case, found in zip(chosen, trials.group(actions), strict=True):
            if found is not None:
                self._shown[case.id] = found


def _fits(case: Case) -> bool:
    """Tell whether a case fits into a group. One that leaves a retained message, which must be cleared, does not."""
    return case.request.verb is not Verb.CONNECT and not case.request.retain and expected(case) is Outcome.TOLERATED


def _alike(board: Board, case: Case, coming: Iterable[Case]) -> list[Case]:
    """Return the cases to come for the same membership that may share a connection with ``case``."""
    documents, names = board.cloud.documents, board.device.names
    found = (concrete(one, documents, names) for one in coming if one.membership is case.membership)
    return [one for one in found if _fits(one) and can_run(one, board) is None]


def _without_overlap(board: Board, cases: Sequence[Case]) -> list[Case]:
    """Leave out subscriptions whose message could arrive by another subscription of the group.

    Publishes come first: what their answers need is subscribed to before anything else.
    """
    cases = sorted(cases, key=lambda case: case.request.verb is not Verb.PUBLISH)
    chosen: list[Case] = []
    filters: list[str] = []
    for case in cases:
        own = _heard(board, case)
        if case.request.verb is not Verb.PUBLISH and any(overlap(one, other) for one in own for other in filters):
            continue
        filters += own
        chosen.append(case)
    return chosen


def _heard(board: Board, case: Case) -> list[str]:
    """Return the topics and filters on which a case hears something."""
    names, expectations = board.device.names, board.device.expectations
    if case.request.verb is Verb.PUBLISH:
        found = answer(case.request.name, names, expectations)
        return [] if found is None or found.listen is None else [found.listen]
    message = delivery(case.request, case.membership, names, expectations)
    return [case.request.name, *([] if message is None else [message.topic])]
