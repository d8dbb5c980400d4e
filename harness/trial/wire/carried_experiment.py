"""An experiment that is carried out: on a board, or once more from the events that it left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from harness.timeline import Event
from harness.trial.experiment import (
    Do,
    Experiment,
    ExperimentResult,
    ExperimentRule,
    Grouping,
    Night,
    Observation,
    Plan,
    Subject,
)
from harness.trial.phases import Phase, spans
from harness.trial.wire.citations import Shown
from harness.trial.wire.draws import NothingDrawn, RecordedDraws, RecordingDraws
from harness.trial.wire.own_observation import own_observation_of
from harness.trial.wire.plan_observation import Refs, Seen, observation_of

OWN: Final = "own"


@dataclass(frozen=True, slots=True)
class Setup:
    """What an experiment begins with. ``kind``: action, login, group, or :data:`OWN`: the firmware's own connection.

    ``count``: of a group's actions. ``gives_up``: a coin stops when nothing can be proved any more, as in all files but
    older ones.
    """

    kind: str
    subject: Subject
    rule: ExperimentRule
    night: Night
    count: int = 1
    gives_up: bool = True

    def as_data(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        action, sham, differs = self.subject.action, self.subject.sham, self.subject.differs
        return {
            "kind": self.kind,
            "subject": {"action": action, "sham": sham, "differs": differs},
            "rule": self.rule.as_data(),
            "night": self.night.as_data(),
            "count": self.count,
            "gives_up": self.gives_up,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Setup":
        """Return it as it was written down. Raises KeyError, TypeError for data of something else."""
        subject, rule = Subject(**data["subject"]), ExperimentRule(**data["rule"])
        return cls(data["kind"], subject, rule, Night.of(data["night"]), data["count"], data.get("gives_up", False))

    def experiment(self, draws: RecordingDraws | RecordedDraws) -> Experiment[Any]:
        """Return the experiment, not begun."""
        if self.kind == "group":
            return Experiment.of_group(self.count, self.rule, self.night, draws)
        if self.kind in ("login", OWN):
            return Experiment.of_login(self.subject, self.rule, self.night, draws, gives_up=self.gives_up)
        return Experiment.of_action(self.subject, self.rule, self.night, draws)


class CarriedOut(NamedTuple):
    """What came of it, and the plans that were carried out."""

    result: ExperimentResult | Grouping
    shown: Sequence[Shown]


class Changed(Exception):
    """Today's rules ask for something else than was carried out when the events were recorded."""


class Runner(Protocol):
    """Carries out plans."""

    def do(self, plan: Plan, about: Mapping[str, Any]) -> tuple[Observation, Refs]:
        """Return what was seen, and the events that show it. ``about``: what else the timeline is told of the plan."""


def carry_out(setup: Setup, do: Callable[[Plan, Mapping[str, Any]], tuple[Observation, Refs]]) -> CarriedOut:
    """Carry an experiment out on a board. ``do``: see :class:`Runner`."""
    draws = RecordingDraws()
    experiment = setup.experiment(draws)
    shown: list[Shown] = []
    while isinstance(plan := experiment.next(), Plan):
        about: dict[str, Any] = {"draws": draws.taken()}
        if plan.name == "arm":
            arms = sum(one.plan.name == "arm" for one in shown)
            place = next(index for index, step in enumerate(plan.steps) if step.do is Do.ACTION)
            about |= {"arm": arms + 1, "place": place + 1}
        seen, refs = do(plan, about)
        shown.append(Shown(plan, refs))
        experiment.take(seen)
    return CarriedOut(experiment.result(), shown)


def replayed(events: Sequence[Event], setup: Setup) -> CarriedOut:
    """Carry it out once more from the events of its attempt. Raises :class:`Changed`."""
    read: Callable[[Sequence[Event]], Seen] = own_observation_of if setup.kind == OWN else observation_of
    plans = spans(events).get(Phase.PLAN, [])
    draws = RecordedDraws(number for span in plans for number in span.begin.data["draws"])
    shown: list[Shown] = []
    try:
        experiment = setup.experiment(draws)
        for span in plans:
            plan = experiment.next()
            asked = plan.as_data() if isinstance(plan, Plan) else {}
            done = {name: span.begin.data[name] for name in ("plan", "connection", "patience", "steps")}
            if not isinstance(plan, Plan) or asked != done:
                raise Changed(_change(plan, done))
            end = () if span.end is None else (span.end,)
            seen, refs = read((span.begin, *span.inside, *end))
            shown.append(Shown(plan, refs))
            experiment.take(seen)
    except NothingDrawn:
        raise Changed("Today's rules draw more numbers than were drawn then.") from None
    if isinstance(plan := experiment.next(), Plan):
        raise Changed(f"Today's rules go on with {plan.name!r} where the trial ended.")
    return CarriedOut(experiment.result(), shown)


def _change(plan: object, done: Mapping[str, Any]) -> str:
    asked = repr(plan.name) if isinstance(plan, Plan) else "an end"
    return f"Today's rules ask for {asked} where {done['plan']!r} was carried out."
