"""Compares the policies that are really deployed with the documents, by the outcomes of derived trials. No I/O.

A trial that did not go as the documents say shows one of three things: a permission is missing, a permission was
gained, or the cloud refuses in another way (:mod:`harness.policy_trials.discrepancies`). The ruling tells to which
statement a permission belongs. The mutants show how the deployed document may have been changed: a change is possible
if it explains a trial that differs, and contradicts none that agrees.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from harness.policy.derivation.case import refusals
from harness.policy.documents.arn import resource_part
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.profile import SHIPPED, load_profile
from harness.policy.evaluation.expectations import Expectations
from harness.policy.evaluation.explain import name_of
from harness.policy.evaluation.membership import Names
from harness.policy.proof.mutants import Mutant
from harness.policy_trials.discrepancies import Discrepancy, Packets, TriedCase, discrepancy, never_hung_up
from harness.policy_trials.trials import expected, outcome_of_refusal
from harness.trial import Outcome


@dataclass(frozen=True, slots=True)
class Deviation:
    """What a trial shows. ``statement``: to which it points; None: none is near, or none is to blame."""

    tried: TriedCase
    discrepancy: Discrepancy
    statement: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Drift:
    """The comparison.

    ``changes``: how the documents may have been changed; one change of each entry, all entries together, explains the
    findings. ``excluded``: how many single changes were certainly not made. ``profiles``: shipped profiles that agree
    with all findings. ``beyond``: how many single changes no trial can show.
    """

    tried: Sequence[TriedCase]
    differences: Sequence[Deviation]
    changes: Sequence[tuple[Mutant, ...]]
    excluded: int
    profiles: Sequence[str]
    beyond: int = 0

    def found(self, discrepancy: Discrepancy) -> list[Deviation]:
        """Return the differences of one sort."""
        return [one for one in self.differences if one.discrepancy is discrepancy]

    @property
    def refuses_nothing(self) -> bool:
        """True if everything that the documents refuse was seen to be allowed."""
        refused = sum(one.case.closes for one in self.tried if one.proved is not None)
        return refused > 0 and refused == sum(one.tried.case.closes for one in self.found(Discrepancy.GAINED))

    @property
    def never_hung_up(self) -> dict[Packets, int]:
        """Packets on which this cloud does not hang up when it refuses them, with how many were tried."""
        kinds = {one.tried.packets for one in self.found(Discrepancy.STAYED)}
        counts = {packets: never_hung_up(packets, self.tried) for packets in Packets if packets in kinds}
        return {packets: count for packets, count in counts.items() if count}

    @property
    def unproved(self) -> list[TriedCase]:
        """Trials that were run and proved nothing."""
        return [tried for tried in self.tried if tried.verdict is not None and tried.proved is None]

    @property
    def not_run(self) -> list[TriedCase]:
        """Trials that were not run."""
        return [tried for tried in self.tried if tried.verdict is None]


def compare(
    documents: Sequence[PolicyDocument], mutants: Iterable[Mutant], tried: Sequence[TriedCase], names: Names
) -> Drift:
    """Compare the trials with ``documents`` and with ``mutants`` of them. ``names``: of the device.

    ``tried``: the trials of the set.
    """
    proved = [one for one in tried if one.proved is not None]
    found = [(one, what) for one in proved if (what := discrepancy(one, proved)) is not None]
    # A packet after which the connection merely stayed may still be refused, so it speaks for no change. But a message
    # that was sent and did not arrive speaks against each change that would let it pass.
    stayed = {one.case.id for one, what in found if what is Discrepancy.STAYED}
    telling = [one for one in proved if one.case.id not in stayed or one.undelivered]
    told_by = [(mutant, _told(telling, mutant, stayed)) for mutant in mutants]
    fitting = [(mutant, told.alike) for mutant, told in told_by if told.alike and not told.unlike]
    by_name = {document.name: document for document in documents}
    return Drift(
        tried=tried,
        differences=[_difference(one, what, documents, names) for one, what in found],
        changes=_changes(fitting, {one.case.id for one in telling if one.differs} - stayed),
        excluded=sum(bool(told.unlike) for _, told in told_by),
        profiles=[name for name in SHIPPED if _says(by_name | load_profile(name, account=names.account), proved)],
    )


class _Told(NamedTuple):
    """The trials on which a mutant and the documents differ: those in which the mutant is right, and the others."""

    alike: frozenset[str]
    unlike: frozenset[str]


def _told(telling: Sequence[TriedCase], mutant: Mutant, stayed: Collection[str]) -> _Told:
    outcomes = [outcome for _, outcome in _outcomes(telling, mutant.documents)]
    told = [(one, it) for one, it in zip(telling, outcomes, strict=True) if it is not expected(one.case)]
    alike = frozenset(one.case.id for one, outcome in told if outcome is one.proved)
    return _Told(alike - frozenset(stayed), frozenset(one.case.id for one, _ in told) - alike)


def _outcomes(proved: Sequence[TriedCase], documents: Mapping[str, PolicyDocument]) -> list[tuple[TriedCase, Outcome]]:
    """Return each trial with the outcome that it would have on a cloud that enforces ``documents``."""
    refused = refusals([one.case for one in proved], documents)
    return [(one, outcome_of_refusal(one.case, action)) for one, action in zip(proved, refused, strict=True)]


def _difference(tried: TriedCase, what: Discrepancy, documents: Sequence[PolicyDocument], names: Names) -> Deviation:
    case, ruling = tried.case, tried.case.ruling
    if what is Discrepancy.STAYED:
        silent = tried.proved is Outcome.IGNORED
        end = "nothing came of it" if silent else "what came of it cannot be seen"
        return Deviation(tried, what, None, f"{ruling.explain()}, yet the connection stayed; {end}")
    if what is Discrepancy.LACKS and tried.packets is Packets.SUBSCRIPTIONS:
        # A refused delivery is silent; a refused subscription ends the connection.
        wanted = "iot:Receive" if tried.proved is Outcome.IGNORED else "iot:Subscribe"
        action, resource = next(check for check in case.checks if check[0] == wanted)
        name = resource_part(resource).partition("/")[2]
        ruling = Expectations(documents, names, case.membership).ruling(action, name)
    statement = ruling.match.statement if ruling.match else next((near.statement for near in ruling.nearest), None)
    text = f"{ruling.explain()}, yet {tried.proved}"
    return Deviation(tried, what, None if statement is None else name_of(statement), text)


def _changes(told_by: Iterable[tuple[Mutant, frozenset[str]]], differing: set[str]) -> list[tuple[Mutant, ...]]:
    """Return a few groups of changes: one change of each, all together, explain as much of ``differing`` as can be."""
    fitting: dict[frozenset[str], list[Mutant]] = {}
    for mutant, told in told_by:
        if told <= differing:
            fitting.setdefault(told, []).append(mutant)
    changes: list[tuple[Mutant, ...]] = []
    left = frozenset(differing)
    while left:
        gain, best = max(((len(told & left), told) for told in fitting), key=itemgetter(0), default=(0, left))
        if not gain:
            break
        changes.append(tuple(fitting.pop(best)))
        left -= best
    return changes


def _says(documents: Mapping[str, PolicyDocument], proved: Sequence[TriedCase]) -> bool:
    return bool(proved) and all(_fits(outcome, one) for one, outcome in _outcomes(proved, documents))


def _fits(outcome: Outcome, one: TriedCase) -> bool:
    # An unanswered request may be allowed: not every service answers everything.
    unanswered = one.packets is Packets.PUBLISHES and one.proved is Outcome.IGNORED
    return outcome is (Outcome.TOLERATED if unanswered else one.proved)
