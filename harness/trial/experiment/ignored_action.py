"""The experiment on an action that was answered and had no effect: is it ignored, or did the observer lose the message?

Twelve messages go out in one flight, the action at a random place. Losses that do not see which message is the action's
take any of the twelve alike. If j are missing, the action's is among them with a chance of j/12. So its absence pays
12/j.

Example: only the action's is missing, five times: (0.05 + 0.95 * 12)^5 = 196,801 > 166,667.
"""

from harness.trial.experiment import evidence
from harness.trial.experiment.context import ExperimentContext, Script
from harness.trial.experiment.outcome import ExperimentResult, Suspect
from harness.trial.experiment.plan import Do, Step, StepConnection
from harness.trial.experiment.rule import PLACES, ROUND_STAKE, ROUNDS
from harness.trial.experiment.wealth import bet


def ignored(context: ExperimentContext) -> Script[ExperimentResult]:
    """Send rounds of messages until the action is seen, or its absence cannot be a coincidence."""
    tally = context.tally
    for _ in range(ROUNDS):
        yield from context.clean_connection()
        context.in_time()
        flight = Step(Do.FLIGHT, place=context.draws.randrange(PLACES), of=PLACES)
        seen = yield from context.run("round", StepConnection.SAME, flight)
        tally.rounds += 1
        if seen.all_answered and not seen.action_missing:
            return evidence.tolerated(context)
        if not seen.sent:
            return evidence.inconclusive(context, Suspect.NO_PROOF_OF_SENDING, "nothing shows that a message was sent")
        if seen.all_answered and not seen.missing:
            text = "no allowed message could go along with it, so its absence proves nothing"
            return evidence.inconclusive(context, Suspect.OBSERVER, text)
        # A round that was cut short is a lost bet, not a free one: the draw was made before it.
        hit = seen.all_answered and seen.action_missing
        odds = PLACES / max(1, seen.missing)
        tally.round_wealth = bet(tally.round_wealth, hit, stake=ROUND_STAKE, odds=odds)
        if tally.round_wealth >= context.rule.wanted_ignored:
            return evidence.ignored(context)
    text = "messages that are allowed got lost too, so the action's absence proves nothing"
    return evidence.inconclusive(context, Suspect.OBSERVER, text)
