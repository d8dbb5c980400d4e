"""Judges recorded trials anew: with today's rules, from their events alone."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.timeline import Event, Kind
from harness.trial.attempt_facts import facts_of
from harness.trial.facts import Sort
from harness.trial.judge import VERSION, judge
from harness.trial.judgement import Judgement, Sentence
from harness.trial.phases import Phase, attempt_of, spans
from harness.trial.verdict import Outcome
from harness.trial.wire.experiment_verdict import judged_again

_PASSED = "passed"  # how the END of a test says that nothing was raised in it
_SAME_PLANS = 6  # the version of the judge from which on experiments ask for what today's ask for
_SAME_PACKETS = 7  # the same of experiments on packets, and on groups of them


class Rejudged(NamedTuple):
    """One attempt. ``outcome``, ``evidence``: as they were recorded; ``anew``: as they are now.

    ``group``: of actions that shared connections; each of them has a verdict of its own. ``kept``: the version of the
    judge where its experiment asked for other plans than today's, or is newer: it is not judged anew; 0: it is.
    """

    trial: int
    attempt: int
    action: str
    outcome: Outcome
    evidence: str
    anew: Judgement
    group: bool = False
    kept: int = 0

    @property
    def same(self) -> bool:
        """True if today's rules find what was found then."""
        return (self.outcome, self.evidence) == (self.anew.outcome, self.anew.evidence)


def rejudge(events: Sequence[Event]) -> list[Rejudged]:
    """Judge every attempt among ``events`` that was judged when they were recorded, in order.

    An attempt of a harness that did not experiment yet (judge 1 and 2), or by other plans (judge 3 to 5, of packets
    3 to 6), did not do what today's rules ask for: it stays as it was recorded. So does one of a newer judge.

    Raises ValueError, KeyError or TypeError for events that no trial writes.
    """
    begun: dict[tuple[int, int], int] = {}
    judged = []
    for position, event in enumerate(events):
        if event.kind is Kind.PHASE and event.data["name"] == Phase.ATTEMPT and event.data["on"] == "begin":
            begun[_number(event)] = position
        elif event.kind is Kind.FACTS:
            number, recorded = _number(event), _recorded(event)
            attempt = attempt_of(events, begun[number])
            action = str(attempt[0].data["action"])
            # What an action of a group showed is in the group's attempt, perhaps of another test.
            packets = attempt[0].data["sort"] in (Sort.PACKET, Sort.GROUP)
            version, same = event.data["judge"], _SAME_PACKETS if packets else _SAME_PLANS
            if version < 1:
                raise ValueError(f"{version} is not a valid version of the judge")
            kept = 0 if same <= version <= VERSION else version
            anew = recorded if kept or "group" in attempt[0].data else _anew(attempt)
            group = attempt[0].data["sort"] == Sort.GROUP
            judged.append(Rejudged(*number, action, recorded.outcome, recorded.evidence, anew, group, kept))
    return judged


def unjudged(events: Sequence[Event]) -> list[str]:
    """Return the actions of the attempts that have no verdict among ``events``, although the test went on after them.

    A harness that runs a trial writes its verdict before the next step. So lines are missing: the disk was full, or
    the file was edited.
    """
    open_attempts: dict[tuple[int, int], str] = {}
    missing: list[str] = []
    for event in events:
        if event.kind is Kind.FACTS:
            open_attempts.pop(_number(event), None)
        elif event.kind is Kind.EXPECT or (event.kind is Kind.END and event.text == _PASSED):
            missing += open_attempts.values()
            open_attempts.clear()
        elif event.kind is Kind.PHASE and event.data["name"] == Phase.ATTEMPT and event.data["on"] == "begin":
            missing += open_attempts.values()
            open_attempts = {_number(event): str(event.data["action"])}
    return missing


def _number(event: Event) -> tuple[int, int]:
    """Return which trial and attempt an event is of; -1: whoever edited the file has taken that away."""
    return event.data.get("trial", -1), event.data.get("attempt", -1)


def _recorded(facts: Event) -> Judgement:
    return Judgement(Outcome(facts.data["outcome"]), tuple(map(Sentence.of, facts.data["sentences"])))


def _anew(attempt: Sequence[Event]) -> Judgement:
    facts = facts_of(attempt)
    experimented = "experiment" in attempt[0].data and not facts.trouble
    if facts.sort is Sort.OWN_CONNECT:  # an experiment is made only where the login was refused
        experimented = experimented and not facts.control and Phase.PLAN in spans(attempt)
    return judge(facts, judged_again(attempt) if experimented else None)


def verdicts(judged: Sequence[Rejudged]) -> list[Rejudged]:
    """Return the last attempt of each trial: the one that its verdict is from.

    A group is a trial of no test's own, so it is one only where it is judged otherwise now.
    """
    return [one for one in {one.trial: one for one in judged}.values() if not (one.group and one.same)]
