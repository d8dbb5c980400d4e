"""What derived trials say about the policies that are really deployed, compared with the documents. No I/O.

A trial that went otherwise than the documents say shows that a permission is lacking or was gained. Which statement it
belongs to follows from the ruling; how the deployed document may have been changed, from the mutants that the trial
tells apart: those that explain trials which differ, and no trial that does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from harness.bench.expectations import Expectations
from harness.bench.policy_trials import expected, outcome_of_refusal
from harness.policy.arn import resource_part
from harness.policy.case import Case, Verb, refusals
from harness.policy.document import PolicyDocument
from harness.policy.explain import name_of
from harness.policy.mutants import Mutant
from harness.policy.profile import SHIPPED, load_profile
from harness.policy.subject import Names
from harness.trial import Outcome, Verdict

_ALLOWED = {
    Outcome.TOLERATED: True,
    Outcome.IGNORED: False,
    Outcome.POLICY_DISCONNECT: False,
    Outcome.REFUSED_AT_CONNECT: False,
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial of the set. ``verdict`` None: it was not run, for ``reason``."""

    case: Case
    verdict: Verdict | None = None
    reason: str = ""

    @property
    def proved(self) -> Outcome | None:
        """What the deployed policies make of it; None when nothing is proved.

        A message that nobody saw and nobody was hung up on for is no policy's doing.
        """
        outcome = None if self.verdict is None else self.verdict.outcome
        silent = outcome is Outcome.IGNORED and self.case.request.verb not in (Verb.SUBSCRIBE, Verb.RECEIVE)
        return outcome if outcome in _ALLOWED and not silent else None

    @property
    def allowed(self) -> bool | None:
        """Whether the deployed policies allow it; None when nothing is proved."""
        return None if self.proved is None else _ALLOWED[self.proved]

    @property
    def differs(self) -> bool:
        """Whether it is proved that the deployed policies say something else than the documents."""
        return self.proved is not None and self.proved is not expected(self.case)


@dataclass(frozen=True, slots=True)
class Difference:
    """A permission that the deployed policies lack, or have gained. ``statement``: None if none comes near it."""

    tried: Tried
    statement: str | None
    text: str

    @property
    def gained(self) -> bool:
        """Whether the deployed policies allow what the documents do not."""
        return not self.tried.case.allowed


@dataclass(frozen=True, slots=True)
class Drift:
    """The comparison.

    ``changes``: what may have been done to the documents; of each entry one change, and all entries together, explain
    what was found. ``excluded``: how many single changes certainly were not made. ``profiles``: shipped profiles that
    say exactly what was found. ``beyond``: how many single changes no trial can show.
    """

    tried: Sequence[Tried]
    differences: Sequence[Difference]
    changes: Sequence[tuple[Mutant, ...]]
    excluded: int
    profiles: Sequence[str]
    beyond: int = 0

    @property
    def unproved(self) -> list[Tried]:
        """Trials that were run and proved nothing."""
        return [tried for tried in self.tried if tried.verdict is not None and tried.allowed is None]

    @property
    def not_run(self) -> list[Tried]:
        """Trials that were not run."""
        return [tried for tried in self.tried if tried.verdict is None]


def compare(
    documents: Sequence[PolicyDocument], mutants: Iterable[Mutant], tried: Sequence[Tried], names: Names
) -> Drift:
    """Compare what was found with ``documents`` and with ``mutants`` of them. ``names``: of the device."""
    proved = [one for one in tried if one.proved is not None]
    differing = {one.case.id for one in proved if one.differs}
    told_by = [(mutant, _told(proved, mutant)) for mutant in mutants]
    fitting = [(mutant, told.alike) for mutant, told in told_by if told.alike and not told.unlike]
    by_name = {document.name: document for document in documents}
    return Drift(
        tried=tried,
        differences=[_difference(one, documents, names) for one in proved if one.differs],
        changes=_changes(fitting, differing),
        excluded=sum(bool(told.unlike) for _, told in told_by),
        profiles=[name for name in SHIPPED if _says(by_name | load_profile(name, account=names.account), proved)],
    )


class _Told(NamedTuple):
    """The trials of which a mutant says something else than the documents: as was found, or not."""

    alike: frozenset[str]
    unlike: frozenset[str]


def _told(proved: Sequence[Tried], mutant: Mutant) -> _Told:
    outcomes = [outcome for _, outcome in _outcomes(proved, mutant.documents)]
    told = [(one, it) for one, it in zip(proved, outcomes, strict=True) if it is not expected(one.case)]
    alike = frozenset(one.case.id for one, outcome in told if outcome is one.proved)
    return _Told(alike, frozenset(one.case.id for one, _ in told) - alike)


def _outcomes(proved: Sequence[Tried], documents: Mapping[str, PolicyDocument]) -> list[tuple[Tried, Outcome]]:
    """Return with each trial how it would go on a cloud that enforces ``documents``."""
    refused = refusals([one.case for one in proved], documents)
    return [(one, outcome_of_refusal(one.case, action)) for one, action in zip(proved, refused, strict=True)]


def _difference(tried: Tried, documents: Sequence[PolicyDocument], names: Names) -> Difference:
    case, verdict = tried.case, tried.verdict
    assert verdict is not None  # noqa: S101 - for the type checker: what was not run does not differ
    ruling = case.ruling
    if case.allowed and case.request.verb in (Verb.SUBSCRIBE, Verb.RECEIVE):
        # What is silent was the delivery's refusal; the subscription's ends the connection.
        wanted = "iot:Receive" if verdict.outcome is Outcome.IGNORED else "iot:Subscribe"
        action, resource = next(check for check in case.checks if check[0] == wanted)
        name = resource_part(resource).partition("/")[2]
        ruling = Expectations(documents, names, case.kind).ruling(action, name)
    statement = ruling.match.statement if ruling.match else next((near.statement for near in ruling.nearest), None)
    text = f"{ruling.explain()}, yet {verdict.outcome}"
    return Difference(tried, None if statement is None else name_of(statement), text)


def _changes(told_by: Iterable[tuple[Mutant, frozenset[str]]], differing: set[str]) -> list[tuple[Mutant, ...]]:
    """Return few groups of changes; one of each group, all together, explain what can be explained of ``differing``."""
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


def _says(documents: Mapping[str, PolicyDocument], proved: Sequence[Tried]) -> bool:
    return bool(proved) and all(outcome is one.proved for one, outcome in _outcomes(proved, documents))
