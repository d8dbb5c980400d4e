"""What ends the connections if it was not the action: idle windows and runs of shams find out, by turns.

Nothing is staked on it: it names a suspect for the reader, and proves nothing.
"""

import statistics
from dataclasses import dataclass

from harness.trial.experiment.context import ExperimentContext, Script, shams
from harness.trial.experiment.outcome import Suspect
from harness.trial.experiment.plan import Do, Observation, Step, StepConnection
from harness.trial.experiment.rule import LONGEST_WINDOW, RUN_LENGTH, UNHEARD, WINDOWS

_SPREAD = 0.3
"""Standard deviation of ages, as a part of their mean, up to which they count as the same age."""


@dataclass(frozen=True, slots=True)
class Controls:
    """What came of the windows and runs. ``ages``: of all connections that ended, except at the action."""

    idle: tuple[Observation, ...]
    runs: tuple[Observation, ...]
    ages: tuple[float, ...]

    def name(self) -> tuple[Suspect, str]:
        """Return the suspect, and what speaks for it."""
        both = (*self.idle, *self.runs)
        unconnected = sum(not seen.connected for seen in both)
        if unconnected >= 2:
            return Suspect.NETWORK, f"{unconnected} of {len(both)} connections did not come up"
        idle = [seen for seen in self.idle if seen.closed]
        runs = [seen for seen in self.runs if seen.closed]
        packets = ", ".join(str(seen.packets) for seen in runs)
        if not idle and len(runs) >= 2:
            return Suspect.PACKET_LIMIT, f"idle connections stayed; {len(runs)} busy ones ended at packet {packets}"
        if len(idle) == len(self.idle):
            if statistics.pstdev(self.ages) < _SPREAD * statistics.fmean(self.ages):
                ages = ", ".join(f"{age:.3g}" for age in self.ages)
                return Suspect.AGE_LIMIT, f"every connection ended, idle or busy, at the age of {ages} s"
            if len(runs) == len(self.runs) and len({seen.packets for seen in (*idle, *runs)}) == 1:
                return Suspect.PACKET_LIMIT, f"every connection ended at packet {idle[0].packets}"
        if idle or runs:
            text = f"{len(idle)} of {len(self.idle)} idle connections ended, {len(runs)} of {len(self.runs)} busy ones"
            return Suspect.NETWORK, text
        return Suspect.BURST, f"{len(both)} connections without the action stayed: whatever it was is gone again"


def find_suspect(context: ExperimentContext) -> Script[tuple[Suspect, str]]:
    """Run the controls and name the suspect."""
    idle, runs = [], []
    window = max(context.rule.hold, min(24 * context.night.round_trip, LONGEST_WINDOW))
    for _ in range(WINDOWS):
        quiet = Step(Do.IDLE, seconds=window)
        idle.append((yield from context.run("idle control", StepConnection.NEW, Step(Do.BASELINE), quiet)))
        busy = shams(RUN_LENGTH)
        runs.append((yield from context.run("busy control", StepConnection.NEW, Step(Do.BASELINE), *busy)))
    found, text = Controls(tuple(idle), tuple(runs), tuple(context.ages)).name()
    # Nothing ended a connection, and answers were missing all the same.
    if found is Suspect.BURST and context.tally.unheard >= UNHEARD[0]:
        return context.unanswered
    return found, text
