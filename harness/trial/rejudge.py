"""Judges recorded trials anew: with today's rules, from their events alone."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.timeline import Event, Kind
from harness.trial.facts_of import facts_of
from harness.trial.judge import Judgement, judge
from harness.trial.phases import Phase
from harness.trial.verdict import Outcome


class Rejudged(NamedTuple):
    """One attempt. ``outcome``, ``evidence``: as they were recorded; ``anew``: as they are now."""

    trial: int
    attempt: int
    action: str
    outcome: Outcome
    evidence: str
    anew: Judgement

    @property
    def same(self) -> bool:
        """True if today's rules find what was found then."""
        return (self.outcome, self.evidence) == (self.anew.outcome, self.anew.evidence)


def rejudge(events: Sequence[Event]) -> list[Rejudged]:
    """Judge every attempt among ``events`` that was judged when they were recorded, in order.

    Raises ValueError, KeyError or TypeError for events that no trial writes.
    """
    begun: dict[tuple[int, int], int] = {}
    judged = []
    for position, event in enumerate(events):
        number = (event.data.get("trial", -1), event.data.get("attempt", -1))
        if event.kind is Kind.PHASE and event.data["name"] == Phase.ATTEMPT and event.data["on"] == "begin":
            begun[number] = position
        elif event.kind is Kind.FACTS:
            facts = facts_of(events[begun[number] : position])
            evidence = " ".join(sentence["text"] for sentence in event.data["sentences"])
            judged.append(Rejudged(*number, facts.action, Outcome(event.data["outcome"]), evidence, judge(facts)))
    return judged


def verdicts(judged: Sequence[Rejudged]) -> list[Rejudged]:
    """Return the last attempt of each trial: the one that its verdict is from."""
    return list({one.trial: one for one in judged}.values())
