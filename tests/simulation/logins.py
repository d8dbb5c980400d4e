"""A board's own login on a simulated link: what disturbs it, and what it is compared with.

An attempt is a session with packets out and, if the cloud answers, one in. A fault ends sessions by their age, by what
is sent or by what comes, now and then, or by turns; which of the two an attempt is it cannot see.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from harness.trial.experiment import Do, Done, Observation, Plan, Saw

OPENING, ROUND_TRIP = 4.0, 0.28  # seconds: LTE-M
USUAL = OPENING + ROUND_TRIP
HELD = 1.5 * USUAL


class ControlLogin(StrEnum):
    """What stands in for the right login."""

    TORN = "CONNECT without its end"
    MQTT5 = "CONNECT of MQTT 5"


@dataclass(frozen=True)
class Session:
    """One attempt. ``begin``, ``end``: in seconds; ``out``: packets sent; ``answered``: whether the cloud answers.

    ``asked``: when the whole CONNECT was sent, None: it never was.
    """

    begin: float
    end: float
    out: int
    answered: bool
    asked: float | None


@dataclass
class Night:
    """What a fault knows: the time, and the number of sessions so far."""

    chance: random.Random
    now: float = 0.0
    sessions: int = 0


Ends = Callable[[Night, Session], bool]
"""Whether a fault ends a session before it has done what it was for. ``now`` is the end of the session before."""


def answers_cut(part: float) -> Ends:
    """The cloud's answers alone are struck, each with this chance."""
    return lambda night, session: session.answered and night.chance.random() < part


def packets_cut(part: float) -> Ends:
    """What the board sends is struck, each packet with this chance."""
    return lambda night, session: any(night.chance.random() < part for _ in range(session.out))


def attempts_cut(part: float) -> Ends:
    """So many sessions fail, whatever they are."""
    return lambda night, session: night.chance.random() < part


def age_limit(limit: float) -> Ends:
    """No session becomes older, give or take a twentieth."""
    return lambda night, session: session.end - session.begin > limit * night.chance.uniform(0.95, 1.05)


def by_turns(night: Night, session: Session) -> bool:
    """Each second session fails."""
    return night.sessions % 2 == 1


def bursts(night: Night, session: Session) -> bool:
    """Of each two minutes, twenty seconds in which nothing lives."""
    return session.begin % 120 < 20 or session.begin // 120 < session.end // 120


def outages(every: float, seconds: float) -> Ends:
    """The cloud closes what asks it in the first ``seconds`` of each ``every``."""
    return lambda night, session: session.asked is not None and session.asked % every < seconds


def too_soon(seconds: float) -> Ends:
    """The cloud closes a CONNECT that comes sooner than this behind the session before."""
    return lambda night, session: session.asked is not None and session.asked - night.now < seconds


FAULTS: dict[str, Ends] = {
    "none": attempts_cut(0.0),
    **{f"{part:.0%} of the attempts": attempts_cut(part) for part in (0.01, 0.1, 0.5)},
    **{f"{part:.0%} of the cloud's answers": answers_cut(part) for part in (0.1, 0.2, 0.3, 0.5, 0.8, 1.0)},
    **{f"{part:.0%} of the board's packets": packets_cut(part) for part in (0.1, 0.5)},
    **{f"age {age:g} s": age_limit(age) for age in (4.1, 4.3, 6.0)},
    "each second session": by_turns,
    "nothing lives in 20 s of 120 s": bursts,
    "the cloud closes in 20 s of 120 s": outages(120, 20),
    "the cloud closes in 5 s of 11 s": outages(11, 5),
    "a CONNECT within 8 s of the last": too_soon(8.0),
}


@dataclass
class OwnLogin:
    """Attempts of a login, by turns with ``control``.

    ``accepts``: whether the cloud lets the login in; ``tells``: whether it answers the CONNECT of MQTT 5 all the same.
    """

    ends: Ends
    accepts: bool
    control: ControlLogin
    night: Night
    tells: bool = True

    def do(self, plan: Plan) -> Observation:
        """Make the attempt that ``plan`` asks for."""
        (step,) = plan.steps
        night, began = self.night, self.night.now
        session, good = self._attempt(step.do is Do.WRONG_LOGIN)
        good = good and not self.ends(night, session)
        night.now, night.sessions = session.end, night.sessions + 1
        return Observation((Done(Saw.ANSWERED if good else Saw.CLOSED, USUAL),), night.now - began)

    def _attempt(self, whole: bool) -> tuple[Session, bool]:
        now = self.night.now
        if whole:
            # As long behind the session before as the other CONNECT; the one without its end was not waited for.
            begin = now if self.control is ControlLogin.TORN else now + HELD
            return Session(begin, begin + USUAL, 1, self.accepts, begin + OPENING), self.accepts
        if self.control is ControlLogin.TORN:
            return Session(now, now + OPENING + HELD, 1, False, None), True
        answered, asked = self.accepts or self.tells, now + OPENING + HELD
        return Session(now, asked + ROUND_TRIP, 2, answered, asked), answered
