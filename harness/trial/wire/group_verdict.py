"""Verdicts on actions that shared a connection and a hold. Pure.

A group is an attempt of its own, with its plans and a verdict on all of them together. Each action that was proved
tolerated there gets a verdict in its own test, which refers to the group's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.timeline import Event
from harness.trial.experiment import Grouping
from harness.trial.facts import ActionEffect
from harness.trial.judgement import How, Judgement, Sentence
from harness.trial.phases import Phase, spans
from harness.trial.verdict import Outcome
from harness.trial.wire.carried_experiment import CarriedOut


@dataclass(frozen=True, slots=True)
class Shared:
    """What one action of a group showed. ``trial``: the group's number; ``count``: of the actions in it.

    ``stayed``: seconds that the connection stayed for at least. ``ended``: it ended after them, not quietly.
    """

    trial: int
    count: int
    stayed: float
    control: str
    effect: ActionEffect
    ended: bool = False

    def judgement(self, policy: str) -> Judgement:
        """Return the verdict on the action. ``policy``: what the documents say of it."""
        said = [Sentence("policy", policy, how=How.DOCUMENTS)] if policy else []
        behind = "" if self.ended else ", an allowed action behind them all too,"
        said += [
            Sentence("baseline", f"Just before, on the same connection, {self.control} worked."),
            Sentence(
                "shared",
                f"It was one of {self.count} allowed actions that shared connections (trial {self.trial}): it was "
                f"answered{behind} and the connection stayed for {self.stayed:g} s.",
            ),
        ]
        if self.effect.detail:
            said.append(Sentence("effect", f"Effect: {self.effect.detail}."))
        return Judgement(Outcome.TOLERATED, tuple(said))


def judged_group(carried: CarriedOut, events: Sequence[Event]) -> Judgement:
    """Return the verdict on a group: tolerated, if any of its actions was; the others are tried alone."""
    found = carried.result
    assert isinstance(found, Grouping)  # noqa: S101 - for the type checker
    refs = tuple(seq for shown in carried.shown for seq in shown.refs.get("answered", ()))
    said = [Sentence("group", f"{len(found.tolerated)} actions were answered and stayed unharmed for a hold.", refs)]
    if found.alone:
        text = f"{len(found.alone)} are tried alone: the connection ended, or no effect was seen."
        said.append(Sentence("alone", text))
    if found.suspect is not None:
        text = f"{len(found.untried)} were not tried. Suspected: {found.suspect}. {found.text}."
        said.append(Sentence("suspect", text))
    return Judgement(Outcome.TOLERATED if found.tolerated else Outcome.INCONCLUSIVE, tuple(said))


def control_of(events: Sequence[Event]) -> str:
    """Return the allowed action that worked in the attempt with these events."""
    found = [span.found["control"] for span in spans(events).get(Phase.CONNECT, ()) if "control" in span.found]
    return str(found[-1]) if found else "the allowed action"
