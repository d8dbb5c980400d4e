"""Attempts at a trial: each is run, judged from its events on the timeline, and the judgement is written there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from harness.errors import LabError
from harness.timeline import Kind, Timeline
from harness.trial.facts import Facts, Sort
from harness.trial.facts_of import facts_of
from harness.trial.judge import VERSION, Judgement, judge
from harness.trial.phases import SOURCE, Phase, PhaseLog
from harness.trial.verdict import LAB_OUTCOMES, Outcome, Verdict

MAX_ATTEMPTS: Final = 2
"""An inconclusive trial is run once more; the count stands in the verdict."""

_AGAIN = frozenset({Outcome.INCONCLUSIVE, Outcome.NETWORK_LOST})


@dataclass(frozen=True, slots=True)
class TrialSubject:
    """What is tried: the action in words, its sort, and what the policy documents say of it.

    ``difference``: how a CONNECT differs from the right one. ``most``: attempts.
    """

    action: str
    sort: Sort
    policy: str = ""
    difference: str = ""
    most: int = field(default=MAX_ATTEMPTS)


class Attempts:
    """Runs attempts and records their verdict.

    ``check`` raises LabError when a process or port behind the trial is known to be dead; it is asked when nothing was
    proved. ``record`` gets every verdict.
    """

    def __init__(self, timeline: Timeline, check: Callable[[], None], record: Callable[[Verdict], None]) -> None:
        self._timeline = timeline
        self._check = check
        self._record = record

    def run(self, subject: TrialSubject, act: Callable[[PhaseLog], None]) -> Verdict:
        """Call ``act`` until something is proved, at most ``subject.most`` times, and return the last verdict."""
        trial = self._timeline.mark()
        for attempt in range(1, subject.most + 1):
            verdict = self._attempt(subject, act, trial, attempt)
            if verdict.outcome not in _AGAIN:
                break
        self._record(verdict)
        return verdict

    def _attempt(self, subject: TrialSubject, act: Callable[[PhaseLog], None], trial: int, attempt: int) -> Verdict:
        log = PhaseLog(self._timeline, trial=trial, attempt=attempt)
        about = {"action": subject.action, "sort": subject.sort, "policy": subject.policy}
        text = f"attempt {attempt}: {subject.action}"
        with log.phase(Phase.ATTEMPT, text, **about, difference=subject.difference):
            try:
                act(log)
            except LabError as error:
                log.trouble(error)
            self._look_for_dead(log)
        facts = facts_of(log.events())
        judgement = judge(facts)
        self._write(log, facts, judgement)
        note = partial(self._expected, judgement.outcome)
        return Verdict(judgement.outcome, subject.action, judgement.evidence, attempt, facts.effect, note)

    def _look_for_dead(self, log: PhaseLog) -> None:
        """If nothing was proved and nothing restarted, check whether a process or a port is gone."""
        if judge(facts_of(log.events())).outcome in LAB_OUTCOMES:
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
        }
        self._timeline.add(Kind.FACTS, SOURCE, text, **log.number, **data)

    def _expected(self, got: Outcome, wanted: Sequence[Outcome]) -> None:
        text = f"expected {' or '.join(wanted)}, got {got}"
        self._timeline.add(Kind.EXPECT, SOURCE, text, wanted=list(wanted), got=got)
