"""The outcomes of trials, and how a verdict is turned into pass or fail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.errors import LabError, Party, Refusal


class Outcome(StrEnum):
    """What a trial showed."""

    TOLERATED = "tolerated"
    IGNORED = "ignored"  # the connection stayed, yet the action had no effect: neither allowed nor punished
    POLICY_DISCONNECT = "policy disconnect"
    LATE_DISCONNECT = "policy disconnect (late)"  # without an answer, each time as long after the action
    ACKNOWLEDGED_THEN_CLOSED = "acknowledged, then hung up on"
    REFUSED_IN_SUBACK = "refused in SUBACK"
    REFUSED_AT_CONNECT = "refused at connect"
    REFUSED_IN_TLS = "refused in TLS"
    AUTHORISED = "authorised"  # REST
    DENIED = "denied"  # REST
    NOTHING_ALLOWED = "nothing allowed"  # accepted, and hung up on whatever the documents allow
    MODEM_RESET = "modem reset"
    NETWORK_LOST = "network lost"
    BOARD_LOST = "board lost"
    CLOUD_LOST = "cloud lost"
    INCONCLUSIVE = "inconclusive"


LAB_OUTCOMES = frozenset({Outcome.NETWORK_LOST, Outcome.BOARD_LOST, Outcome.CLOUD_LOST, Outcome.INCONCLUSIVE})
"""Outcomes that say nothing about the product: the lab's business, errors in a report."""


# Every other outcome is the cloud's decision, proved by the trial.
_POINTS_AT = {
    Outcome.MODEM_RESET: Party.MODEM,
    Outcome.NETWORK_LOST: Party.RADIO,
    Outcome.BOARD_LOST: Party.LAB,
    Outcome.CLOUD_LOST: Party.CLOUD,
    Outcome.INCONCLUSIVE: Party.UNCLEAR,
}


class WrongVerdict(Refusal):
    """The outcome is proved and is not the expected one: the product's misbehaviour."""


class Unproved(LabError):
    """The lab kept the trial from being proved: network, board, cloud, or evidence that does not hold together."""


def _nobody_notes(_wanted: Sequence[Outcome]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome with its evidence in one paragraph. ``attempts``: how often the trial was run to get it.

    ``effect``: whether the effect of a publish or subscription was seen; None: nobody could look.
    ``note``: gets the expected outcomes when a test names them.
    """

    outcome: Outcome
    action: str
    evidence: str
    attempts: int = 1
    effect: bool | None = None
    note: Callable[[Sequence[Outcome]], None] = field(default=_nobody_notes, compare=False, repr=False)

    def expect(self, *wanted: Outcome) -> "Verdict":
        """Return self when the outcome is ``wanted``. Raises WrongVerdict, or Unproved for the lab's outcomes."""
        __tracebackhide__ = True
        self.note(wanted)
        if self.outcome in wanted:
            return self
        names = " or ".join(wanted)
        message = f"expected {names}, got {self.outcome}: {self.action}. {self.evidence}"
        error = (Unproved if self.outcome in LAB_OUTCOMES else WrongVerdict)(message)
        error.party = _POINTS_AT.get(self.outcome, Party.CLOUD)
        raise error

    def __str__(self) -> str:
        tries = f" (attempt {self.attempts})" if self.attempts > 1 else ""
        return f"{self.action}: {self.outcome}{tries}. {self.evidence}"
