"""How many places an action may stand at: fewer, where connections do not live long enough for twelve.

Something in between may end each connection at its eighth packet. A sham and its chaser are two, so an action at one of
the places behind the fourth is never sent, and eight bets of twelve are lost. If it stands at one of the first four, it
is sent each time. A hit pays only 4 for 1 then, and seven of them are needed.

The bound stays: the number is chosen from what earlier connections showed, before the place is drawn, and whatever
cannot see the action meets it at one of ``count`` places at most.

Two connections that ended in the same slot before the action was sent make a limit. It is remembered for the night,
which steers and proves nothing: the next verdict tries all places again for a small stake, and one such end, not two,
brings it back. A connection that lives longer shows that it is gone.
"""

from harness.trial.experiment.night import Night
from harness.trial.experiment.plan import Do, Observation, Saw, Step
from harness.trial.experiment.rule import PLACES, STAKES
from harness.trial.experiment.wealth import kelly

_SLOTS = {Do.SHAM, Do.ACTION}


class ActionPlaces:
    """The places of one verdict. ``count``: to draw the next one from."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._lost: list[int] = []  # slots in which connections ended before the action was sent
        self.count = PLACES

    @property
    def stake(self) -> float:
        """The part of the wealth to bet on the next hit."""
        if self._night.limit and self.count == PLACES:
            return STAKES[0]
        return kelly(self._night.lost, self._night.shams, self.count, self.count)

    def take(self, steps: tuple[Step, ...], seen: Observation) -> None:
        """Take in what came of a connection."""
        night, last = self._night, len(seen.done) - 1
        if last < 0 or seen.void:
            return
        slot = sum(step.do in _SLOTS for step in steps[: last + 1]) - 1  # what follows the action has no slot
        if seen.done[last].saw is Saw.CLOSED and steps[last].do is Do.SHAM:
            again = self._lost[-1:] == [slot] and 2 * self._lost.count(slot) >= len(self._lost)
            self._lost.append(slot)
            if slot and (again or slot == night.limit):
                night.limit, self.count = slot, slot + 1
                night.lost -= min(night.lost, 1 + again)  # lost to the limit, and not to chance
                return
            self.count = PLACES  # not to the limit, if there is one
        if slot > night.limit:
            night.limit = 0  # it lived longer
