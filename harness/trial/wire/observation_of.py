"""From the events of one plan to what was seen of it: a pure function.

A plan is a phase that holds its steps. Their ends say what only the actor knows: did the board take the packet, was the
message seen. Acknowledgements, the end of the connection, a lost network or a restart are read from the board's own
lines in between.

A *window* of a step reaches from what decided the step before it to its own end. So an end of the connection that came
in the same instant as an answer belongs to the step behind it: whoever was answered was not refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

from harness.at.foreign_writer import asked_fault
from harness.device_errno import REMOTE_CLOSE
from harness.firmware import MqttEventKind, restart
from harness.timeline import Event, Kind
from harness.trial.controls import REFUSED_SUBSCRIPTION
from harness.trial.experiment import Do, Done, Observation, Saw, VoidedBy
from harness.trial.phases import Phase, Span, span_of, spans
from harness.trial.watches import garbled, network_loss, own_switch

_RADIO = "radio"  # the witness that compares the modem's figures before and after
_END_UNTOLD = "the connection had ended, and no line of the board told so"
_FOREIGN = "something else writes to this port (ModemManager?)"
_PACKETS = frozenset({Do.BASELINE, Do.SHAM, Do.ACTION, Do.FENCE})
_ENDS = frozenset({Saw.CLOSED, Saw.PASSED, Saw.NOTHING})
_LOGINS = frozenset({Do.RIGHT_LOGIN, Do.WRONG_LOGIN})
_LINE_ENDS = 4  # bytes around a line: CR LF before and behind, or what ends a command
Refs = dict[str, tuple[int, ...]]


class Seen(NamedTuple):
    """``refs``: the events that show it, by what they show (``closed``, ``answered``, ``effect``, ``void``, ...)."""

    observation: Observation
    refs: Refs


class StepSeen(NamedTuple):
    """How a step ended, and by which event (None: by nothing). ``at``: the event that it was decided by."""

    done: Done
    by: Event | None


def observation_of(events: Sequence[Event]) -> Seen:
    """Return what ``events`` show: those of one plan, from its begin on, as far as it came."""
    return _Reading(events).seen()


def step_of(events: Sequence[Event]) -> Done | None:
    """Return how the step that began last in a plan's ``events`` ended so far; None: no step began."""
    done = _Reading(events).done
    return done[-1].done if done else None


class _Reading:
    def __init__(self, events: Sequence[Event]) -> None:
        begin, inside, end = self._plan = span_of(events, 0)
        # What came behind its end is not the plan's, live as in a file.
        self._events = [begin, *inside, *(() if end is None else (end,))]
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
            baseline=str(connect.get("control", "")) if self.done else "",
            effect=str(self._found(Phase.EFFECT).get("detail", "") or flight.get("detail", "")),
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
            if found[-1].done.saw in _ENDS:
                found[-1] = self._told_late(step, after) or found[-1]
                break
            by = found[-1].by or step.end
            after = after if by is None else by.seq
        return found

    def _told_late(self, step: "_Step", after: int) -> StepSeen | None:
        """Return how a step ended whose connection's end was told behind it, before the board was asked for that."""
        if step.end is None or self._found(Phase.QUESTIONS).get("connected") is not False:
            return None
        seen = self._step(step, after, until=self._phases[Phase.QUESTIONS][-1].end)
        return seen if seen.done.saw in (Saw.CLOSED, Saw.PASSED) else None

    def _step(self, step: "_Step", after: int, until: Event | None = None) -> StepSeen:
        last = until or step.end
        window = self._between(after, None if last is None else last.seq)
        closed = _first(window, MqttEventKind.CLOSED)
        if step.do in _PACKETS:
            seen = _packet(step, window, closed)
            return seen._replace(
                done=replace(seen.done, line=self._begin.get("byte_seconds", 0.0) * step.bytes_until(seen.by))
            )
        if step.do in _LOGINS:
            return _login(step)
        if closed is not None and step.do is not Do.PAUSE:
            return _ended(step, closed)
        if step.end is not None and step.found.get("connected") is False:
            return _ended(step, step.end)
        if step.do is Do.EFFECT:
            return StepSeen(Done(_effect(step), step.seconds), step.end)
        if step.do is Do.FLIGHT and not step.found.get("acked"):
            return StepSeen(Done(Saw.NOTHING, step.seconds), step.end)
        return StepSeen(Done(Saw.NOTHING if step.end is None else Saw.ANSWERED, step.seconds), step.end)

    @cached_property
    def _steps(self) -> list["_Step"]:
        asked = self._begin["steps"]
        found: dict[int, _Step] = {}
        for rows in self._phases.values():
            for span in rows:
                number = span.begin.data.get("step")
                if number is not None and not span.begin.data.get("behind"):
                    found[number] = _Step(Do(asked[number]["do"]), span, chased=bool(asked[number].get("chased")))
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
        if self._steps and self._steps[0].do in _LOGINS:
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
        answered = _first(inside, MqttEventKind.UNSUBACK) is not None and _answer(step, inside)[0] is None
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
        if asked and not asked.get("registered", True):
            questions = self._phases[Phase.QUESTIONS][-1].end
            return f"not registered afterwards: {asked.get('registration', '')}", VoidedBy.NETWORK, questions
        moved = next((event for event in self._events if event.source == _RADIO and event.data.get("lost")), None)
        if moved is not None:
            return moved.text, VoidedBy.NETWORK, moved
        if closed is None and asked.get("connected") is False and _first(watched, MqttEventKind.CLOSED) is None:
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
            if step.do in _LOGINS:
                shown.setdefault("login", []).append(step.end)
            if step.do is Do.ACTION:
                shown.setdefault("sent", []).append(step.begin)
            if name is not None and seen.done.saw not in _ENDS:
                shown.setdefault(name, []).append(seen.by)
                shown[name] += [_carrying(self._events, str(step.begin.data.get("nonce", "\0")))]
        for name, phase in (("reached", Phase.DELIVERY), ("registered", Phase.QUESTIONS), ("round", Phase.FLIGHT)):
            shown[name] = [span.end for span in self._phases.get(phase, ())]
        return {name: tuple(event.seq for event in found if event is not None) for name, found in shown.items()}

    def _found(self, phase: Phase) -> dict[str, Any]:
        return self._phases[phase][-1].found if phase in self._phases else {}

    def _between(self, after: int, until: int | None) -> list[Event]:
        return [event for event in self._events if after < event.seq and (until is None or event.seq <= until)]


class _Step:
    """One step as it was recorded."""

    def __init__(self, do: Do, span: Span, *, chased: bool = False) -> None:
        self.do = do
        self.chased = chased and span.begin.data["answer"] != "fence"
        """Whether an UNSUBSCRIBE was to be sent right behind it."""
        self.begin, self.inside, self.end = span
        self.found = span.found
        self._behind = [event for event in self.inside if event.kind is Kind.PHASE and event.data.get("behind")]

    @property
    def seconds(self) -> float:
        """How long it took."""
        last = self.end or (self.inside[-1] if self.inside else self.begin)
        return last.t - self.begin.t

    def bytes_until(self, by: Event | None) -> int:
        """Return how many bytes the serial line carried for it, up to the event that decided it.

        What it sent, the results, and the line that decided it; not messages that came meanwhile, because both
        directions have a wire of their own.
        """
        if by is None:
            return 0
        carried = [event for event in self.inside if event.seq < by.seq and event.kind in (Kind.TX, Kind.RESULT)]
        told = [event for event in self.inside if event.seq < by.seq and event.kind is Kind.URC][-1:]
        return sum(len(event.text) + _LINE_ENDS for event in (*carried, *told))

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
        ends = (event.data for event in (*self.inside, self.end) if event is not None and event.kind is Kind.PHASE)
        late = sum(bool(data.get("chased")) for data in ends)  # behind an allowed action whose answer did not come soon
        return (self.do in _PACKETS) + (self.fence is not None) + (self.chaser is not None) + late

    def _begin_of(self, phase: Phase) -> Event | None:
        named = (event for event in self._behind if event.data["name"] == phase)
        return next((event for event in named if event.data["on"] == "begin"), None)


def _packet(step: _Step, window: Sequence[Event], closed: Event | None) -> StepSeen:
    answer, silent = _answer(step, window)
    sent = step.chaser
    chaser = None if sent is None else _first((e for e in window if e.seq > sent.seq), MqttEventKind.UNSUBACK)
    if closed is not None and (answer is None or closed.seq < answer.seq):
        passed = step.do is Do.ACTION and chaser is not None and chaser.seq < closed.seq
        return _ended(step, closed, Saw.PASSED if passed else Saw.CLOSED)
    if step.chased and step.do is Do.SHAM and chaser is None:
        return StepSeen(Done(Saw.NOTHING, step.seconds), step.end) if closed is None else _ended(step, closed)
    if answer is None:
        return StepSeen(Done(Saw.NOTHING, step.seconds), step.end)
    seconds = max(0.0, answer.t - step.begin.t)
    if step.do is Do.BASELINE and closed is not None:
        return _ended(step, closed)
    if step.do is Do.BASELINE and not step.found.get("seen"):
        return StepSeen(Done(Saw.UNSEEN, seconds), answer)
    if answer.data.get("kind") == MqttEventKind.SUBACK and answer.data.get("result", 0) >= REFUSED_SUBSCRIPTION:
        return StepSeen(Done(Saw.REFUSED, seconds), answer)
    return StepSeen(Done(Saw.SILENT if silent else Saw.ANSWERED, seconds), answer)


def _answer(step: _Step, window: Sequence[Event]) -> tuple[Event | None, bool]:
    """Return the event that answers a step, and whether it is the answer to the fence behind it alone.

    PUBACK has no packet id on some firmwares. They come in order [MQTT-4.6.0-2], so of two the first is the action's;
    of one behind a fence nobody knows, and it counts as the fence's. Where the ids are known, they decide.
    """
    wanted = step.begin.data["answer"]
    since = step.begin if wanted != "fence" else step.fence
    if since is None:
        return None, False
    kind = MqttEventKind.SUBACK if wanted == MqttEventKind.SUBACK else MqttEventKind.PUBACK
    answers = [event for event in window if event.seq > since.seq and _is(event, kind)]
    fence = step.fence
    sent = next((event for event in step.inside if event.kind is Kind.TX and "packet_id" in event.data), None)
    if sent is not None and wanted != "fence":
        mine = next((event for event in answers if event.data.get("packet_id") == sent.data["packet_id"]), None)
        if mine is not None:
            return mine, False
    if wanted == "fence" or fence is None or (answers and answers[0].seq < fence.seq):
        return (answers[0] if answers else None), False
    acknowledged = [event for event in window if event.seq > fence.seq and _is(event, MqttEventKind.PUBACK)]
    if kind is MqttEventKind.SUBACK:
        return (answers[0], False) if answers else (acknowledged[0] if acknowledged else None, True)
    return (acknowledged[0] if acknowledged else None), len(acknowledged) < 2


def _ended(step: _Step, closed: Event, saw: Saw = Saw.CLOSED) -> StepSeen:
    return StepSeen(Done(saw, max(0.0, closed.t - step.begin.t)), closed)


def _effect(step: _Step) -> Saw:
    if "seen" not in step.found:
        return Saw.NOTHING
    return {True: Saw.ANSWERED, False: Saw.UNSEEN, None: Saw.UNKNOWN}[step.found["seen"]]


def _login(step: _Step) -> StepSeen:
    return StepSeen(Done(Saw(step.found.get("saw", Saw.NOTHING)), step.found.get("seconds", step.seconds)), step.end)


def _is(event: Event, kind: MqttEventKind) -> bool:
    return event.kind is Kind.MQTT and event.data.get("kind") == kind


def _first(events: Iterable[Event], kind: MqttEventKind) -> Event | None:
    return next((event for event in events if _is(event, kind)), None)


def _carrying(events: Iterable[Event], nonce: str) -> Event | None:
    """Return the message, at the observer or the device, that carries a trial's nonce."""
    messages = (event for event in events if event.kind in (Kind.CLOUD, Kind.MQTT))
    return next((event for event in messages if nonce in str(event.data.get("payload", ""))), None)
