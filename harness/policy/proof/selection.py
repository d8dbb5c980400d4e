"""Finds the smallest set of trials that notices every single change to the policies, and proves that it is smallest."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.policy.derivation.case import Case, Verb
from harness.policy.derivation.survey import Deriver
from harness.policy.documents.document import PolicyDocument
from harness.policy.evaluation.membership import Membership, Names
from harness.policy.proof.cover import Cover, smallest_cover
from harness.policy.proof.equivalence import Equivalent, explain_equivalence, proved_equivalent
from harness.policy.proof.kill_matrix import noticing
from harness.policy.proof.mutants import Mutant, mutants
from harness.policy.proof.witnesses import FurtherLook


@dataclass(frozen=True, slots=True)
class Selection:
    """Trials that together notice all ``mutants``.

    ``connections``: the trials by connection. A denied trial is the last of its connection, because it ends it.
    ``noticed``: for each trial, by id, the mutants that it notices. ``equivalent``: the mutants that no packet tells
    from the documents, proved or not. ``beyond``: mutants that only packets notice of which no trial can be made.
    ``at_least``: the least number of trials that can notice all mutants. ``apart``: mutants of which no candidate
    notices two, so that each needs a trial of its own.
    """

    connections: tuple[tuple[Case, ...], ...]
    mutants: tuple[Mutant, ...]
    equivalent: tuple[Equivalent, ...]
    beyond: tuple[Mutant, ...]
    noticed: Mapping[str, tuple[Mutant, ...]] = field(repr=False)
    at_least: int
    apart: tuple[Mutant, ...] = field(repr=False)

    @property
    def cases(self) -> tuple[Case, ...]:
        """The trials in the order in which to run them."""
        return tuple(case for connection in self.connections for case in connection)

    @property
    def proof(self) -> str:
        """One sentence on why there is no smaller set."""
        count = len(self.cases)
        if len(self.apart) == count:
            return f"minimal: {count} of the mutants share no trial with one another, so each needs its own"
        if self.at_least == count:
            return f"minimal: the search through all smaller sets of candidates ended without one ({count} are needed)"
        return f"not proved minimal: the search was cut off; at least {self.at_least} trials are needed"

    def __str__(self) -> str:
        count, told = len(self.cases), len(self.mutants)
        beyond = f"; {len(self.beyond)} more that no trial can show" if self.beyond else ""
        proved = sum(equivalent.proved for equivalent in self.equivalent)
        unproved = len(self.equivalent) - proved
        perhaps = f", {unproved} not proved equivalent" if unproved else ""
        return f"{count} trials, {told} mutants, all killed, {proved} equivalent{perhaps}{beyond}"

    def suspects(self, failed: Collection[str]) -> tuple[Mutant, ...]:
        """Return the single changes that explain why exactly the trials with these ids did not go as expected.

        If there is none, look at ``noticed`` of each failed trial.
        """
        wanted = set(failed)
        noticed_by: dict[int, set[str]] = {}
        for identifier, told in self.noticed.items():
            for mutant in told:
                noticed_by.setdefault(id(mutant), set()).add(identifier)
        return tuple(mutant for mutant in self.mutants if noticed_by[id(mutant)] == wanted)


def plan(
    documents: Iterable[PolicyDocument],
    names: Names,
    memberships: Iterable[Membership] = (Membership.ASSOCIATED,),
    *,
    further: Iterable[Mutant] = (),
    fit: Callable[[Case], bool] = lambda _case: True,
) -> Selection:
    """Derive the trials of devices of these ``memberships``, make the mutants, and select.

    ``documents``: all that the cloud is expected to enforce. ``names``: of the device, its team, and others of both.
    ``memberships``: what the devices are in their team. ``further``: more mutants. ``fit``: whether a trial can be made
    of a case.
    """
    documents, memberships = tuple(documents), tuple(memberships)
    changed = [*mutants(documents), *further]
    derivers = {membership: Deriver(documents, membership, names) for membership in memberships}
    cases = [case for deriver in derivers.values() for case in deriver.found.cases if fit(case)]
    missed = [mutant for mutant, noticed in zip(changed, noticing(cases, changed), strict=True) if not noticed]
    look = FurtherLook(documents, names, derivers, fit)
    for mutant in missed:
        if not proved_equivalent(mutant, cases):
            look.at(mutant)
    cases = [case for deriver in derivers.values() for case in deriver.found.cases]
    return smallest(
        [case for case in cases if fit(case)],
        changed,
        impossible=[case for deriver in derivers.values() for case in deriver.found.impossible],
        unfit=[case for case in cases if not fit(case)],
        same=look.same,
        cut_off=look.cut_off,
    )


def notice_all(
    tried: Sequence[Case],
    documents: Iterable[PolicyDocument],
    names: Names,
    memberships: Iterable[Membership],
    *,
    fit: Callable[[Case], bool],
) -> bool:
    """Tell whether ``tried`` notice every single change that a trial of :func:`plan` notices, without selecting one.

    Where they do, it takes a third of the time: proofs and searches are about the few changes that they do not notice.

    ``documents``, ``names``, ``memberships``, ``fit``: as for :func:`plan`.
    """
    documents = tuple(documents)
    changed = list(mutants(documents))
    unnoticed = [mutant for mutant, noticed in zip(changed, noticing(tried, changed), strict=True) if not noticed]
    derivers = {membership: Deriver(documents, membership, names) for membership in memberships}
    cases = [case for deriver in derivers.values() for case in deriver.found.cases if fit(case)]
    if any(noticing(cases, unnoticed)):
        return False
    look = FurtherLook(documents, names, derivers, fit)
    for mutant in unnoticed:
        if not proved_equivalent(mutant, cases):
            look.at(mutant)
    found = [case for deriver in derivers.values() for case in deriver.found.cases if fit(case)]
    return not any(noticing(found, unnoticed)) if len(found) > len(cases) else True


def smallest(
    cases: Sequence[Case],
    mutants: Sequence[Mutant],
    *,
    impossible: Sequence[Case] = (),
    unfit: Sequence[Case] = (),
    same: Sequence[Mutant] = (),
    cut_off: Sequence[Mutant] = (),
) -> Selection:
    """Select the fewest of ``cases`` that together notice all ``mutants`` that can be noticed.

    ``unfit``: packets that notice mutants, but of which no trial can be made. The others are for the reasons of
    equivalence: ``impossible``: packets that the service never takes. ``same``: mutants that no packet notices.
    ``cut_off``: mutants for which the search was given up.

    Of trials that notice the same mutants, one of the device with most rights is preferred, then one without a
    delivery, then the first.
    """
    cases = sorted(cases, key=_preference)
    killers = noticing(cases, mutants)
    told = [number for number, found in enumerate(killers) if found]
    masks = [0] * len(cases)
    for bit, number in enumerate(told):
        for case in killers[number]:
            masks[case] |= 1 << bit
    cover = smallest_cover(masks)
    chosen = [cases[number] for number in _preferred(cover, masks)]
    seen = [mutants[number] for number in told]
    missed = [mutant for mutant, found in zip(mutants, killers, strict=True) if not found]
    beyond = [mutant for mutant, found in zip(missed, noticing(unfit, missed), strict=True) if found]
    certain, given_up, shown = ({id(mutant) for mutant in several} for several in (same, cut_off, beyond))
    untaken = [impossible[found[0]] if found else None for found in noticing(impossible, missed)]
    equivalent = [
        explain_equivalence(m, cases, untaken=case, certain=id(m) in certain, cut_off=id(m) in given_up)
        for m, case in zip(missed, untaken, strict=True)
        if id(m) not in shown
    ]
    mask_of = {id(case): mask for case, mask in zip(cases, masks, strict=True)}
    return Selection(
        connections=_connections(chosen),
        mutants=tuple(seen),
        equivalent=tuple(equivalent),
        beyond=tuple(beyond),
        noticed={c.id: tuple(m for bit, m in enumerate(seen) if mask_of[id(c)] >> bit & 1) for c in chosen},
        at_least=cover.at_least,
        apart=tuple(seen[bit] for bit in cover.apart),
    )


def _preference(case: Case) -> tuple[int, int]:
    return -len(case.documents), (Verb.PUBLISH, Verb.SUBSCRIBE, Verb.CONNECT, Verb.RECEIVE).index(case.request.verb)


def _preferred(cover: Cover, masks: Sequence[int]) -> list[int]:
    """Replace each chosen set by the first set that also holds everything that no other chosen set holds."""
    chosen = list(cover.chosen)
    for place in range(len(chosen)):
        others = 0
        for number in chosen[:place] + chosen[place + 1 :]:
            others |= masks[number]
        alone = masks[chosen[place]] & ~others
        chosen[place] = next(number for number, mask in enumerate(masks) if alone & ~mask == 0)
    return chosen


def _connections(cases: Iterable[Case]) -> tuple[tuple[Case, ...], ...]:
    """Put trials that can share a connection together. At most one of them ends the connection, and it is the last."""
    shared: dict[tuple[int, int], list[Case]] = {}
    memberships = list(Membership)
    for case in cases:
        shared.setdefault((memberships.index(case.membership), id(case.principal)), []).append(case)
    connections: list[tuple[Case, ...]] = []
    for _, together in sorted(shared.items(), key=lambda item: item[0][0]):
        staying = [case for case in together if not case.closes]
        closing = [case for case in together if case.closes]
        connections.append((*staying, *closing[:1]))
        connections.extend((case,) for case in closing[1:])
    return tuple(connections)
