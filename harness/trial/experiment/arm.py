"""One arm, read: from what was seen of the steps around an action to what it means. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf

from harness.trial.experiment.plan import Do, Observation, Saw, Step
from harness.trial.experiment.rule import SLOWEST


class Meaning(StrEnum):
    """What one arm showed."""

    HIT = "hit"
    LOST = "lost"  # the connection ended before the action was sent
    NO_HIT = "no hit"  # it ended at the action, but not as a refusal would
    NOTHING = "nothing"  # neither answer nor end
    QUIET = "quiet"  # answered, the effect seen or not looked at, nothing afterwards
    NO_EFFECT = "no effect"  # answered, quiet, without effect
    SLOW = "slow"  # it ended at the action, unanswered, but later than any allowed action is answered
    LATE = "late"  # it ended after the action was answered, or after what was sent behind a silent one
    SAID_NO = "said no"  # SUBACK 0x80
    SWALLOWED = "swallowed"  # never answered, the fence was, and it stayed quiet


@dataclass(frozen=True, slots=True)
class Arm:
    """``delay``: seconds from the action to the end of the connection (LATE: from its answer, if it had one).

    ``because``: why a hang-up at the action is no hit. ``answered``: the action had an answer.
    """

    meaning: Meaning
    delay: float = 0.0
    answered: bool = False
    because: str = ""


def read_arm(steps: tuple[Step, ...], seen: Observation, floor: float, ceiling: float = inf) -> Arm:
    """Return what was ``seen`` of ``steps`` means.

    ``floor``: seconds below which nothing can be an answer; ``ceiling``: seconds above which an answer would have come.
    """
    if seen.void:
        return Arm(Meaning.NOTHING, because=f"it was worthless ({seen.void})")
    at = next(index for index, step in enumerate(steps) if step.do is Do.ACTION)
    if any(done.saw is Saw.REFUSED for done in seen.done[:at]):
        return Arm(Meaning.NOTHING, because="an allowed action of its shape was refused too")
    if len(seen.done) <= at:
        return Arm(Meaning.LOST if seen.closed else Meaning.NOTHING)
    action, after = seen.done[at], seen.done[at + 1 :]
    if action.saw is Saw.CLOSED:
        before = max((done.seconds for done in seen.done[:at]), default=0.0)
        return _hung_up(action.seconds, seen, floor, max(ceiling, SLOWEST * before))
    if action.saw is Saw.PASSED:
        return Arm(Meaning.LATE, action.seconds)
    if action.saw is Saw.REFUSED:
        return Arm(Meaning.SAID_NO)
    if action.saw not in (Saw.ANSWERED, Saw.SILENT):
        return Arm(Meaning.NOTHING)
    answered = action.saw is Saw.ANSWERED
    if seen.closed:
        delay = sum(done.seconds for done in after) + (0.0 if answered else action.seconds)
        return Arm(Meaning.LATE, delay, answered)
    if after and after[-1].saw is Saw.NOTHING:
        return Arm(Meaning.NOTHING)
    if not answered:
        return Arm(Meaning.SWALLOWED)
    if any(done.saw is Saw.UNSEEN for done in after):
        return Arm(Meaning.NO_EFFECT, answered=True)
    return Arm(Meaning.QUIET, answered=True)


def _hung_up(seconds: float, seen: Observation, floor: float, ceiling: float) -> Arm:
    """Every condition here can only take a hit away, so none of them can make a false one more likely.

    Above the ceiling the action's slot would be longer than a sham's, and a cut at random would fall into it more often
    than the odds are for.
    """
    because = ""
    if not seen.as_remote:
        because = "that is not how a hang-up by the other side shows"
    elif seconds < floor:
        because = f"{seconds:.3g} s is sooner than a round trip can be ({floor:.3g} s)"
    elif seen.reached:
        because = "the message was delivered"
    elif seconds > ceiling:
        because = f"{seconds:.3g} s is later than any answer so far ({ceiling:.3g} s at most)"
        return Arm(Meaning.SLOW, seconds, because=because)
    return Arm(Meaning.NO_HIT if because else Meaning.HIT, seconds, because=because)
