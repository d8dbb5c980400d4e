"""Which events show what a sentence of an experiment's evidence says. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from harness.trial.experiment import ExperimentResult, Plan
from harness.trial.wire.plan_observation import Refs


class Shown(NamedTuple):
    """A plan that was carried out, and the events that show what came of it."""

    plan: Plan
    refs: Refs


def cited(result: ExperimentResult, shown: Sequence[Shown]) -> Refs:
    """Return the numbers of the events behind each sentence, by the sentence's code."""
    arms = [one.refs for one in shown if one.plan.name == "arm"]
    hits = [refs for refs, arm in zip(arms, result.tally.arms, strict=False) if arm.meaning == "hit"]
    late = [one.refs for one in shown if one.plan.name == "late"]
    last = shown[-1].refs if shown else {}
    # Whatever is tolerated stayed where the fence was answered last: in an arm, or once more after a late end.
    at = max((i for i, one in enumerate(shown) if one.refs.get("fence")), default=None)
    stayed = [] if at is None else [shown[at].refs]
    baselines = [one.refs for one in shown if one.plan.name == "baseline"]
    before = [one.refs for one in shown[:at] if one.plan.name == "baseline"]
    return {
        "baseline": _all(before[-1:], "baseline"),
        "hits": _all(hits, "sent", "closed"),
        "after": _all(baselines[-1:], "baseline"),
        "registered": _all(hits, "registered"),
        "reached nobody": _all(hits, "reached"),
        "stayed": _all(stayed, "sent", "answered", "fence"),
        "effect": _all([*stayed, last], "effect", "round"),
        "once": _all(hits, "sent", "closed"),
        "delays": _all([*arms[-1:], *late], "closed"),
        "rounds": _all([one.refs for one in shown if one.plan.name == "round"], "round"),
        "suback": _all(arms, "answered"),
        "arms": _all(arms, "closed"),
        "no hit": _all(arms, "closed", "reached"),
        "suspect": _all([last], "void"),
        "refused": _all(hits, "closed") or _all([one.refs for one in shown], "login"),
        "coin": _all([one.refs for one in shown], "login"),
        "accepted": _all([last], "login"),
    }


def _all(refs: Iterable[Refs], *names: str) -> tuple[int, ...]:
    return tuple(sorted({seq for one in refs for name in names for seq in one.get(name, ())}))
