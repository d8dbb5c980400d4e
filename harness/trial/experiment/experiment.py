"""An experiment as a runner drives it: ask for the next plan, do it, hand in what was seen, until it stops."""

import random
from typing import Generic

from harness.trial.experiment.coin import login
from harness.trial.experiment.context import ExperimentContext, Script, Subject, T
from harness.trial.experiment.group import Grouping, group
from harness.trial.experiment.night import Night
from harness.trial.experiment.outcome import LINK_SUSPECTS, ExperimentResult, Suspect
from harness.trial.experiment.plan import Observation, Plan, Stop
from harness.trial.experiment.prompt_refusal import verdict
from harness.trial.experiment.rule import BREAKER, ExperimentRule


class Experiment(Generic[T]):
    """One experiment. ``next`` and ``take`` by turns; ``result`` after :class:`Stop`.

    >>> while isinstance(plan := experiment.next(), Plan):
    ...     experiment.take(do(plan))
    >>> experiment.result()
    """

    def __init__(self, script: Script[T]) -> None:
        self._script = script
        self._plan: Plan | None = None
        self._result: list[T] = []
        self._advance(None)

    @classmethod
    def of_action(
        cls, subject: Subject, rule: ExperimentRule, night: Night, draws: random.Random
    ) -> "Experiment[ExperimentResult]":
        """Is the board hung up on because of this publish, subscription or request?

        ``subject``: what is tried. ``rule``: the bound, the hold and so on. ``night``: what is remembered of the link.
        ``draws``: where chance comes from.
        """
        return Experiment(verdict(ExperimentContext(subject, rule, night, draws)))

    @classmethod
    def of_login(
        cls, subject: Subject, rule: ExperimentRule, night: Night, draws: random.Random, *, gives_up: bool = True
    ) -> "Experiment[ExperimentResult]":
        """Is this CONNECT, TLS session or REST call refused?

        ``subject``, ``rule``, ``night``, ``draws``: see :meth:`of_action`. ``gives_up``: stop when that cannot be
        proved any more.
        """
        return Experiment(login(ExperimentContext(subject, rule, night, draws), gives_up=gives_up))

    @classmethod
    def of_group(cls, count: int, rule: ExperimentRule, night: Night, draws: random.Random) -> "Experiment[Grouping]":
        """Which of ``count`` actions, all expected to be allowed, are tolerated?

        ``rule``, ``night``, ``draws``: see :meth:`of_action`.
        """
        return Experiment(group(ExperimentContext(Subject("a group of actions"), rule, night, draws), count))

    def next(self) -> Plan | Stop:
        """Return what to do now; the same again until something is taken."""
        return self._plan if self._plan is not None else Stop()

    def take(self, seen: Observation) -> None:
        """Hand in what came of the last plan. Raises ValueError where there was none, or it saw more than was asked."""
        if self._plan is None:
            raise ValueError("the experiment has stopped: it takes no more observations")
        if len(seen.done) > len(self._plan.steps):
            raise ValueError(f"{len(seen.done)} steps were seen, {len(self._plan.steps)} were asked for")
        self._advance(seen)

    def result(self) -> T:
        """Return what was found. Raises ValueError before the stop."""
        if not self._result:
            raise ValueError("the experiment is not over")
        return self._result[0]

    def _advance(self, seen: Observation | None) -> None:
        try:
            self._plan = next(self._script) if seen is None else self._script.send(seen)
        except StopIteration as stop:
            self._plan = None
            self._result.append(stop.value)


class Breaker:
    """Ends a board's run where the same trouble of the link kept several verdicts running from being proved."""

    def __init__(self) -> None:
        self._suspect: Suspect | None = None
        self._running = 0

    def take(self, result: ExperimentResult) -> Suspect | None:
        """Return the suspect when it is time to stop: the night would cost hours and prove nothing."""
        suspect = result.suspect if result.suspect in LINK_SUSPECTS else None
        self._running = self._running + 1 if suspect is self._suspect else 1
        self._suspect = suspect
        return suspect if suspect is not None and self._running >= BREAKER else None
