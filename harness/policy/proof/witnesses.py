"""Searches for packets that notice those mutants that no derived case notices, device by device."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from harness.policy.derivation.case import Case, allowed_by
from harness.policy.derivation.packets import Candidate
from harness.policy.derivation.survey import Deriver
from harness.policy.documents.document import PolicyDocument
from harness.policy.evaluation.membership import Membership, Names, in_force
from harness.policy.proof.difference import difference
from harness.policy.proof.mutants import Mutant
from harness.policy.proof.search import Effort


class FurtherLook:
    """Searches for packets that notice mutants, and adds them to the cases.

    ``documents``: those expected of the cloud. ``names``: of the device, its team, and others of both. ``derivers``: by
    membership, the cases so far. ``fit``: whether a trial can be made of a case. ``same``: mutants that no packet
    notices, as the search has proved. ``cut_off``: those whose search was given up.
    """

    def __init__(
        self,
        documents: Iterable[PolicyDocument],
        names: Names,
        derivers: Mapping[Membership, Deriver],
        fit: Callable[[Case], bool],
    ) -> None:
        self.same: list[Mutant] = []
        self.cut_off: list[Mutant] = []
        self._by_name = {document.name: document for document in documents}
        self._names, self._fit = names, fit
        # The device with most rights first, because it can show most.
        self._derivers = sorted(derivers.items(), key=lambda one: -len(in_force(self._by_name.values(), one[0])))
        self._effort = Effort()

    def at(self, mutant: Mutant) -> None:
        """Add a trial that notices the mutant, or else a packet that would notice it but cannot be tried."""
        certain, cut_off = True, False
        untried: list[tuple[Deriver, Candidate]] = []
        for membership, deriver in self._derivers:
            accepted = partial(self._accepted, mutant, deriver, untried)
            found = difference(self._by_name, mutant, membership, self._names, accepted=accepted, effort=self._effort)
            if found.candidate is not None:
                deriver.add(found.candidate)
                return
            certain, cut_off = certain and found.complete, cut_off or found.cut_off
        for deriver, candidate in untried[:1]:
            deriver.add(candidate)
        if cut_off:
            self.cut_off.append(mutant)
        elif certain:
            self.same.append(mutant)

    def _accepted(
        self, mutant: Mutant, deriver: Deriver, untried: list[tuple[Deriver, Candidate]], candidate: Candidate
    ) -> bool:
        """Tell whether a packet is a trial that notices the mutant; if it cannot be tried, it goes to ``untried``."""
        case = deriver.case(candidate)
        if case is None or allowed_by([case], mutant.documents) == [case.allowed]:
            return False
        if self._fit(case):
            return True
        untried.append((deriver, candidate))
        return False
