"""Finds the derived trials that only a device's own names call for.

pytest derives trials before any board is open, for the names ``{device}`` and ``{tenant}``. A policy that looks at the
names themselves (``client/5649*``, a condition on ``iot:ClientId``) decides differently for real names, so trials that
notice every change for the placeholders may notice nothing for a real device.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.errors import HarnessError
from harness.policy import Case, Mutant, Names, PolicyDocument, Selection, allowed_by, derive, plan
from harness.policy.derivation.case import Request
from harness.policy.evaluation.membership import Membership
from harness.policy.evaluation.principal import Principal
from harness.policy.proof.selection import notice_all
from harness.policy_trials.trials import MEMBERSHIPS, MOST_UNPROVED, concrete, fit_for_trials
from harness.trial import LAB_OUTCOMES, Outcome, Unproved, Verdict, WrongVerdict

NOTHING_MORE: Final = "nothing more"
"""The text of an :class:`OwnNames` without further cases."""


@dataclass(frozen=True, slots=True)
class OwnNames:
    """What a device's own names add. ``selection``: the smallest set for them; ``further``: cases not derived yet.

    ``selection`` None: none was made, because the derived trials notice everything. ``left_out``: how many of those
    the board cannot run.
    """

    selection: Selection | None
    further: tuple[Case, ...]
    left_out: int = 0

    def only(self, can_run: Callable[[Case], bool]) -> "OwnNames":
        """Return the same with only those further cases that the board can run."""
        further = tuple(case for case in self.further if can_run(case))
        return replace(self, further=further, left_out=self.left_out + len(self.further) - len(further))

    def __str__(self) -> str:
        if not self.further and not self.left_out:
            return NOTHING_MORE
        without = f" and {self.left_out} that it cannot run" if self.left_out else ""
        return f"{len(self.further)} more trials{without} (for its own names {self.selection})"


class RestNotRun(WrongVerdict):
    """A trial had a wrong verdict, and then trouble in the lab ended the series."""


def own_names(
    documents: Sequence[PolicyDocument], names: Names, derived: Iterable[Case], *, full: bool = False
) -> OwnNames:
    """Compare trials ``derived`` for any names with what these names call for.

    ``documents``: those expected of the cloud. ``names``: of the device. ``full``: add every case derived for these
    names that is not among ``derived``; otherwise add none if ``derived`` notice every single change for these names
    too.
    """
    fit = fit_for_trials(documents, names)
    known = [case for case in (concrete(case, documents, names) for case in derived) if fit(case)]
    shared = _on_shared_connections(known)
    if not full and notice_all(shared, documents, names, MEMBERSHIPS, fit=fit):
        return OwnNames(None, ())
    tried = {_packet(case) for case in known}
    selection = plan(documents, names, MEMBERSHIPS, fit=fit)
    wanted: list[Case] = []
    if not tried.issuperset(map(_packet, selection.cases)):
        wanted += _that_notice(selection, _unnoticed(selection, shared))
    if full:
        wanted += [case for membership in MEMBERSHIPS for case in derive(documents, membership, names) if fit(case)]
    further: dict[tuple[Membership, Request], Case] = {}
    for case in sorted(wanted, key=lambda case: MEMBERSHIPS.index(case.membership)):
        if _packet(case) not in tried:
            further.setdefault(_packet(case), case)
    return OwnNames(selection, tuple(further.values()))


def run_cases(cases: Iterable[Case], run: Callable[[Case], Verdict], expect: Callable[[Case, Verdict], object]) -> None:
    """Run all ``cases``, then raise the wrong ones as one error: WrongVerdict, or else Unproved.

    ``run`` runs a case; ``expect`` raises either error for a wrong verdict. The lab's trouble ends the series: a board
    or cloud that is gone, or MOST_UNPROVED trials in a row that prove nothing. Then it raises RestNotRun if a trial was
    wrong before, or else the trouble itself.
    """
    wrong: list[str] = []
    unproved: list[str] = []
    in_a_row = 0
    for case in cases:
        try:
            verdict = run(case)
        except HarnessError as error:
            if not wrong:
                raise
            raise RestNotRun("\n".join([*wrong, f"the rest was not run: {error}"])) from error
        try:
            expect(case, verdict)
        except WrongVerdict as error:
            wrong.append(str(error))
        except Unproved as error:
            unproved.append(str(error))
        in_a_row = in_a_row + 1 if verdict.outcome in LAB_OUTCOMES else 0
        if verdict.outcome in (Outcome.BOARD_LOST, Outcome.CLOUD_LOST) or in_a_row == MOST_UNPROVED:
            told = "\n".join([*wrong, *unproved, "the rest was not run"])
            raise RestNotRun(told) if wrong else Unproved(told)
    if wrong:
        raise WrongVerdict("\n".join([*wrong, *unproved]))
    if unproved:
        raise Unproved("\n".join(unproved))


def _packet(case: Case) -> tuple[Membership, Request]:
    return case.membership, case.request


def _on_shared_connections(cases: Iterable[Case]) -> list[Case]:
    """Return ``cases`` with one principal object for each connection, so that it is compiled only once."""
    principals: list[Principal] = []
    shared = []
    for case in cases:
        same = next((one for one in principals if one == case.principal), None)
        if same is None:
            principals.append(same := case.principal)
        shared.append(replace(case, principal=same))
    return shared


def _unnoticed(selection: Selection, cases: Sequence[Case]) -> list[Mutant]:
    before = [case.allowed for case in cases]
    return [mutant for mutant in selection.mutants if allowed_by(cases, mutant.documents) == before]


def _that_notice(selection: Selection, mutants: Sequence[Mutant]) -> list[Case]:
    wanted = {id(mutant) for mutant in mutants}
    return [case for case in selection.cases if any(id(mutant) in wanted for mutant in selection.noticed[case.id])]
