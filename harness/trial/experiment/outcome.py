"""What an experiment found, with its numbers."""

from dataclasses import dataclass, field
from enum import StrEnum

from harness.trial.experiment.rule import PLACES
from harness.trial.judgement import Sentence


class Conclusion(StrEnum):
    """What was proved of the action."""

    TOLERATED = "tolerated"
    IGNORED = "ignored"
    POLICY_DISCONNECT = "policy disconnect"
    LATE_DISCONNECT = "policy disconnect (late)"
    ACKNOWLEDGED_THEN_CLOSED = "acknowledged, then hung up on"
    REFUSED_IN_SUBACK = "refused in SUBACK"
    REFUSED = "refused"  # a login or a call
    INCONCLUSIVE = "inconclusive"


class Suspect(StrEnum):
    """What kept an inconclusive verdict from being proved."""

    NETWORK = "network"
    PACKET_LIMIT = "packet limit"
    AGE_LIMIT = "age limit or duplicate client"
    BURST = "gone again"
    MIXED = "mixed"
    SWALLOWED = "swallowed"
    OBSERVER = "observer"
    LATE = "late, irregular"
    LATE_MIXED = "late, mixed"
    DELIVERED = "delivered before the hang-up"
    CONNECT = "connect"
    BUSY = "asked to try later"
    BUDGET = "budget"
    NETWORK_LOST = "network lost"
    MODEM_RESET = "modem reset"
    OWN_DISCONNECT = "own disconnect"
    UART_TROUBLE = "UART trouble"
    UNANSWERED = "unanswered"
    NO_PROOF_OF_SENDING = "nothing shows that a message was sent"


LINK_SUSPECTS = frozenset(
    {Suspect.NETWORK, Suspect.PACKET_LIMIT, Suspect.AGE_LIMIT, Suspect.BURST, Suspect.CONNECT, Suspect.NETWORK_LOST}
)
"""Suspects that are on the way to the cloud, and will be there at the next verdict too.

``UNANSWERED`` is none of them: it may be lines that got lost, and four such packets end a verdict soon.
"""


@dataclass(frozen=True, slots=True)
class ArmRecord:
    """One arm, for a reader. ``place``: of the action, from 1, of ``places``. ``wealth``: behind the bet on it."""

    place: int
    meaning: str
    delay: float
    stake: float
    wealth: float
    places: int = PLACES


@dataclass(slots=True)
class Tally:
    """What was done and what came of it, counted while the experiment runs."""

    hits: int = 0
    misses: int = 0
    lost: int = 0  # of the misses: gone before the action was sent
    stays: int = 0
    said_no: int = 0
    wealth: float = 1.0
    late_wealth: float = 1.0
    round_wealth: float = 1.0
    places: list[int] = field(default_factory=list)  # of the hits, counted from 1
    delays: list[float] = field(default_factory=list)  # of the hits
    ages: list[float] = field(default_factory=list)  # of the connections, at the hits
    idled: float = 0.0  # seconds that an idle connection was watched, because something else may have ended them
    one_age: bool = False  # those ages were alike
    late_delays: list[float] = field(default_factory=list)
    shams_answered: int = 0
    shams_refused: int = 0
    reasons: list[str] = field(default_factory=list)  # why a hang-up at the action was no hit
    delivered: int = 0
    unreached: int = 0  # hits whose message reached nobody, as far as somebody looked
    unheard: int = 0  # allowed packets without an answer, although what was sent behind them was answered
    voided: int = 0  # observations that were worthless: the network went away, or a line was lost
    void: str = ""  # the line that showed it last
    error: str = ""  # why a connection did not come up, the last time
    arms: list[ArmRecord] = field(default_factory=list)
    baseline: str = ""  # the allowed action that worked last
    effect: str = ""  # how the action's effect was looked for last
    rounds: int = 0
    attempts: int = 0
    wrong_refused: int = 0
    right_refused: int = 0
    waits: int = 0
    connections: int = 0
    packets: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """What one experiment found. ``one_in``: N of "chance of a coincidence below 1 in N"; 0: nothing is claimed."""

    conclusion: Conclusion
    sentences: tuple[Sentence, ...]
    tally: Tally
    suspect: Suspect | None = None
    one_in: int = 0

    @property
    def evidence(self) -> str:
        """The sentences as one paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)
