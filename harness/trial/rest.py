"""Trials of REST authorisation: a call with a token in question, framed by the same call with the right one.

The calls differ in the token alone, so a refusal between two granted ones is the token's. Source: nRF Cloud REST API
reference, "JSON Web Token". UNCONFIRMED which status nRF Cloud sends for which fault of a token: 401, 403 and, for what
a device may not see, 404 count alike as denied; the evidence says which it was.
"""

from collections.abc import Callable

from harness.cloud import RestAnswer
from harness.errors import CloudUnreachable
from harness.trial.verdict import Outcome, Verdict

Call = Callable[[], RestAnswer]


class RestTrials:
    """``record`` gets every verdict."""

    def __init__(self, record: Callable[[Verdict], None]) -> None:
        self._record = record

    def call(self, action: str, call: Call, *, control: Call | None) -> Verdict:
        """Try ``call`` (``action`` in words). ``control``: the same with the right token; None: the call is right."""
        try:
            verdict = self._judge(action, call, control)
        except CloudUnreachable as error:
            verdict = Verdict(Outcome.CLOUD_LOST, action, str(error))
        self._record(verdict)
        return verdict

    def _judge(self, action: str, call: Call, control: Call | None) -> Verdict:
        before = control() if control else None
        if before is not None and not before.authorised:
            return Verdict(Outcome.INCONCLUSIVE, action, f"The same call with the right token was answered {before}.")
        answer = call()
        after = control() if control else None
        evidence = f"It was answered {answer}."
        if after is not None:
            evidence += f" The same call with the right token was answered {before} before and {after} after it."
            if not after.authorised:
                return Verdict(Outcome.INCONCLUSIVE, action, evidence)
        if answer.authorised:
            return Verdict(Outcome.AUTHORISED, action, evidence)
        denied = answer.status in (401, 403, 404)
        return Verdict(Outcome.DENIED if denied else Outcome.INCONCLUSIVE, action, evidence)
