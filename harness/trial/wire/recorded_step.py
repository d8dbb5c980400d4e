"""From the events of one step of a plan to how it ended: a pure function.

A *window* of a step reaches from what decided the step before it to its own end. So an end of the connection that came
in the same instant as an answer belongs to the step behind it: whoever was answered was not refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from harness.firmware import MqttEventKind
from harness.timeline import Event, Kind
from harness.trial.controls import REFUSED_SUBSCRIPTION
from harness.trial.experiment import Do, Done, Saw
from harness.trial.phases import Phase, Span, span_of

ENDS: Final = frozenset({Saw.CLOSED, Saw.PASSED, Saw.NOTHING})
LOGINS: Final = frozenset({Do.RIGHT_LOGIN, Do.WRONG_LOGIN})
_PACKETS: Final = frozenset({Do.BASELINE, Do.SHAM, Do.ACTION, Do.FENCE})
_LINE_ENDS: Final = 4  # bytes around a line: CR LF before and behind, or what ends a command
# An enumeration is slow to ask (Python 3.11).
_PHASE, _MQTT, _URC, _TX, _RESULT = Kind.PHASE, Kind.MQTT, Kind.URC, Kind.TX, Kind.RESULT


class StepSeen(NamedTuple):
    """How a step ended, and by which event (None: by nothing)."""

    done: Done
    by: Event | None


def step_of(plan: Mapping[str, Any], events: Sequence[Event]) -> StepSeen | None:
    """Return how the first step among ``events`` ended so far; None: no step began.

    ``plan``: the data with which its plan began. ``events``: those behind the one that decided the step before; for the
    first step those behind the end of the phase in which the connection was made, or else behind the plan's begin.
    """
    for at, event in enumerate(events):
        if event.kind is _PHASE and begins_step(event):
            span = span_of(events, at)
            window = events[: at + len(span.inside) + 2]  # up to its end, or as far as it came
            return RecordedStep.of(plan, span).seen(window)
    return None


def begins_step(phase: Event) -> bool:
    """Tell whether a phase's event begins a step, and not something that is done within one."""
    data = phase.data
    return data["on"] == "begin" and data.get("step") is not None and not data.get("behind")


class RecordedStep:
    """One step as it was recorded. ``pace``: seconds that the serial line takes for a byte.

    ``do``: what was done. ``span``: the step's phase in the timeline. ``chased``: the plan has an UNSUBSCRIBE right
    behind it.
    """

    def __init__(self, do: Do, span: Span, *, chased: bool, pace: float) -> None:
        self.do = do
        self.chased = chased and span.begin.data["answer"] != "fence"
        """Whether an UNSUBSCRIBE was to be sent right behind it."""
        self.begin, self.inside, self.end = span
        self.found = span.found
        self._pace = pace
        self._behind = [event for event in self.inside if event.data.get("behind")]

    @classmethod
    def of(cls, plan: Mapping[str, Any], span: Span) -> "RecordedStep":
        """Return the step of ``span``. ``plan``: the data with which its plan began."""
        asked = plan["steps"][span.begin.data["step"]]
        return cls(Do(asked["do"]), span, chased=bool(asked.get("chased")), pace=plan.get("byte_seconds", 0.0))

    def seen(self, window: Sequence[Event]) -> StepSeen:
        """Return how it ended. ``window``: see the module's docstring."""
        closed = first(window, MqttEventKind.CLOSED)
        if self.do in _PACKETS:
            seen = _packet(self, window, closed)
            return seen._replace(done=replace(seen.done, line=self._pace * self._bytes_until(seen.by)))
        if self.do in LOGINS:
            return _login(self)
        if closed is not None and self.do is not Do.PAUSE:
            return _ended(self, closed)
        if self.end is not None and self.found.get("connected") is False:
            return _ended(self, self.end)
        if self.do is Do.EFFECT:
            return StepSeen(Done(_effect(self), self.seconds), self.end)
        if self.do is Do.FLIGHT and not self.found.get("acked"):
            return self.undecided
        return self.undecided if self.end is None else StepSeen(Done(Saw.ANSWERED, self.seconds), self.end)

    @property
    def undecided(self) -> StepSeen:
        """What is said of it if nothing decided it."""
        return StepSeen(Done(Saw.NOTHING, self.seconds), None)

    @property
    def seconds(self) -> float:
        """How long it took."""
        last = self.end or (self.inside[-1] if self.inside else self.begin)
        return last.t - self.begin.t

    @property
    def fence(self) -> Event | None:
        """The begin of the fence that was sent behind it, because it stayed silent or has no answer."""
        return self._begin_of(Phase.FENCE)

    @property
    def chaser(self) -> Event | None:
        """The begin of the UNSUBSCRIBE right behind it."""
        return self._begin_of(Phase.CHASER)

    @property
    def packets(self) -> int:
        """How many packets it sent."""
        if self.do in (Do.FLIGHT, Do.EFFECT):
            return int(self.found.get("packets", 0))
        ends = (event.data for event in (*self.inside, self.end) if event is not None and event.kind is _PHASE)
        late = sum(bool(data.get("chased")) for data in ends)  # behind an allowed action whose answer did not come soon
        return (self.do in _PACKETS) + (self.fence is not None) + (self.chaser is not None) + late

    def _bytes_until(self, by: Event | None) -> int:
        """Return how many bytes the serial line carried for it, up to the event that decided it.

        What it sent, the results, and the line that decided it; not messages that came meanwhile, because both
        directions have a wire of their own.
        """
        if by is None:
            return 0
        carried = [event for event in self.inside if event.seq < by.seq and event.kind in (_TX, _RESULT)]
        told = [event for event in self.inside if event.seq < by.seq and event.kind is _URC][-1:]
        return sum(len(event.text) + _LINE_ENDS for event in (*carried, *told))

    def _begin_of(self, phase: Phase) -> Event | None:
        return next((event for event in self._behind if event.data["name"] == phase), None)


def answer_of(step: RecordedStep, window: Sequence[Event]) -> tuple[Event | None, bool]:
    """Return the event that answers a step, and whether it is the answer to the fence behind it alone.

    PUBACK has no packet id on some firmwares. They come in order [MQTT-4.6.0-2], so of two the first is the action's;
    of one behind a fence nobody knows, and it counts as the fence's. Where the ids are known, they decide.
    """
    wanted = step.begin.data["answer"]
    fence = step.fence
    since = step.begin if wanted != "fence" else fence
    if since is None:
        return None, False
    kind = MqttEventKind.SUBACK if wanted == MqttEventKind.SUBACK else MqttEventKind.PUBACK
    answers = [event for event in window if event.seq > since.seq and _is(event, kind)]
    sent = next((event for event in step.inside if event.kind is _TX and "packet_id" in event.data), None)
    if sent is not None:
        mine = next((event for event in answers if event.data.get("packet_id") == sent.data["packet_id"]), None)
        if mine is not None:
            return mine, False
    if wanted == "fence" or fence is None or (answers and answers[0].seq < fence.seq):
        return (answers[0] if answers else None), False
    acknowledged = [event for event in window if event.seq > fence.seq and _is(event, MqttEventKind.PUBACK)]
    if kind is MqttEventKind.SUBACK:
        return (answers[0], False) if answers else (acknowledged[0] if acknowledged else None, True)
    return (acknowledged[0] if acknowledged else None), len(acknowledged) < 2


def first(events: Iterable[Event], kind: MqttEventKind) -> Event | None:
    """Return the first MQTT event of this kind among ``events``; None: there is none."""
    for event in events:
        if event.kind is _MQTT and event.data.get("kind") == kind:
            return event
    return None


def _packet(step: RecordedStep, window: Sequence[Event], closed: Event | None) -> StepSeen:
    answer, silent = answer_of(step, window)
    sent = step.chaser
    chaser = None if sent is None else first((e for e in window if e.seq > sent.seq), MqttEventKind.UNSUBACK)
    if closed is not None and (answer is None or closed.seq < answer.seq):
        passed = step.do is Do.ACTION and chaser is not None and chaser.seq < closed.seq
        return _ended(step, closed, Saw.PASSED if passed else Saw.CLOSED)
    if step.chased and step.do is Do.SHAM and chaser is None:
        return step.undecided if closed is None else _ended(step, closed)
    if answer is None:
        return step.undecided
    seconds = max(0.0, answer.t - step.begin.t)
    if step.do is Do.BASELINE and closed is not None:
        return _ended(step, closed)
    if step.do is Do.BASELINE and not step.found.get("seen"):
        return StepSeen(Done(Saw.UNSEEN, seconds), answer)
    if answer.data.get("kind") == MqttEventKind.SUBACK and answer.data["result"] >= REFUSED_SUBSCRIPTION:
        return StepSeen(Done(Saw.REFUSED, seconds), answer)
    return StepSeen(Done(Saw.SILENT if silent else Saw.ANSWERED, seconds), answer)


def _ended(step: RecordedStep, closed: Event, saw: Saw = Saw.CLOSED) -> StepSeen:
    return StepSeen(Done(saw, max(0.0, closed.t - step.begin.t)), closed)


def _effect(step: RecordedStep) -> Saw:
    if "seen" not in step.found:
        return Saw.NOTHING
    return {True: Saw.ANSWERED, False: Saw.UNSEEN, None: Saw.UNKNOWN}[step.found["seen"]]


def _login(step: RecordedStep) -> StepSeen:
    return StepSeen(Done(Saw(step.found.get("saw", Saw.NOTHING)), step.found.get("seconds", step.seconds)), step.end)


def _is(event: Event, kind: MqttEventKind) -> bool:
    return event.kind is _MQTT and event.data.get("kind") == kind
