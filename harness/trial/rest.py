"""Trials of REST authorisation: calls with a token in question, by turns with the right one.

The calls differ in the token alone, so a refusal of the one and not of the other is due to the token. A call that is
right has none to be compared with: it is refused only if the API says so twice, in its own words. Source: nRF Cloud
REST API reference, "JSON Web Token".
"""

import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Final

from harness.cloud import RestAnswer
from harness.timeline import Timeline
from harness.trial.attempts import Acting, Attempts, TrialSubject
from harness.trial.experiment import ExperimentRule, Night, Subject
from harness.trial.facts import Sort
from harness.trial.judge import ALONE, refused_in_words
from harness.trial.phases import Phase, PhaseLog
from harness.trial.verdict import Verdict
from harness.trial.wire.carried_experiment import Setup, carry_out
from harness.trial.wire.experiment_verdict import judged
from harness.trial.wire.login_runner import CallRunner, reply_of

_MOST_CALLS: Final = 4
_FIRST_PAUSE: Final = 0.25  # seconds; doubles each time: what answers in place of the API does so for a while

MakeCall = Callable[[], RestAnswer]


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class RestTrials:
    """``timeline``: where they are written. ``record`` gets every verdict. ``rule``: the bound and so on.

    ``pause``: lets seconds pass.
    """

    def __init__(
        self,
        timeline: Timeline,
        record: Callable[[Verdict], None],
        rule: ExperimentRule | None = None,
        pause: Callable[[float], None] = _pause,
    ) -> None:
        self._attempts = Attempts(timeline, lambda: None, record)
        self._rule = rule or ExperimentRule()
        self._pause = pause
        self._night = Night()

    def call(self, action: str, call: MakeCall, *, control: MakeCall | None) -> Verdict:
        """Try ``call`` (``action`` in words). ``control``: the same with the right token; None: the call is right."""
        if control is None:
            return self._attempts.run(TrialSubject(action, Sort.CALL, most=1), partial(_alone, call, self._pause))
        subject = Subject(action, "the same call with the right token", "token")
        setup = partial(Setup, "login", subject, self._rule, self._night)

        def act(log: PhaseLog, acting: Acting) -> None:
            carried = carry_out(setup(), CallRunner(log, call, control, self._pause).do)
            acting.finish = partial(judged, carried)

        return self._attempts.run(TrialSubject(action, Sort.CALL, most=1, experiment=lambda: setup().as_data()), act)


def _alone(call: MakeCall, pause: Callable[[float], None], log: PhaseLog, _acting: Acting) -> None:
    """Make a call that is right, until it is granted, or refused often enough; at most :data:`_MOST_CALLS` times."""
    refused = 0
    for number in range(_MOST_CALLS):
        if number:
            pause(_FIRST_PAUSE * 2 ** (number - 1))
        with log.phase(Phase.ACTION) as found:
            answer = reply_of(call())
            found |= asdict(answer)
        refused += refused_in_words(answer)
        if answer.authorised or refused >= ALONE:
            return
