"""Rules over a whole run: all tests of a board together can overturn what one of them proved. Pure.

A verdict rests on its own trial, and its bound holds there. But a run shows more than a trial. Something may end all
connections at one age, or at one packet, whatever is in flight; then it did so in the trial too. And a cloud may also
refuse what the documents allow; then a refusal by it says nothing about the documents. An overturned verdict becomes
*inconclusive*, with the reason.
"""

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from harness.trial.facts import Sort
from harness.trial.verdict import Outcome
from harness.trial.verdict_record import HangUp, TestRecord, TrialVerdict

AT_LEAST: Final = 3
"""Hang-ups, or refusals of allowed actions, that must be seen before they count against other verdicts."""
MOST: Final = 0.8
"""Share of all hang-ups beside actions that must be at one age or packet; the rest may have other causes."""
SPREAD: Final = 0.1
"""Ages count as one age up to this standard deviation, as a share of their mean."""
NEAR: Final = 0.2
"""A hang-up is at an age if it differs from it by this share at most."""

_HUNG_UP: Final = frozenset({Outcome.POLICY_DISCONNECT, Outcome.LATE_DISCONNECT, Outcome.ACKNOWLEDGED_THEN_CLOSED})
_REFUSED: Final = _HUNG_UP | {Outcome.REFUSED_IN_SUBACK, Outcome.DENIED, Outcome.IGNORED}
_AT_ACTION: Final = Outcome.POLICY_DISCONNECT  # a late outcome rests on other hang-ups than those at the action
_GRANTED: Final = frozenset({Outcome.TOLERATED, Outcome.AUTHORISED})
_SORTS: Final = {Sort.PACKET: "actions", Sort.CALL: "calls"}


class Overturned(NamedTuple):
    """A verdict that does not stand. ``test``: as the run names it. ``because``: one sentence."""

    test: str
    verdict: TrialVerdict
    because: str

    @property
    def failed_its_test(self) -> bool:
        """True if the test expected something else. Where it expected nothing, the verdict failed nothing by itself."""
        return bool(self.verdict.wanted) and self.verdict.outcome not in self.verdict.wanted

    def __str__(self) -> str:
        found = f"It was {self.verdict.outcome} ({self.verdict.action}) and is inconclusive."
        return f"overturned by the run: {self.because}. {found}"


def overturned(tests: Mapping[str, TestRecord]) -> list[Overturned]:
    """Return the verdicts on one board that its whole run overturns, in order. ``tests``: of the board, by name.

    A hang-up in a group with an action that was proved refused elsewhere was its refusal: it shows no limit.
    """
    refused = {verdict.action for verdict in _verdicts(tests) if verdict.outcome in _HUNG_UP}
    limit = _limit([one for record in tests.values() for one in record.hang_ups if refused.isdisjoint(one.tried)])
    fallen = {sort: _fallen(sort, tests) for sort in _SORTS}
    found = []
    for test, record in tests.items():
        for verdict in record.verdicts:
            because = _at_limit(verdict, record, limit) or _as_all(verdict, fallen)
            if because:
                found.append(Overturned(test, verdict, because))
    return found


class _Limit(NamedTuple):
    """Something that ends connections at one age, or (``age`` 0) at one packet. ``seen``: hang-ups beside actions."""

    age: float
    packets: int
    seen: int

    def met_by(self, one: HangUp) -> bool:
        if self.age:
            return abs(one.age - self.age) <= NEAR * self.age
        return one.packets == self.packets

    def __str__(self) -> str:
        at = f"the age of {self.age:.3g} s" if self.age else f"packet {self.packets}"
        return f"{self.seen} connections ended at {at} too, while something allowed or nothing was in flight"


def _limit(hang_ups: Sequence[HangUp]) -> _Limit | None:
    """Return what ends connections whatever is in flight; None: nothing visible does."""
    beside = [one for one in hang_ups if not one.at_action]
    enough = max(AT_LEAST, MOST * len(beside))
    if len(beside) < enough:
        return None
    packet, times = Counter(one.packets for one in beside).most_common(1)[0]
    if packet > 0 and times >= enough:
        return _Limit(0.0, packet, times)
    middle = statistics.median(one.age for one in beside)
    ages = [one.age for one in beside if abs(one.age - middle) <= NEAR * middle]
    if len(ages) < enough or statistics.pstdev(ages) > SPREAD * statistics.fmean(ages):
        return None
    return _Limit(statistics.fmean(ages), -1, len(ages))


def _at_limit(verdict: TrialVerdict, record: TestRecord, limit: _Limit | None) -> str:
    if limit is None or verdict.outcome != _AT_ACTION:
        return ""
    own = [one for one in record.hang_ups if one.trial == verdict.trial and one.at_action]
    return str(limit) if own and all(limit.met_by(one) for one in own) else ""


def _fallen(sort: str, tests: Mapping[str, TestRecord]) -> str:
    """Say that the cloud also refuses what is expected to be allowed; "": it does not."""
    allowed = [one for one in _verdicts(tests) if one.sort == sort and one.wanted and _GRANTED.issuperset(one.wanted)]
    refused = sum(one.outcome in _REFUSED for one in allowed)
    proved = refused + sum(one.outcome in _GRANTED for one in allowed)
    if refused < AT_LEAST or 2 * refused < proved:
        return ""
    return f"the cloud refused {refused} of {proved} {_SORTS[Sort(sort)]} that are expected to be allowed, too"


def _as_all(verdict: TrialVerdict, fallen: Mapping[Sort, str]) -> str:
    expected = verdict.outcome in verdict.wanted and verdict.outcome in _REFUSED
    return next((because for sort, because in fallen.items() if expected and sort == verdict.sort), "")


def _verdicts(tests: Mapping[str, TestRecord]) -> Iterator[TrialVerdict]:
    return (verdict for record in tests.values() for verdict in record.verdicts)
