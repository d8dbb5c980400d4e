"""Actions that are expected to be allowed share connections, and with them one hold: 12 s for ten, not for each.

Nobody is blamed for a hang-up in a group, and nobody is cleared by having been answered before it: a refusal may come
seconds late, even where the hold is short. An action that was answered less than a hold before the hang-up, or less
than :data:`rule.LATEST` seconds, is tried alone afterwards, and so is the one in flight. There it is watched for longer
than it took to the hang-up.

Example: a hold of 0.1 s, ten actions 0.2 s apart. The second is refused 1 s late, so the connection ends while the
seventh is in flight. All seven are tried alone, the second for 1.5 s: there it is seen to be refused.
"""

from dataclasses import dataclass, field

from harness.trial.experiment.context import Ended, ExperimentContext, NoBaseline, Script
from harness.trial.experiment.controls import find_suspect
from harness.trial.experiment.outcome import Suspect
from harness.trial.experiment.plan import Do, Observation, Saw, Step, StepConnection
from harness.trial.experiment.rule import LATEST, WATCHED


@dataclass(slots=True)
class Grouping:
    """Actions by number: proved tolerated; to be tried alone; and not tried, because of ``suspect``.

    ``outlived``: of those proved, the ones whose connection ended later, after longer than a refusal may take.
    ``watch``: seconds that an action to be tried alone must be watched: a hang-up may have been its late refusal.
    """

    tolerated: list[int] = field(default_factory=list)
    alone: list[int] = field(default_factory=list)
    outlived: set[int] = field(default_factory=set)
    watch: dict[int, float] = field(default_factory=dict)
    untried: list[int] = field(default_factory=list)
    suspect: Suspect | None = None
    text: str = ""


def group(context: ExperimentContext, count: int) -> Script[Grouping]:
    """Try ``count`` actions, ``rule.group`` on a connection."""
    found = Grouping(untried=list(range(count)))
    try:
        while found.untried:
            yield from _one_connection(context, found)
    except NoBaseline:
        try:
            found.suspect, found.text = yield from find_suspect(context)
        except Ended as end:
            found.suspect, found.text = end.suspect, end.text
    except Ended as end:
        found.suspect, found.text = end.suspect, end.text
    return found


def _one_connection(context: ExperimentContext, found: Grouping) -> Script[None]:
    yield from context.clean_connection()
    batch = found.untried[: context.rule.group]
    steps: list[Step] = []
    for action in batch:
        steps += [Step(Do.ACTION, action=action), Step(Do.EFFECT, action=action)]
    steps += [Step(Do.FENCE), Step(Do.IDLE, seconds=context.rule.hold)]
    seen = yield from context.run("group", StepConnection.SAME, *steps)
    began = {step.action for step, _ in zip(steps, seen.done, strict=False) if step.do is Do.ACTION}
    outlived = _outlived(steps, seen)
    quiet = len(seen.done) == len(steps) and seen.done[-1].saw is Saw.ANSWERED
    long = max(context.rule.hold, LATEST)
    good = {action for action, seconds in outlived.items() if quiet or seconds >= long}
    found.tolerated += [action for action in batch if action in good]
    found.alone += [action for action in batch if action in began and action not in good]
    if not quiet:
        found.outlived |= good
    if seen.closed:
        found.watch |= {action: WATCHED * outlived[action] for action in outlived if action not in good}
    # The first of the batch has begun unless the connection died unseen after the baseline; then it is tried alone too.
    if not began:
        found.alone.append(batch[0])
    tried = {*found.tolerated, *found.alone}
    found.untried = [action for action in found.untried if action not in tried]


def _outlived(steps: list[Step], seen: Observation) -> dict[int, float]:
    """Return the actions that were answered and had their effect, and how long the connection lasted after each."""
    if seen.void:
        return {}
    answered: dict[int, float] = {}
    now = 0.0
    for step, done in zip(steps, seen.done, strict=False):
        now += done.seconds
        if step.do is Do.ACTION and done.saw is Saw.ANSWERED:
            answered[step.action] = now
        if step.do is Do.EFFECT and done.saw not in (Saw.ANSWERED, Saw.UNKNOWN, Saw.CLOSED):
            answered.pop(step.action, None)
    # Where the last step had no answer, nobody knows how long the connection was there.
    silent = bool(seen.done) and seen.done[-1].saw is Saw.NOTHING
    last = now - (seen.done[-1].seconds if silent else 0.0)
    return {action: last - since for action, since in answered.items()}
