"""From the events of one plan to what was seen of it: a pure function.

A plan is a phase that holds its steps. Their ends say what only the actor knows: did the board take the packet, was the
message seen. Acknowledgements, the end of the connection, a lost network or a restart are read from the board's own
lines in between.

:mod:`harness.trial.wire.recorded_step` reads one step of it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from harness.at.foreign_writer import asked_fault
from harness.device_errno import REMOTE_CLOSE
from harness.firmware import MqttEventKind, restart
from harness.timeline import Event, Kind
from harness.trial.experiment import Do, Done, Observation, Saw, VoidedBy
from harness.trial.phases import Phase, Span, span_of, spans
from harness.trial.watches import garbled, network_loss, own_switch
from harness.trial.wire.recorded_step import ENDS, LOGINS, RecordedStep, StepSeen, answer_of, begins_step, first

_RADIO = "radio"  # the witness that compares the modem's figures before and after
_END_UNTOLD = "the connection had ended, and no line of the board told so"
_FOREIGN = "something else writes to this port (ModemManager?)"
_number = attrgetter("seq")
Refs = dict[str, tuple[int, ...]]


class Seen(NamedTuple):
    """``refs``: the events that show it, by what they show (``closed``, ``answered``, ``effect``, ``void``, ...)."""

    observation: Observation
    refs: Refs


def observation_of(events: Sequence[Event]) -> Seen:
    """Return what ``events`` show: those of one plan, from its begin on, as far as it came."""
    return _Reading(events).seen()


class _Reading:
    def __init__(self, events: Sequence[Event]) -> None:
        self._plan = span_of(events, 0)
        # What came behind its end is not the plan's, live as in a file.
        self._events = [self._plan.begin, *self._plan.inside]
        self._phases = spans(self._events)
        self._begin = self._plan.begin.data

    def seen(self) -> Seen:
        begin, connect = self._begin, self._connect
        void, by, because = self._void()
        flight = self._found(Phase.FLIGHT)
        observation = Observation(
            tuple(step.done for step in self.done),
            self._last.t - self._plan.begin.t,
            connecting=float(connect.get("connecting", 0.0)),
            age=self._end.t - self._since,
            packets=begin["packets"] + sum(step.packets for step in self._steps),
            as_remote=self._as_remote,
            reached=self._found(Phase.DELIVERY).get("reached"),
            missing=flight.get("missing", 0),
            action_missing=flight.get("action_missing", False),
            # A round that was cut short is a lost bet, whatever was sent in it.
            sent=not flight.get("acked") or flight.get("sent") is True,
            unheard=self._unheard,
            void=void,
            voided_by=by,
            opened=bool(connect.get("opened")),
            baseline=str(connect.get("control", "")),
            effect=str(self._found(Phase.EFFECT).get("detail") or flight.get("detail", "")),
            error=str(connect.get("error", "")),
        )
        return Seen(observation, self._refs(because))

    @cached_property
    def done(self) -> list[StepSeen]:
        """How each step that began ended, up to the first that ended the connection."""
        if self._begin.get("closed"):  # it had ended before the plan began
            return [StepSeen(Done(Saw.CLOSED, 0.0), None)]
        found: list[StepSeen] = []
        after = self._begun.seq
        for step in self._steps:
            found.append(self._step(step, after))
            if found[-1].done.saw in ENDS:
                found[-1] = self._told_late(step, after) or found[-1]
                break
            by = found[-1].by or step.end
            after = after if by is None else by.seq
        return found

    def _told_late(self, step: RecordedStep, after: int) -> StepSeen | None:
        """Return how a step ended whose connection's end was told behind it, before the board was asked for that."""
        if step.end is None or self._found(Phase.QUESTIONS).get("connected") is not False:
            return None
        seen = self._step(step, after, until=self._phases[Phase.QUESTIONS][-1].end)
        return seen if seen.done.saw in (Saw.CLOSED, Saw.PASSED) else None

    def _step(self, step: RecordedStep, after: int, until: Event | None = None) -> StepSeen:
        last = until or step.end
        return step.seen(self._between(after, None if last is None else last.seq))

    @cached_property
    def _steps(self) -> list[RecordedStep]:
        found: dict[int, RecordedStep] = {}
        for rows in self._phases.values():
            for span in rows:
                if begins_step(span.begin):
                    found[span.begin.data["step"]] = RecordedStep.of(self._begin, span)
        return [found[number] for number in sorted(found)]

    @cached_property
    def _connect_span(self) -> Span | None:
        return self._phases[Phase.CONNECT][-1] if Phase.CONNECT in self._phases else None

    @property
    def _connect(self) -> dict[str, Any]:
        return {} if self._connect_span is None else self._connect_span.found

    @property
    def _begun(self) -> Event:
        """The event from which on the plan's own steps count: the connection is there, the circumstances are made."""
        if self._steps and self._steps[0].do in LOGINS:
            return self._steps[0].begin
        span = self._connect_span
        return self._plan.begin if span is None else span.end or self._events[-1]

    @property
    def _since(self) -> float:
        """When the connection was accepted."""
        return float(self._connect.get("since", self._begin["since"]))

    @property
    def _last(self) -> Event:
        return self._plan.end or self._events[-1]

    @property
    def _closed(self) -> Event | None:
        last = self.done[-1] if self.done else None
        return last.by if last is not None and last.done.saw in (Saw.CLOSED, Saw.PASSED) else None

    @property
    def _end(self) -> Event:
        """The end of the connection, or of the plan."""
        return self._closed or self._last

    @property
    def _unheard(self) -> bool:
        """Whether the last step was an allowed packet without an answer, and what was sent behind it was answered."""
        done = self.done
        if not done or done[-1].done.saw is not Saw.NOTHING:
            return False
        step = self._steps[len(done) - 1]
        inside = self._between(step.begin.seq, None if step.end is None else step.end.seq)
        answered = first(inside, MqttEventKind.UNSUBACK) is not None and answer_of(step, inside)[0] is None
        return step.do in (Do.BASELINE, Do.SHAM) and answered

    @property
    def _missed(self) -> bool:
        """Whether a message did not come: where bytes of the board were lost, it may have been among them."""
        flight = self._found(Phase.FLIGHT)
        return bool(flight.get("action_missing")) or any(
            step.done.saw in (Saw.UNSEEN, Saw.NOTHING) for step in self.done
        )

    @property
    def _as_remote(self) -> bool:
        """Whether the connection ended as the other side ends one; at the action: after it was sent, too."""
        closed = self._closed
        if closed is None:
            return True
        step = self._steps[len(self.done) - 1]
        if step.do is Do.ACTION and (step.found.get("sent") is not True or closed.seq < step.begin.seq):
            return False
        return abs(int(closed.data.get("result", 0))) in REMOTE_CLOSE

    def _void(self) -> tuple[str, VoidedBy, Event | None]:
        """Return what makes the observation worthless, "" for nothing, and the event that shows it."""
        asked, closed = self._found(Phase.QUESTIONS), self._closed
        last = self._phases[Phase.QUESTIONS][-1].end if Phase.QUESTIONS in self._phases else None
        watched = self._between(self._begun.seq, None if last is None else last.seq)
        switch = own_switch(watched)  # the harness caused whatever follows, a restart too
        if switch is not None:
            return f"the harness itself sent {switch.text}", VoidedBy.OWN, switch
        started = restart(self._events)
        if started is not None:
            if not asked.get("remembers"):
                return started.text, VoidedBy.RESTART, started
            asked_for = asked_fault(self._events)
            known = f"a fault that was asked for looks like this: {asked_for.text}" if asked_for else _FOREIGN
            return f"{started.text}, although the modem had kept its settings: {known}", VoidedBy.LINE, started
        loss = network_loss(watched)
        if loss is not None:
            return loss.text, VoidedBy.NETWORK, loss
        if asked.get("registered") is False:
            questions = self._phases[Phase.QUESTIONS][-1].end
            return f"not registered afterwards: {asked['registration']}", VoidedBy.NETWORK, questions
        moved = next((event for event in self._events if event.source == _RADIO and event.data.get("lost")), None)
        if moved is not None:
            return moved.text, VoidedBy.NETWORK, moved
        if closed is None and asked.get("connected") is False and first(watched, MqttEventKind.CLOSED) is None:
            return _END_UNTOLD, VoidedBy.LINE, last
        unread = garbled(self._between(self._begun.seq, None))
        if unread is not None and self._missed:
            return f"bytes were lost on the way from the board: {unread.text}", VoidedBy.LINE, unread
        if closed is not None and closed.data.get("connected") is False:
            return _END_UNTOLD, VoidedBy.LINE, closed
        if closed is not None and closed.kind is Kind.MQTT and closed.data.get("result") == 0:
            return "the connection was ended from this side", VoidedBy.OWN, closed
        return "", VoidedBy.NETWORK, None

    def _refs(self, void: Event | None) -> Refs:
        shown: dict[str, list[Event | None]] = {"void": [void], "closed": [self._closed]}
        for step, seen in zip(self._steps, self.done, strict=False):
            name = {Do.ACTION: "answered", Do.EFFECT: "effect", Do.FENCE: "fence", Do.BASELINE: "baseline"}.get(step.do)
            if step.do in LOGINS:
                shown.setdefault("login", []).append(step.end)
            if step.do is Do.ACTION:
                shown.setdefault("sent", []).append(step.begin)
            if name is not None and seen.done.saw not in ENDS:
                shown.setdefault(name, []).append(seen.by)
                shown[name] += [_carrying(self._events, step.begin.data["nonce"])]
        for name, phase in (("reached", Phase.DELIVERY), ("registered", Phase.QUESTIONS), ("round", Phase.FLIGHT)):
            shown[name] = [span.end for span in self._phases.get(phase, ())]
        return {name: tuple(event.seq for event in found if event is not None) for name, found in shown.items()}

    def _found(self, phase: Phase) -> dict[str, Any]:
        return self._phases[phase][-1].found if phase in self._phases else {}

    def _between(self, after: int, until: int | None) -> list[Event]:
        begin = bisect_right(self._events, after, key=_number)
        return self._events[begin : None if until is None else bisect_right(self._events, until, key=_number)]


def _carrying(events: Iterable[Event], nonce: str) -> Event | None:
    """Return the message, at the observer or the device, that carries a trial's nonce."""
    messages = (event for event in events if event.kind in (Kind.CLOUD, Kind.MQTT))
    return next((event for event in messages if nonce in str(event.data.get("payload", ""))), None)
