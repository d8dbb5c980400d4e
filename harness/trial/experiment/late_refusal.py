"""The experiment on an action that was answered, or passed over, and hung up on later.

A clock cannot know when the action is sent: the idle time before it is drawn over eleven windows, so a hang-up at a
fixed age falls into the expected window behind the action with 1/11 at most. A packet counter cannot know either,
because a random number of shams, 0 to 11, stands before the idle time. Behind an answer nothing is sent before the
window is over. Otherwise a counter could meet the fence, the device's message or the UNSUBSCRIBE, and so hit from three
of the twelve places. A long delay does not rule a counter out: the fence behind a silent action is a packet too.

Example: hung up on 2.5 s and 2.6 s after the answer, round trip 0.1 s. Window: 2.55 s +- (0.15 * 2.55 + 2 * 0.1) =
+- 0.58 s; idle times are drawn from 0 to 22 * 0.58 = 12.8 s. Five hang-ups in the window prove it.
"""

import statistics

from harness.trial.experiment import evidence
from harness.trial.experiment.arm import Arm, Meaning, read_arm
from harness.trial.experiment.context import ExperimentContext, Script, shams
from harness.trial.experiment.controls import find_suspect
from harness.trial.experiment.ignored_action import ignored
from harness.trial.experiment.mixed_answers import mixed
from harness.trial.experiment.outcome import ExperimentResult, Suspect
from harness.trial.experiment.plan import Do, Step, StepConnection
from harness.trial.experiment.rule import (
    LATE_ARMS,
    LATE_MISSES,
    LATE_STAKE,
    LATE_WINDOWS,
    LEAST_WINDOW,
    PLACES,
    WATCHED,
)
from harness.trial.experiment.wealth import bet, kelly

_TRIES = 3
_STAYED = frozenset({Meaning.QUIET, Meaning.SWALLOWED, Meaning.NO_EFFECT})


def late(context: ExperimentContext, first: Arm) -> Script[ExperimentResult]:
    """Find out whether the hang-up ``first.delay`` seconds after the action comes from the action."""
    delays = context.tally.late_delays = [first.delay]
    second = yield from _once_more(context, first)
    if second is None:
        return (yield from _irregular(context, "it did not come again"))
    if second.meaning is Meaning.NO_EFFECT and context.tally.hits < 2:
        return (yield from ignored(context))
    if not _comparable(second, first):
        return (yield from _quiet(context, second))
    delays.append(second.delay)
    misses, tally = 0, context.tally
    for left in reversed(range(LATE_ARMS)):
        expected, half = _window(context)
        if max(delays) - min(delays) > 2 * half or misses == LATE_MISSES:
            return (yield from _irregular(context, "it came at different times"))
        stake = min(LATE_STAKE, kelly(context.night.lost, context.night.shams, LATE_WINDOWS))
        arm = yield from _late_arm(context, expected, half)
        hit = _comparable(arm, first) and abs(arm.delay - expected) <= half
        tally.late_wealth = bet(tally.late_wealth, hit, stake=stake, odds=float(LATE_WINDOWS))
        if hit:
            delays.append(arm.delay)
        elif arm.meaning in _STAYED:
            text = "hung up on after the action once, and not another time"
            return (yield from mixed(context, Suspect.LATE_MIXED, text))
        else:
            misses += arm.meaning is not Meaning.LOST  # what ended before the action tells nothing of its time
        if tally.late_wealth >= context.rule.wanted_late:
            return evidence.late(context, answered=first.answered)
        if tally.late_wealth * (1 + LATE_STAKE * (LATE_WINDOWS - 1)) ** left < context.rule.wanted_late:
            break
    return (yield from _irregular(context, "it came too seldom"))


def _window(context: ExperimentContext) -> tuple[float, float]:
    """Return the expected delay, and half the width of the window around it."""
    expected = statistics.fmean(context.tally.late_delays)
    return expected, max(0.15 * expected + 2 * context.night.round_trip, LEAST_WINDOW)


def _once_more(context: ExperimentContext, first: Arm) -> Script[Arm | None]:
    """See the action once more, with nothing before it. None: connections ended otherwise in all tries."""
    for _ in range(_TRIES):
        arm = yield from _sent(context, Step(Do.IDLE, seconds=max(context.rule.hold, WATCHED * first.delay)))
        if _comparable(arm, first) or arm.meaning in _STAYED:
            return arm
    return None


def _late_arm(context: ExperimentContext, expected: float, half: float) -> Script[Arm]:
    context.in_time()
    before = shams(context.draws.randrange(PLACES))
    idle = context.draws.random() * 2 * half * LATE_WINDOWS
    hold = Step(Do.IDLE, seconds=max(context.rule.hold, WATCHED * expected + half))
    return (yield from _sent(context, hold, *before, Step(Do.IDLE, seconds=idle)))


def _sent(context: ExperimentContext, hold: Step, *before: Step) -> Script[Arm]:
    yield from context.clean_connection()
    # What follows an answered action sends packets, of which a limit could meet any: so it comes behind the window.
    steps = (*before, Step(Do.ACTION), hold, Step(Do.FENCE), Step(Do.EFFECT))
    seen = yield from context.run("late", StepConnection.SAME, *steps)
    return read_arm(steps, seen, 0.0)


def _comparable(arm: Arm, first: Arm) -> bool:
    """True when ``arm`` is a hang-up of the same kind: behind an answer, or without one."""
    if first.answered:
        return arm.meaning is Meaning.LATE and arm.answered
    return arm.meaning in (Meaning.LATE, Meaning.HIT) and not arm.answered


def _quiet(context: ExperimentContext, second: Arm) -> Script[ExperimentResult]:
    if second.meaning is Meaning.SWALLOWED:
        return evidence.inconclusive(context, Suspect.SWALLOWED, "the action was never acknowledged")
    if context.tally.hits >= 2:
        return (yield from mixed(context, Suspect.MIXED, "hung up on at the action, and answered"))
    context.tally.stays += 1
    if context.tally.stays <= context.tally.hits or context.tally.said_no:
        text = "refused at the action, hung up on after it, and answered without a hang-up: each at times"
        return (yield from mixed(context, Suspect.LATE_MIXED, text))
    return evidence.tolerated(context)


def _irregular(context: ExperimentContext, how: str) -> Script[ExperimentResult]:
    found, cause = yield from find_suspect(context)
    text = f"the board was hung up on after the action, but {how}; {cause}"
    # Where connections end without the action too, that is the likelier cause.
    return evidence.inconclusive(context, Suspect.LATE if found is Suspect.BURST else found, text)
