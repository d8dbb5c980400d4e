"""Trials of REST authorisation: a call with a token in question, between two calls with the right one.

The calls differ in the token alone, so a refusal between two granted calls is due to the token. Source: nRF Cloud REST
API reference, "JSON Web Token".
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from harness.cloud import RestAnswer
from harness.timeline import Timeline
from harness.trial.attempts import Attempts, TrialSubject
from harness.trial.facts import Reply, Sort
from harness.trial.phases import Phase, PhaseLog
from harness.trial.verdict import Verdict

MakeCall = Callable[[], RestAnswer]


@dataclass(frozen=True, slots=True)
class Call:
    """A call, in words, and the same with the right token; ``control`` None: the call is right."""

    action: str
    call: MakeCall
    control: MakeCall | None

    def act(self, log: PhaseLog) -> None:
        """Make the calls; none with the token in question where the right one is refused."""
        if self.control is not None and not self._made(log, Phase.BASELINE, self.control).authorised:
            return
        self._made(log, Phase.ACTION, self.call)
        if self.control is not None:
            self._made(log, Phase.AFTER, self.control)

    @staticmethod
    def _made(log: PhaseLog, name: Phase, call: MakeCall) -> RestAnswer:
        with log.phase(name) as found:
            answer = call()
            found |= asdict(Reply(answer.status, answer.authorised, str(answer)))
        return answer


class RestTrials:
    """``timeline``: where they are written. ``record`` gets every verdict."""

    def __init__(self, timeline: Timeline, record: Callable[[Verdict], None]) -> None:
        self._attempts = Attempts(timeline, lambda: None, record)

    def call(self, action: str, call: MakeCall, *, control: MakeCall | None) -> Verdict:
        """Try ``call`` (``action`` in words). ``control``: the same with the right token; None: the call is right."""
        return self._attempts.run(TrialSubject(action, Sort.CALL, most=1), Call(action, call, control).act)
