"""What the parts of one experiment share, and how they run a plan.

The parts are generators: they yield a plan and are sent what was seen. So a rule reads from top to bottom as it is
written down, and still has no clock, socket or thread in it: whoever drives it may be a runner or a simulation.
"""

import random
from collections.abc import Generator
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeVar

from harness.trial.experiment.action_places import ActionPlaces
from harness.trial.experiment.night import Night
from harness.trial.experiment.outcome import Suspect, Tally
from harness.trial.experiment.plan import Do, Observation, Plan, Saw, Step, StepConnection, VoidedBy
from harness.trial.experiment.rule import BASELINES, FIRST_PAUSE, UNHEARD, VOIDED, ExperimentRule

T = TypeVar("T")
Script = Generator[Plan, Observation, T]

_LOST_OR_THROTTLED = "the lines of their answers got lost, or the cloud passed them over (throttled?)"
_NO_PACKETS = {Do.IDLE, Do.PAUSE, Do.EFFECT}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tried, in words. ``differs``: in what the sham differs from the action ("topic")."""

    action: str
    sham: str = "an allowed action of the same shape"
    differs: str = "what is asked for"


class Ended(Exception):
    """The experiment cannot go on, for a reason that is known already."""

    def __init__(self, suspect: Suspect, text: str) -> None:
        super().__init__(text)
        self.suspect = suspect
        self.text = text


class NoBaseline(Exception):
    """Not one connection came up on which the allowed action worked."""


class ExperimentContext:
    """One experiment's surroundings and counts.

    ``subject``: what is tried. ``rule``: what the user chose. ``night``: what is remembered of the board's link.
    ``draws``: the source of randomness, ``secrets.SystemRandom()`` in production; a seed could be shared with whatever
    disturbs the link.
    """

    def __init__(self, subject: Subject, rule: ExperimentRule, night: Night, draws: random.Random) -> None:
        self.subject = subject
        self.rule = rule
        self.night = night
        self.draws = draws
        self.tally = Tally()
        self.places = ActionPlaces(night)
        self.ages: list[float] = []
        """Of each connection that ended, and not at the action."""
        self.line = ""
        """What showed last that the line between board and harness loses bytes, or that something else writes to it."""
        self.unconnected = 0
        """Connections that did not come up."""
        self.quiet = 0.0
        """Seconds in which a connection was made or there for certain, before the action was sent."""

    def run(self, name: str, connection: StepConnection, *steps: Step) -> Script[Observation]:
        """Have one plan done. Raises :class:`Ended` where what was seen makes everything worthless, or time is up.

        ``name``: the plan's, for the timeline. ``connection``: which one its ``steps`` run on, in order.
        """
        self.in_time()
        plan = Plan(name, connection, steps, self.night.patience)
        seen = yield plan
        self.night.learn(plan, seen)
        self._count(plan, seen)
        if seen.void:
            self._weigh(seen)
        if self.tally.unheard >= UNHEARD[1]:
            raise Ended(*self.unanswered)
        return seen

    @property
    def unanswered(self) -> tuple[Suspect, str]:
        """The suspect where answers were missing, and what to say: a throttling cloud looks as a lost line does."""
        number = self.tally.unheard
        said = f"{number} allowed packets had no answer, and what was sent behind them had one"
        if self.line:
            return Suspect.UART_TROUBLE, f"{said}; lines of the board get lost, which this shows too: {self.line!r}"
        return Suspect.UNANSWERED, f"{said}: {_LOST_OR_THROTTLED}"

    def in_time(self) -> None:
        """Raise :class:`Ended` if the budget is used up.

        Call it before a draw: what is drawn and then not used is not written down, and nobody could judge it again.
        """
        budget = self.rule.budget
        if budget is not None and self.tally.seconds >= budget:
            raise Ended(Suspect.BUDGET, f"the budget of {budget:g} s for one verdict is used up")

    def _weigh(self, seen: Observation) -> None:
        """Raise :class:`Ended` where a worthless observation leaves nothing to go on with.

        A network or a line that was lost once may be there again: what was staked is lost, and that is all. Free it
        must not be: who may take back a bet each time that the network goes away has more than one chance.
        """
        self.tally.voided += 1
        if seen.voided_by is VoidedBy.LINE:
            self.line = seen.void
        if seen.voided_by in (VoidedBy.RESTART, VoidedBy.OWN) or self.tally.voided > VOIDED:
            raise Ended(Suspect(seen.voided_by.value), f"this shows it: {seen.void!r}")

    def clean_connection(self) -> Script[None]:
        """Have a connection with nothing but working baselines on it. Raises :class:`NoBaseline` after all tries."""
        pause = FIRST_PAUSE * self.rule.hold
        for left in reversed(range(BASELINES)):
            seen = yield from self.run("baseline", StepConnection.CLEAN, Step(Do.BASELINE))
            if seen.all_answered and not seen.void:
                return
            if left:
                yield from self.run("pause", StepConnection.NONE, Step(Do.PAUSE, seconds=pause))
                pause *= 2
        raise NoBaseline

    def _count(self, plan: Plan, seen: Observation) -> None:
        tally = self.tally
        tally.seconds += seen.seconds
        tally.unheard += seen.unheard
        tally.baseline, tally.effect = seen.baseline or tally.baseline, seen.effect or tally.effect
        tally.void, tally.error = seen.void or tally.void, seen.error or tally.error
        tally.connections += seen.opened and plan.connection in (StepConnection.CLEAN, StepConnection.NEW)
        for step, done in zip(plan.steps, seen.done, strict=False):
            tally.packets += step.of if step.do is Do.FLIGHT else (step.do not in _NO_PACKETS) + step.chased
            tally.shams_answered += step.do is Do.SHAM and done.saw is Saw.ANSWERED
            tally.shams_refused += step.do is Do.SHAM and done.saw is Saw.REFUSED
        if seen.closed and plan.steps[len(seen.done) - 1].do is not Do.ACTION:
            self.ages.append(seen.age)
        if plan.connection is not StepConnection.NONE:
            self.unconnected += not seen.connected
            self.quiet += _quiet(plan, seen)


def shams(count: int, *, chased: bool = False) -> tuple[Step, ...]:
    """Return ``count`` allowed actions of the action's shape."""
    return (Step(Do.SHAM, chased=chased),) * count


def _quiet(plan: Plan, seen: Observation) -> float:
    """Return the seconds for which a plan's connection was made or there, up to its action or its end.

    Not what the plan took: the questions behind an end belong to it too, and then there is no connection. Where nothing
    was answered any more, nobody knows when the connection ended.
    """
    if seen.void or not seen.connected:
        return 0.0
    before = takewhile(lambda both: both[0].do is not Do.ACTION, zip(plan.steps, seen.done, strict=False))
    return seen.connecting + sum(done.seconds for _, done in before if done.saw is not Saw.NOTHING)
