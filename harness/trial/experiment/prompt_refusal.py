"""The experiment on one action: is the board hung up on because of it?"""

from harness.trial.experiment import evidence
from harness.trial.experiment.arm import Arm, Meaning, read_arm
from harness.trial.experiment.context import Ended, ExperimentContext, NoBaseline, Script, shams
from harness.trial.experiment.controls import find_suspect
from harness.trial.experiment.ignored_action import ignored
from harness.trial.experiment.late_refusal import late
from harness.trial.experiment.mixed_answers import mixed
from harness.trial.experiment.outcome import ArmRecord, ExperimentResult, Suspect
from harness.trial.experiment.plan import Do, Step, StepConnection
from harness.trial.experiment.rule import ARMS, FUTILE_AFTER, STAKES, SUBACK_PAUSE
from harness.trial.experiment.silence import watched_idle
from harness.trial.experiment.wealth import bet

_SAME = StepConnection.SAME


def verdict(context: ExperimentContext) -> Script[ExperimentResult]:
    """Try the action until something is proved of it, or nothing can be."""
    try:
        try:
            return (yield from _arms(context))
        except NoBaseline:
            return (yield from _nothing_proved(context, Suspect.CONNECT))
    except Ended as end:
        return evidence.inconclusive(context, end.suspect, end.text)


def _arms(context: ExperimentContext) -> Script[ExperimentResult]:
    rule, tally = context.rule, context.tally
    slow = 0
    for number in range(1, ARMS + 1):
        arm = yield from _arm(context)
        if arm.meaning is Meaning.HIT and tally.wealth >= rule.wanted:
            yield from context.clean_connection()  # the credentials still work: no lock-out; it serves the next verdict
            if (yield from watched_idle(context)):
                return evidence.policy_disconnect(context)
            if tally.one_age:
                return (yield from _nothing_proved(context, None))
        if arm.meaning is Meaning.SAID_NO:
            tally.said_no += 1
            # Two at the first place have no control: a server that refuses everything would do the same.
            if tally.said_no >= 2 and tally.shams_answered and not tally.shams_refused:
                return evidence.refused_in_suback(context)
            yield from context.run("pause", StepConnection.NONE, Step(Do.PAUSE, seconds=SUBACK_PAUSE))
        if tally.shams_refused >= 2:
            return evidence.inconclusive(context, Suspect.MIXED, "allowed actions of its shape were refused too")
        slow += arm.meaning is Meaning.SLOW
        # Once is a cut, or an answer that would have been slow.
        if arm.meaning is Meaning.LATE or (arm.meaning is Meaning.SLOW and slow > max(1, tally.hits)):
            return (yield from late(context, arm))
        if arm.meaning is Meaning.NO_EFFECT:
            if tally.hits >= 2 or tally.said_no:
                return (yield from mixed(context, Suspect.MIXED, _mixed(context)))
            return (yield from ignored(context))
        if arm.meaning is Meaning.SWALLOWED:
            text = "the action was never acknowledged, the allowed action behind it was, and the connection stayed"
            return evidence.inconclusive(context, Suspect.SWALLOWED, text)
        if arm.meaning is Meaning.QUIET:
            tally.stays += 1
            if tally.hits >= 2 or tally.said_no:
                return (yield from mixed(context, Suspect.MIXED, _mixed(context)))
            if tally.stays > tally.hits:
                return evidence.tolerated(context)
        if number >= FUTILE_AFTER and not tally.stays and _futile(context, ARMS - number):
            break
    suspect = Suspect.DELIVERED if tally.delivered >= 2 else None
    return (yield from _nothing_proved(context, suspect))


def _arm(context: ExperimentContext) -> Script[Arm]:
    """One connection, one draw, one bet. The place and the stake are fixed between the baseline and the next packet."""
    yield from context.clean_connection()
    context.in_time()
    tally, night = context.tally, context.night
    count, stake = context.places.count, context.places.stake
    place = context.draws.randrange(count)
    floor, ceiling = night.floor, night.ceiling
    plan_steps = (
        *shams(place, chased=True),
        Step(Do.ACTION, chased=True),
        Step(Do.FENCE),
        Step(Do.EFFECT),
        Step(Do.IDLE, seconds=context.rule.hold),
    )
    seen = yield from context.run("arm", _SAME, *plan_steps)
    context.places.take(plan_steps, seen)
    arm = read_arm(plan_steps, seen, floor, ceiling)
    hit = arm.meaning is Meaning.HIT
    tally.wealth = bet(tally.wealth, hit, stake=stake, odds=float(count))
    if hit:
        tally.hits += 1
        tally.unreached += seen.reached is False
        tally.places.append(place + 1)
        tally.delays.append(arm.delay)
        tally.ages.append(seen.age)
    else:
        tally.misses += 1
        tally.lost += arm.meaning is Meaning.LOST
        tally.delivered += bool(seen.reached) and arm.meaning is Meaning.NO_HIT
        if arm.because:
            tally.reasons.append(arm.because)
    tally.arms.append(ArmRecord(place + 1, arm.meaning.value, arm.delay, stake, tally.wealth, count))
    return arm


def _futile(context: ExperimentContext, left: int) -> bool:
    """True when hits in all arms that are left, at the largest stake, could not reach the bound."""
    best = 1 + STAKES[1] * (context.places.count - 1)
    return context.tally.wealth * best**left < context.rule.wanted


def _mixed(context: ExperimentContext) -> str:
    tally = context.tally
    if tally.said_no:
        return "refused in SUBACK (0x80) once, and granted another time: both cannot be the policy"
    return f"hung up on {tally.hits} times and answered {tally.stays or 1} times: both cannot be the policy"


def _nothing_proved(context: ExperimentContext, suspect: Suspect | None) -> Script[ExperimentResult]:
    """Name what ends the connections, without a claim about the action."""
    found, text = yield from find_suspect(context)
    if suspect is Suspect.DELIVERED:
        return evidence.inconclusive(context, suspect, "the message was delivered although the board was hung up on")
    if suspect is Suspect.CONNECT and found is Suspect.BURST:
        found, text = suspect, "no connection came up on which the allowed action worked, and then it worked again"
    return evidence.inconclusive(context, found, text)
