"""The numbers of the rule, each with its reason.

The rule in one paragraph: on a fresh connection an allowed action works (the baseline). Then the action is put at one
of :data:`PLACES` places, drawn at random after the baseline worked; allowed actions of the same shape (shams) stand at
the places before it. The broker either hangs up exactly at the action, before answering it (a hit), or it does not.
What cannot see which packet is the action cannot know the place, so it hits with probability 1/12 at most, whatever it
is: a clock, a packet counter, a second client, a bad network. Four hits in four connections are below 1 in 20,000.
"""

from dataclasses import asdict, dataclass
from typing import Any

from harness.errors import Misuse

PLACES = 12
"""Places that the action may stand at.

k hits prove 1/PLACES^k. More places cost packets, fewer cost connections: (7 places, 5 hits), (12, 4) and (24, 3) take
about the same time on LTE-M and NB-IoT. 12 rather than 11, so that four hits still suffice after some lost shams.
"""

ARMS = 20
"""Connections that one verdict may use up. Without faults it needs four.

Where each packet is cut with 5 %, half of the connections end before the action. With 12 connections a third of the
verdicts stayed inconclusive, with 20 a twentieth. More would only lengthen hopeless trials.
"""

BASELINES = 6
"""Tries to get a connection on which the baseline works. They cost nothing, because the place is not drawn yet."""

FIRST_PAUSE = 1 / 12
"""Pause after the first failed baseline, as a part of the hold; it doubles each time: 1, 2, 4, 8, 16 s for 12 s.

Most trouble comes in bursts, and what is waited for costs no stake. On a link with 20 bad seconds in each 120 (a cut
each 0.3 s, LTE-M) this took inconclusive verdicts from 32 % to below 1 %.
"""

UNHEARD = 2, 4
"""Allowed packets without an answer, although what was sent behind them was answered: so many make that the
suspect, if nothing else is one; so many end the verdict. Lines got lost, or the cloud throttles: nobody can tell.
"""

VOIDED = 1
"""Times that the network may go away, or a line of the board be lost, during one verdict.

What was staked then is lost; the second time ends it.
"""

PROMPT_SHARE, LATE_SHARE, IGNORED_SHARE = 0.85, 0.09, 0.06
"""Shares of the error bound: for hang-ups before the answer, for late ones, and for "ignored".

One verdict may go from the first experiment to each of the others, so the three bounds add up (union bound), to 1.
They are chosen so that four hits, five late ones and five rounds suffice, and a fifth hit makes up for one miss.
"""

STAKES = (0.3, 0.99)
"""Smallest and largest part of the wealth that is staked. 1 would lose everything at the first accident."""

FUTILE_AFTER = 6
"""Arms before giving up early: when hits in all arms that are left could no longer reach the bound."""

LATEST, WATCHED = 12.0, 1.5
"""Seconds that a refusal may be late, with some to spare; and how much longer than a late hang-up took the next one is
waited for."""

ONE_AGE = 0.2
"""Standard deviation of the ages at which connections were hung up on, as a part of their mean, below which they may
have been one age. Without a clock that is so in one verdict of ten, and costs some seconds of waiting."""

FLOOR = 0.8
"""A hang-up sooner than this share of the smallest round trip so far cannot be an answer to the action.

Not a share of the connection's own baseline: on LTE-M that one is as random as the answer. Of the round trip behind the
board's serial line: at 115200 baud an allowed publish with its payload takes 16 ms there, and ``AT#XMQTTSUB="#",1`` 2.
"""

FLOOR_SAMPLES = 10
"""Round trips that must be known before the floor means anything."""

SLOWEST = 1.2
"""An answer may take this much longer than the slowest one lately."""

MEDIANS, FIRST_MEDIANS = 3, 10
"""And this many typical round trips; the second, while fewer than FLOOR_SAMPLES are known."""

FORGET = 0.998
"""What each round trip leaves of the slowest one, so that one bad minute does not lengthen all slots of a night."""

SUBACK_PAUSE = 1.0
"""Seconds before a refused SUBSCRIBE is tried once more: AWS IoT takes one CONNECT a second for each client id."""

LATE_ARMS = 14
"""Connections for late actions. Without faults five suffice; what ends before the action only costs its stake."""
LATE_MISSES = 2
"""Hang-ups behind the action at another time than the ones before: then they come at no certain time."""
LATE_WINDOWS = 11
"""The idle time before a late action is drawn over 11 windows, so a clock hits the expected one with 1/11 at most."""
LEAST_WINDOW = 0.02
"""Seconds around the expected delay in which a late hang-up counts at least: a busy computer reads its line late."""
LATE_STAKE = 0.94
"""The most that is staked; less where shams were lost.

Five hits: (1 - 0.94 + 0.94 * 11)^5 = 121,665, above the 111,111 that its share of the bound needs.
"""

ROUNDS = 16
"""Rounds of messages. Five suffice; an observer that loses a third of the messages needs twelve."""
ROUND_STAKE = 0.95
"""One missing message of twelve, and it is the action's: x 11.45. Five such rounds: 196,801, above 166,667."""

COIN_STAKE = 0.95
COIN_ATTEMPTS = 26
"""Attempts that one verdict on a login may use up; without faults it needs fourteen.

It gives up earlier, when no bets that are left could reach the bound: with 1e-4 after the third that was lost.
"""
COIN_LAST_TRIES = 4
"""Attempts of the login in question alone behind that: it cannot be proved refused any more, but it may be let in.

A link that fails each second attempt hides an accepted login in 1 of 100 verdicts then; without them it was 1 of 8.
"""
COIN_WRONG_LOGINS = 3
"""Wrong logins that must have been refused: a coin that shows "right login" 14 times must not prove anything."""
COIN_WAITS = 6
"""Answers of the kind "try later" (HTTP 429 and 5xx) that are waited for; they are never a refusal."""

WINDOWS = 3
"""Idle windows, and runs of shams, by turns, to name what ends connections."""
RUN_LENGTH = 24
LONGEST_WINDOW = 40.0

FIRST_PATIENCE = 30.0
"""Seconds to wait for an answer while no round trip is known yet."""

LEAST_CEILING = 0.05
"""Seconds in which an answer may come at least: a busy computer answers so late on loopback. The ceiling matters only
where the cloud goes deaf at the action: where it answers what comes behind, the chaser's answer ends the slot."""
LEAST_PATIENCE = 0.25
"""Seconds to wait for an answer at least. A busy computer answers late, and behind a fence nobody can say what a PUBACK
is for: some firmwares report it without its id."""

STRICTEST, LOOSEST = 1e-7, 0.5
"""Bounds that make sense. A stricter one would need more connections, and more attempts, than an experiment may use."""

BREAKER = 3
"""Verdicts in a row with the same suspect after which the board's run ends: the fault will not go away by itself."""


@dataclass(frozen=True, slots=True)
class ExperimentRule:
    """What a user may choose.

    ``confidence``: bound on the chance that a verdict "refused" is a coincidence.
    ``hold``: seconds that a connection is watched after an answered action; a refusal that comes later is not seen.
    ``group``: actions expected to be allowed that share one connection and one hold.
    ``budget``: seconds of link time that one verdict may take (None: no limit). Stopping early is always valid, because
    the bound holds at any time; what is not proved by then is inconclusive.
    """

    confidence: float = 1e-4
    hold: float = 12.0
    group: int = 10
    budget: float | None = None

    def __post_init__(self) -> None:
        if not STRICTEST <= self.confidence <= LOOSEST:
            raise Misuse(
                f"confidence {self.confidence:g}: give a bound from {STRICTEST:g} to {LOOSEST:g}, such as 1e-4"
            )
        if not self.hold > 0:
            raise Misuse(f"hold {self.hold:g}: give the seconds that a connection is watched after an answer, above 0")
        if self.group < 1:
            raise Misuse(f"group {self.group}: give the number of actions that share a connection, from 1")
        if self.budget is not None and not self.budget > 0:
            raise Misuse(f"budget {self.budget:g}: give the seconds that a verdict may take, above 0, or none")

    @property
    def wanted(self) -> float:
        """Wealth that proves a hang-up before the answer: 1/(0.85 * 1e-4) = 11,765."""
        return 1 / (PROMPT_SHARE * self.confidence)

    @property
    def wanted_late(self) -> float:
        """Wealth that proves a hang-up after the answer: 1/(0.09 * 1e-4) = 111,111."""
        return 1 / (LATE_SHARE * self.confidence)

    @property
    def wanted_ignored(self) -> float:
        """Wealth that proves that an action is ignored: 1/(0.06 * 1e-4) = 166,667."""
        return 1 / (IGNORED_SHARE * self.confidence)

    @property
    def wanted_alone(self) -> float:
        """Wealth where there is nothing to share the bound with, for logins and calls: 1/1e-4."""
        return 1 / self.confidence

    def as_data(self) -> dict[str, Any]:
        """Return it ready for JSON; its fields make it again."""
        return asdict(self)
