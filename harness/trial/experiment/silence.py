"""Is a hang-up at the action an answer to it, or something else that came while the cloud was silent?

A cloud that goes deaf at the action answers nothing any more, not even the chaser. Then the action's slot lasts as long
as the slowest answer may take, and a clock or a cut may end the connection within it. So if the hang-ups may come from
either, an idle connection is watched before a refusal is claimed.

A clock shows in the ages at the hang-ups: they were all one age. Cuts show in how long the hang-ups took, and in how
long the same experiment's connections stayed: cuts so frequent that they fell into four slots of at most so many
seconds would have ended other connections too.

Example: four hits, none later than 0.6 s. Cuts at a rate r fall into four such slots, and never into q quiet seconds,
with a chance of (1 - exp(-0.6 r))^4 * exp(-q r). Whatever r is, that is below 1 in 23,530 for q = 9.8 s. Without faults
four connections on LTE-M are quiet for 27 s, with connecting: one in twenty is watched. Four hits of up to 3 s want
49 s.
"""

import statistics
from functools import lru_cache
from math import comb, exp, log

from harness.trial.experiment.context import ExperimentContext, Script
from harness.trial.experiment.plan import Do, Step, StepConnection
from harness.trial.experiment.rule import ONE_AGE, WATCHED

_STEPS = 200
_RATES = [exp(log(1e-3) + log(1e5) * step / _STEPS) for step in range(_STEPS + 1)]
"""Cuts for each slot that are tried: from one in a thousand slots to a hundred in each."""
_TRIED = [(rate, 1 - exp(-rate)) for rate in _RATES]
"""With the chance that a slot is hit."""


def watched_idle(context: ExperimentContext) -> Script[bool]:
    """Watch the connection idle if the hang-ups may be a clock's or cuts. True: it stayed, or needed no watch."""
    tally = context.tally
    seconds = max(WATCHED * max(tally.ages) if one_age(tally.ages) else 0.0, quiet_missing(context))
    if seconds <= 0.0:
        return True
    tally.one_age = one_age(tally.ages)
    seen = yield from context.run("idle control", StepConnection.SAME, Step(Do.IDLE, seconds=seconds))
    tally.idled = seconds if seen.all_answered else 0.0
    return seen.all_answered


def one_age(ages: list[float]) -> bool:
    """Tell whether connections ended as if by a clock."""
    return statistics.pstdev(ages) < ONE_AGE * statistics.fmean(ages)


def quiet_missing(context: ExperimentContext) -> float:
    """Return the seconds that connections must still stay until the hits cannot be cuts; 0 or less: none.

    Any of the connections that came as far as the action could have been a hit, and there may be any number of ends
    elsewhere: each has its share of the bound.
    """
    tally = context.tally
    ends = len(context.ages) + context.unconnected
    came = tally.hits + tally.misses - tally.lost
    chance = share(ends) / (context.rule.wanted * comb(came, tally.hits))
    return max(tally.delays) * quiet_wanted(tally.hits, ends, chance) - context.quiet


def share(ends: int) -> float:
    """Return the part of the bound that is spent on so many ends elsewhere: 1/2, 1/6, 1/12 ..., in all one."""
    return 1 / ((1 + ends) * (2 + ends))


def coincidence(hits: int, ends: int, quiet: float) -> float:
    """Return the largest chance, over all rates of cuts, that they fell into ``hits`` slots, and so seldom elsewhere.

    ``ends``: of connections elsewhere; ``quiet``: the time elsewhere, in slots.
    """
    return max(chance**hits * _at_most(ends, rate * quiet) for rate, chance in _TRIED)


@lru_cache(maxsize=256)  # one takes milliseconds, and most experiments of a night ask for the same
def quiet_wanted(hits: int, ends: int, chance: float) -> float:
    """Return for how many slots connections must have stayed, so that ``hits`` by cuts have at most this ``chance``.

    ``ends``: of connections elsewhere.
    """
    low, high = 0.0, 1.0
    while coincidence(hits, ends, high) > chance:
        low, high = high, 2 * high
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if coincidence(hits, ends, middle) > chance else (low, middle)
    return high


def _at_most(number: int, mean: float) -> float:
    """Return the chance of at most ``number`` events where ``mean`` are expected (Poisson)."""
    term = total = exp(-mean)
    for count in range(1, number + 1):
        term *= mean / count
        total += term
    return total
