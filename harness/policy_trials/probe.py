"""The policies that are really deployed, probed by the smallest set of derived trials on a board."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from harness.errors import BoardLost, CloudUnreachable, HarnessError
from harness.policy import Case, Membership, Mutant, Names, PolicyDocument, load_profile, plan
from harness.policy.documents.arn import resource_part
from harness.policy.documents.profile import SHIPPED
from harness.policy_trials.discrepancies import TriedCase
from harness.policy_trials.drift import Drift, compare
from harness.policy_trials.trials import (
    MEMBERSHIPS,
    MOST_UNPROVED,
    as_shown,
    can_run,
    fit_for_trials,
    own_connect_first,
    run_case,
)
from harness.run.board import Board
from harness.trial import LAB_OUTCOMES, Outcome, Verdict


def probe(
    board: Board,
    memberships: Sequence[Membership],
    *,
    progress: Callable[[str], None] = lambda _text: None,
    record: Callable[[Verdict], None] = lambda _verdict: None,
) -> Drift:
    """Run the trials on ``board``, as a device of these ``memberships``, and compare.

    The device gets each membership in turn; when the board is closed, it becomes an ordinary member of its team again.
    Raises LabError when the board cannot be provisioned; trials that prove nothing are part of the answer.

    ``progress``: called with each step. ``record``: gets every verdict.
    """
    _ = board.provisioned  # before the trials are counted
    documents, names = board.cloud.documents, board.device.names
    progress("deriving the trials")
    cases, mutants, beyond = trials_and_mutants(documents, names, memberships)
    tried: list[TriedCase] = []
    end: str | None = None
    unproved = 0
    for number, case in enumerate(cases, 1):
        reason = end or can_run(case, board)
        if reason is not None:
            tried.append(TriedCase(as_shown(case, documents, names), reason=reason))
            continue
        progress(f"trial {number} of {len(cases)}: {case.id}")
        found = _try(board, record, case)
        tried.append(TriedCase(as_shown(case, documents, names), found))
        unproved = unproved + 1 if found.outcome in LAB_OUTCOMES else 0
        if found.outcome in (Outcome.BOARD_LOST, Outcome.CLOUD_LOST):
            end = f"not run after: {found.outcome}"
        elif number == 1 and found.outcome is Outcome.REFUSED_AT_CONNECT:
            end = "not run: the device may not even connect"
        elif unproved == MOST_UNPROVED:
            end = f"not run after {unproved} trials in a row that proved nothing"
    return replace(compare(documents, mutants, tried, names), beyond=len(beyond))


def _try(board: Board, record: Callable[[Verdict], None], case: Case) -> Verdict:
    try:
        board.be(case.membership)
        return run_case(board, board.trials(record), case)
    except CloudUnreachable as error:
        return Verdict(Outcome.CLOUD_LOST, case.id, str(error))
    except BoardLost as error:
        return Verdict(Outcome.BOARD_LOST, case.id, str(error))
    except HarnessError as error:  # the findings so far must not be lost
        return Verdict(Outcome.INCONCLUSIVE, case.id, str(error))


def trials_and_mutants(
    documents: Sequence[PolicyDocument], names: Names, memberships: Sequence[Membership]
) -> tuple[list[Case], list[Mutant], list[Mutant]]:
    """Return the smallest set for single changes, with the trials that tell the documents from the shipped profiles.

    Returns also the changes that these trials notice, and those that no trial can show. The device's own CONNECT comes
    first, and then the trials of one membership follow each other.

    ``documents``: those expected of the cloud. ``names``: of the device. ``memberships``: what it is in its team.
    """
    further = _additions(documents, names.account)
    selection = plan(documents, names, memberships, further=further, fit=fit_for_trials(documents, names))
    cases = sorted(selection.cases, key=lambda case: MEMBERSHIPS.index(case.membership))
    return own_connect_first(documents, cases, names), list(selection.mutants), list(selection.beyond)


def _additions(documents: Sequence[PolicyDocument], account: str) -> Iterator[Mutant]:
    """Yield what a shipped profile adds to these documents, one resource of a statement at a time."""
    by_name = {document.name: document for document in documents}
    for profile in SHIPPED:
        for name, document in load_profile(profile, account=account).items():
            mine = by_name[name]
            known = {(replace(one, number=0, resources=()), text) for one in mine.statements for text in one.resources}
            for statement in document.statements:
                for resource in statement.resources:
                    if (replace(statement, number=0, resources=()), resource) not in known:
                        added = replace(statement, resources=(resource,))
                        changed = replace(mine, statements=(*mine.statements, added))
                        text = f"resource {resource_part(resource)} added, as in profile {profile}"
                        none = replace(statement, resources=())
                        yield Mutant(name, statement.number, text, none, added, resource, by_name | {name: changed})
