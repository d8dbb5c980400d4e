"""Attempts at a trial: each is run, judged from its events on the timeline, and the judgement is written there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from harness.errors import LabError
from harness.timeline import Event, Kind, Timeline
from harness.trial.attempt_facts import facts_of
from harness.trial.facts import Facts, Sort
from harness.trial.judge import VERSION, judge
from harness.trial.judgement import Judgement
from harness.trial.phases import SOURCE, Phase, PhaseLog, attempt_of
from harness.trial.verdict import LAB_OUTCOMES, Outcome, Verdict

MAX_ATTEMPTS: Final = 2
"""A trial that the lab's trouble ended before anything was staked is run once more; the count stands in the verdict."""


@dataclass(frozen=True, slots=True)
class TrialSubject:
    """What is tried: the action in words, its sort, and what the policy documents say of it.

    ``difference``: how a CONNECT differs from the right one. ``most``: attempts. ``experiment``: what it begins with.
    ``group``: the number of the group's trial that its verdict is from.
    """

    action: str
    sort: Sort
    policy: str = ""
    difference: str = ""
    most: int = field(default=MAX_ATTEMPTS)
    experiment: Callable[[], Mapping[str, Any]] | None = None
    group: int | None = None


class Acting:
    """What an attempt leaves beside its events: ``finish`` makes the experiment's judgement of the attempt's events.

    ``staked``: an experiment had begun to draw. Whoever may begin anew then, because the lab got into trouble, would
    have more than one chance. ``proved``: the experiment proved something; ``accepted``: that the action is not
    refused. ``effect``: whether the action's effect was seen; None: nobody could look.
    """

    def __init__(self) -> None:
        self.finish: Callable[[Sequence[Event]], Judgement] | None = None
        self.staked = False
        self.proved = False
        self.accepted = False
        self.effect: bool | None = None


class Attempts:
    """Runs attempts and records their verdict.

    ``timeline``: where they are written. ``check`` raises LabError when a process or port behind the trial is known to
    be dead; it is asked when nothing was proved. ``record`` gets every verdict.
    """

    def __init__(self, timeline: Timeline, check: Callable[[], None], record: Callable[[Verdict], None]) -> None:
        self._timeline = timeline
        self._check = check
        self._record = record

    def run(self, subject: TrialSubject, act: Callable[[PhaseLog, Acting], None]) -> Verdict:
        """Call ``act`` until something is proved, at most ``subject.most`` times, and return the last verdict."""
        trial = self._timeline.mark()
        for attempt in range(1, subject.most + 1):
            acting = Acting()
            verdict, again = self._attempt(subject, act, acting, PhaseLog(self._timeline, trial=trial, attempt=attempt))
            if not again:
                break
        self._record(verdict)
        return verdict

    def _attempt(
        self, subject: TrialSubject, act: Callable[[PhaseLog, Acting], None], acting: Acting, log: PhaseLog
    ) -> tuple[Verdict, bool]:
        attempt = log.number["attempt"]
        about: dict[str, Any] = {"action": subject.action, "sort": subject.sort, "policy": subject.policy}
        if subject.experiment is not None:
            about["experiment"] = subject.experiment()
        if subject.group is not None:
            about["group"] = subject.group
        text = f"attempt {attempt}: {subject.action}"
        with log.phase(Phase.ATTEMPT, text, **about, difference=subject.difference):
            try:
                act(log, acting)
            except LabError as error:
                log.trouble(error)
            self._look_for_dead(log, acting)
        events = attempt_of(log.events())
        facts = facts_of(events)
        judgement = self._judged(facts, acting, events)
        self._write(log, facts, judgement)
        note = partial(self._expected, judgement.outcome)
        verdict = Verdict(judgement.outcome, subject.action, judgement.evidence, attempt, acting.effect, note)
        return verdict, self._again(facts, judgement, acting)

    @staticmethod
    def _judged(facts: Facts, acting: Acting, events: Sequence[Event]) -> Judgement:
        return judge(facts, None if facts.trouble or acting.finish is None else acting.finish(events))

    @staticmethod
    def _again(facts: Facts, judgement: Judgement, acting: Acting) -> bool:
        """Tell whether to begin anew: trouble or nothing at all, before anything was staked."""
        unproved = judgement.outcome in (Outcome.INCONCLUSIVE, Outcome.NETWORK_LOST)
        return unproved and not acting.staked and (facts.trouble is not None or acting.finish is None)

    def _look_for_dead(self, log: PhaseLog, acting: Acting) -> None:
        """If nothing was proved and nothing restarted, check whether a process or a port is gone."""
        if acting.proved:
            return
        events = log.events()
        if self._judged(facts_of(events), acting, events).outcome in LAB_OUTCOMES:
            try:
                self._check()
            except LabError as error:
                log.trouble(error, dead=True)

    def _write(self, log: PhaseLog, facts: Facts, judgement: Judgement) -> None:
        text = f"verdict: {judgement.outcome}. {judgement.evidence}"
        data = {
            "judge": VERSION,
            "facts": facts.as_data(),
            "outcome": judgement.outcome,
            "sentences": [sentence.as_data() for sentence in judgement.sentences],
            **judgement.numbers,
        }
        self._timeline.add(Kind.FACTS, SOURCE, text, **log.number, **data)

    def _expected(self, got: Outcome, wanted: Sequence[Outcome]) -> None:
        text = f"expected {' or '.join(wanted)}, got {got}"
        self._timeline.add(Kind.EXPECT, SOURCE, text, wanted=list(wanted), got=got)
