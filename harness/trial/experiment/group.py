"""Actions that are expected to be allowed share connections, and with them one hold: 12 s for ten, not for each.

Nobody is blamed for a hang-up in a group: whoever was answered less than a hold before it, and the one in flight, are
tried alone afterwards.
"""

from dataclasses import dataclass, field

from harness.trial.experiment.context import Ended, ExperimentContext, NoBaseline, Script
from harness.trial.experiment.controls import find_suspect
from harness.trial.experiment.outcome import Suspect
from harness.trial.experiment.plan import Do, Observation, Saw, Step, StepConnection


@dataclass(slots=True)
class Grouping:
    """Actions by number: proved tolerated; to be tried alone; and not tried, because of ``suspect``."""

    tolerated: list[int] = field(default_factory=list)
    alone: list[int] = field(default_factory=list)
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
    good = _good(steps, seen, context.rule.hold)
    found.tolerated += [action for action in batch if action in good]
    found.alone += [action for action in batch if action in began and action not in good]
    # The first of the batch has begun unless the connection died unseen after the baseline; then it is tried alone too.
    if not began:
        found.alone.append(batch[0])
    tried = {*found.tolerated, *found.alone}
    found.untried = [action for action in found.untried if action not in tried]


def _good(steps: list[Step], seen: Observation, hold: float) -> set[int]:
    """Return the actions that were answered, had their effect, and outlived a hold."""
    if seen.void:
        return set()
    answered: dict[int, float] = {}
    now = 0.0
    quiet = len(seen.done) == len(steps) and seen.done[-1].saw is Saw.ANSWERED
    for step, done in zip(steps, seen.done, strict=False):
        now += done.seconds
        if step.do is Do.ACTION and done.saw is Saw.ANSWERED:
            answered[step.action] = now
        if step.do is Do.EFFECT and done.saw not in (Saw.ANSWERED, Saw.UNKNOWN):
            answered.pop(step.action, None)
    # Where the connection was lost, only what an answered step (or its end) came a hold after has outlived it.
    last = now if seen.closed else now - (seen.done[-1].seconds if seen.done else 0.0)
    return {action for action, since in answered.items() if quiet or last - since >= hold}
