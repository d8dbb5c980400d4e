"""The betting martingale: how a few hits bound the chance of a coincidence, however one stops.

Begin with wealth 1. Before each arm stake a part ``c`` of it on "the broker hangs up exactly at the action". Odds are
fair for chance: whoever cannot know the place is right 1 time in 12, so a hit pays 12 times the stake:

    wealth * (1 - c + 12 c)   after a hit
    wealth * (1 - c)          after anything else

If the action has no influence, the expected wealth stays what it was: 1/12 (1 - c + 12c) + 11/12 (1 - c) = 1. Wealth
that cannot grow on average seldom becomes large at any time: P(it ever reaches x) <= 1/x (Ville's inequality). So one
may look after every arm, stop when the wealth is large, and go on when it is not.

Misses must cost. If "it died before the action, try again" were free, a broker that always closes at the second packet
would be tried until the action stands second, and would then hit every time.

Example: c = 0.93. Four hits: (0.07 + 12 * 0.93)^4 = 11.23^4 = 15,900 > 11,765, the wealth that 0.85e-4 asks for. One
miss among them: 15,900 * 0.07 = 1,113; a fifth hit: 12,500. Source: Ville (1939); Shafer, Testing by betting (2021).
"""

from fractions import Fraction
from typing import TypeVar

from harness.trial.experiment.rule import PLACES, STAKES

Number = TypeVar("Number", float, Fraction)


def bet(wealth: Number, hit: bool, *, stake: Number, odds: Number) -> Number:
    """Return the wealth after one bet of ``stake`` (a part, 0..1) that pays ``odds`` times what was staked.

    ``wealth``: before it. ``hit``: whether the bet was won.

    Fair where P(hit) <= 1/odds under chance; exact for fractions, which the tests of fairness use.
    """
    return wealth * (1 - stake + stake * odds) if hit else wealth * (1 - stake)


def kelly(lost: int, shams: int, odds: int = PLACES, places: int = PLACES) -> float:
    """Return the stake that lets wealth grow fastest, if a refused action is always hung up on.

    Then an arm misses only where one of the shams before the action (6.5 on average, with half of the action's own
    slot) is lost to something else. ``lost`` of ``shams`` were so far tonight, and Beta(0.5, 50) is believed before:
    h = 0.01 at first, q = 0.99^6.5 = 0.937, c = (12 * 0.937 - 1)/11 = 0.931. A wrong h costs power, never validity.
    ``places``: that the action may stand at; fewer have fewer shams before it. ``odds``: how many times the stake a hit
    pays.
    """
    hazard = (lost + 0.5) / (shams + 50)
    alive: float = (1 - hazard) ** ((places + 1) / 2)
    low, high = STAKES
    return min(high, max(low, (odds * alive - 1) / (odds - 1)))


def one_in(wealth: float, share: float) -> int:
    """Return N of "a coincidence has a chance below 1 in N": ``share`` of the bound belongs to this wealth."""
    return int(wealth * share)
