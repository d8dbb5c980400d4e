"""What derived trials say about the policies that are really deployed, compared with the documents. No I/O.

A trial that went otherwise than the documents say shows that a permission is lacking or was gained. Which statement it
belongs to follows from the ruling; how the deployed document may have been changed, from the mutants that the trial
tells apart: those that explain trials which differ, and no trial that does not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from harness.bench.expectations import Expectations
from harness.policy.case import Case, Verb, judge
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
    def allowed(self) -> bool | None:
        """Whether the deployed policies allow it; None when nothing is proved."""
        return None if self.verdict is None else _ALLOWED.get(self.verdict.outcome)

    @property
    def differs(self) -> bool:
        """Whether it is proved that the deployed policies say something else than the documents."""
        return self.allowed is not None and self.allowed is not self.case.allowed


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
    say exactly what was found.
    """

    tried: Sequence[Tried]
    differences: Sequence[Difference]
    changes: Sequence[tuple[Mutant, ...]]
    excluded: int
    profiles: Sequence[str]

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
    proved = [one for one in tried if one.allowed is not None]
    differing = {one.case.id for one in proved if one.differs}
    told_by = [(mutant, told) for mutant in mutants if (told := _told(proved, mutant))]
    return Drift(
        tried=tried,
        differences=[_difference(one, documents, names) for one in proved if one.differs],
        changes=_changes(told_by, differing),
        excluded=sum(not told <= differing for _, told in told_by),
        profiles=[name for name in SHIPPED if _says(name, proved, names)],
    )


def _told(proved: Sequence[Tried], mutant: Mutant) -> frozenset[str]:
    """Return the trials whose decision the mutant changes."""
    cases = [one.case for one in proved]
    answers = judge(cases, mutant.documents)
    return frozenset(case.id for case, answer in zip(cases, answers, strict=True) if answer is not case.allowed)


def _difference(tried: Tried, documents: Sequence[PolicyDocument], names: Names) -> Difference:
    case, verdict = tried.case, tried.verdict
    assert verdict is not None  # noqa: S101 - for the type checker: what was not run does not differ
    ruling = case.ruling
    if case.allowed and case.request.verb in (Verb.SUBSCRIBE, Verb.RECEIVE):
        # What is silent was the delivery's refusal; the subscription's ends the connection.
        action = "iot:Receive" if verdict.outcome is Outcome.IGNORED else "iot:Subscribe"
        ruling = Expectations(documents, names, case.kind).ruling(action, case.request.name)
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


def _says(profile: str, proved: Sequence[Tried], names: Names) -> bool:
    cases = [one.case for one in proved]
    answers = judge(cases, load_profile(profile, account=names.account))
    return bool(cases) and all(answer is one.allowed for answer, one in zip(answers, proved, strict=True))
