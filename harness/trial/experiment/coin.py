"""The experiment on a login or a call that is refused without a word: closed, with no CONNACK.

Before each attempt a coin decides: the wrong login, or the right one. A link that fails by itself fails both alike. So
"wrong one refused, or right one accepted" has the chance 1/2, whatever the link's own rate of failures f: P = 1/2 f +
1/2 (1 - f). It pays double. Fourteen times right: 1.95^14 = 11,481 > 10,000. A link that knows all but the coin reaches
that with 7.8e-5 at most; a unit test computes it over all draws, with the code that decides.

An answer that a cut cannot forge (CONNACK 2/4/5, a TLS alert, HTTP 401/403 in the API's own words) needs no coin: the
right login before, between and after two wrong ones suffices. HTTP 429 and 5xx are never a refusal, and nothing is
staked on them.
"""

from harness.trial.experiment import evidence
from harness.trial.experiment.context import Ended, ExperimentContext, Script
from harness.trial.experiment.outcome import ExperimentResult, Suspect
from harness.trial.experiment.plan import Do, Saw, Step, StepConnection
from harness.trial.experiment.rule import COIN_ATTEMPTS, COIN_LAST_TRIES, COIN_STAKE, COIN_WAITS, COIN_WRONG_LOGINS
from harness.trial.experiment.wealth import bet

_RIGHT, _WRONG = Do.RIGHT_LOGIN, Do.WRONG_LOGIN


def login(context: ExperimentContext, *, gives_up: bool) -> Script[ExperimentResult]:
    """Try the login in question against the right one. ``gives_up``: stop when nothing can be proved any more."""
    try:
        return (yield from _attempts(context, gives_up=gives_up))
    except Ended as end:
        return evidence.inconclusive(context, end.suspect, end.text)


def _attempts(context: ExperimentContext, *, gives_up: bool) -> Script[ExperimentResult]:
    tally = context.tally
    right_worked = False
    while tally.attempts < COIN_ATTEMPTS:
        context.in_time()
        wrong = bool(context.draws.randrange(2))
        saw = yield from _attempt(context, _WRONG if wrong else _RIGHT)
        accepted = saw is Saw.ANSWERED
        if wrong and accepted:
            return evidence.accepted(context)
        # The network went away: lost whichever login it was, so that nobody can take back a bet.
        won = saw is not None and wrong != accepted
        tally.wealth = bet(tally.wealth, won, stake=COIN_STAKE, odds=2.0)
        right_worked = right_worked or accepted
        if saw is Saw.REFUSED and wrong:
            found = yield from _explicit(context, right_worked)
            if found is not None:
                return found
        enough = tally.wealth >= context.rule.wanted_alone and tally.wrong_refused >= COIN_WRONG_LOGINS
        if enough and right_worked:  # a coin may choose the wrong login each time: then nothing shows that one works
            return evidence.refused(context)
        if gives_up and not _within_reach(context):
            return (yield from _last_tries(context))
    return _unproved(context)


def _unproved(context: ExperimentContext) -> ExperimentResult:
    text = f"the right login failed {context.tally.right_refused} times too"
    return evidence.inconclusive(context, Suspect.CONNECT, text)


def _last_tries(context: ExperimentContext) -> Script[ExperimentResult]:
    """Try the login in question alone: no refusal can be proved any more, but it may be let in."""
    for _ in range(min(COIN_LAST_TRIES, COIN_ATTEMPTS - context.tally.attempts)):
        if (yield from _attempt(context, _WRONG)) is Saw.ANSWERED:
            return evidence.accepted(context)
    return _unproved(context)


def _within_reach(context: ExperimentContext) -> bool:
    """Tell whether the bound would be reached if each attempt that is left were won."""
    tally = context.tally
    most = bet(1.0, hit=True, stake=COIN_STAKE, odds=2.0) ** (COIN_ATTEMPTS - tally.attempts)
    return tally.wealth * most >= context.rule.wanted_alone


def _explicit(context: ExperimentContext, right_worked: bool) -> Script[ExperimentResult | None]:
    """Finish the pattern right, wrong, right, wrong, right around an answer that says no; None: it did not hold."""
    pattern = [_RIGHT, _WRONG, _RIGHT] if right_worked else [_RIGHT, _WRONG, _RIGHT, _WRONG, _RIGHT]
    for which in pattern:
        saw = yield from _attempt(context, which)
        if saw is not (Saw.ANSWERED if which is _RIGHT else Saw.REFUSED):
            return evidence.accepted(context) if which is _WRONG and saw is Saw.ANSWERED else None
    return evidence.refused_in_words(context)


def _attempt(context: ExperimentContext, which: Do) -> Script[Saw | None]:
    """One attempt that got an answer about the login, or a cut; waits out "try later". None: it was worthless."""
    tally = context.tally
    while True:
        seen = yield from context.run("attempt", StepConnection.NONE, Step(which))
        saw = seen.done[-1].saw if seen.done else Saw.CLOSED
        if seen.void and not (which is _WRONG and saw is Saw.ANSWERED):  # what was let in, was
            return None
        if saw is not Saw.LATER:
            break
        tally.waits += 1
        if tally.waits > COIN_WAITS:
            raise Ended(Suspect.BUSY, f"the other side asked to try later {tally.waits} times")
        yield from context.run("pause", StepConnection.NONE, Step(Do.PAUSE, seconds=2.0 ** (tally.waits - 1)))
    tally.attempts += 1
    if saw is not Saw.ANSWERED:
        tally.wrong_refused += which is _WRONG
        tally.right_refused += which is _RIGHT
    return saw
