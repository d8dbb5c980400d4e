"""From the events of one attempt to the facts that a verdict rests on: a pure function."""

from collections.abc import Iterable, Sequence
from typing import Any

from harness.firmware import MqttEventKind, restart
from harness.timeline import Event, Kind
from harness.trial.facts import Attempt, Control, Facts, Reply, Sort, Stage, Trouble
from harness.trial.phases import SOURCE, Phase, Span, TroubleSource, spans
from harness.trial.watches import garbled, network_loss


def facts_of(events: Sequence[Event]) -> Facts:
    """Return what ``events`` show: those of one attempt, from its first event on, as far as it came."""
    return _Reading(events).facts()


class _Reading:
    """Collects facts, and for each the events that show it."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._phases = spans(events)
        self._found: dict[str, Any] = {}
        self._refs: dict[str, tuple[int, ...]] = {}

    def facts(self) -> Facts:
        begin = self._phases[Phase.ATTEMPT][0].begin.data
        sort = Sort(begin["sort"])
        self._found = {key: begin[key] for key in ("action", "policy", "difference")} | {"sort": sort}
        self._found["control"] = self._end_of(Phase.CONNECT).get("control", "")
        if sort is Sort.CALL:
            self._replies()
        else:
            self._controls()
            self._board(sort)
            self._reconnect()
        if sort is Sort.PACKET:
            self._packet()
        elif sort is not Sort.CALL:
            self._tries()
        self._troubles()
        return Facts(**self._found, refs=self._refs)

    def _controls(self) -> None:
        for fact, name in (("baseline", Phase.BASELINE), ("fence", Phase.FENCE), ("after", Phase.AFTER)):
            span = self._last(name)
            if span is not None and "acked" in span.found:
                self._found[fact] = Control(**{key: span.found[key] for key in ("acked", "seen", "seconds", "detail")})
                sighting = _carrying(span.inside, span.begin.data["nonce"])
                self._show(fact, _mqtt(span.inside, MqttEventKind.PUBACK), sighting, span.end)

    def _board(self, sort: Sort) -> None:
        """What the board said by itself until it was asked, and what it said then."""
        questions, action = self._last(Phase.QUESTIONS), self._first(Phase.ACTION)
        until = None if questions is None else questions.end
        watched = self._between(self._first(Phase.BASELINE) if sort is Sort.PACKET else action, until)
        asked = {} if questions is None else questions.found
        loss = network_loss(watched)
        self._text("network_loss", loss)
        self._text("restarted", restart(self._between(action, until)))
        self._text("restarted_earlier", restart(self._events))
        if questions is not None and asked.get("remembers"):
            self._found["remembers"] = True
            self._show("remembers", questions.end)
        if questions is not None and asked.get("registered"):
            self._found["registered"] = asked["registration"]
            self._show("registered", questions.end)
        elif loss is None and sort is Sort.CONNECT:  # after a hang-up it is part of what the verdict weighs
            self._found["network_loss"] = asked.get("registration")

    def _packet(self) -> None:
        action, hold, effect = self._last(Phase.ACTION), self._last(Phase.HOLD), self._last(Phase.EFFECT)
        if action is None:
            return
        self._text("garbled", garbled(self._between(action, None)))
        self._found["sent"] = action.found.get("sent", True)
        self._show("sent", action.begin, action.end)
        closed = _mqtt(self._between(action, None if hold is None else hold.end), MqttEventKind.CLOSED)
        if closed is not None:
            self._found["hang_up"] = -closed.data["result"]
            self._found["hang_up_after"] = closed.t - action.begin.t
            self._show("hang_up", closed)
        if effect is not None and "seen" in effect.found:
            names = {"effect": "seen", "effect_detail": "detail", "message_sent": "message_sent"}
            self._found |= {fact: effect.found[key] for fact, key in names.items()}
            self._show("effect", _carrying(effect.inside, action.begin.data["nonce"]), effect.end)
        delivery = self._last(Phase.DELIVERY)
        if delivery is not None:
            self._found["reached"] = delivery.found.get("reached")
            self._show("reached", delivery.end)

    def _tries(self) -> None:
        done = [span for span in self._phases.get(Phase.ACTION, ()) if "stage" in span.found]
        self._found["tries"] = tuple(
            Attempt(Stage(span.found["stage"]), span.found["detail"], span.found["seconds"]) for span in done
        )
        self._show("tries", *(span.end for span in done))

    def _replies(self) -> None:
        names = {"answer_before": Phase.BASELINE, "answer": Phase.ACTION, "answer_after": Phase.AFTER}
        for fact, name in names.items():
            span = self._last(name)
            if span is not None and "status" in span.found:
                self._found[fact] = Reply(span.found["status"], span.found["authorised"], span.found["said"])
                self._show(fact, span.end)

    def _reconnect(self) -> None:
        span = self._last(Phase.RECONNECT)
        if span is not None:
            self._found["reconnect_error"] = span.found.get("error")
            self._show("reconnect_error", span.end)

    def _troubles(self) -> None:
        for event in self._events:
            if event.kind is Kind.FAULT and event.source == SOURCE and "party" in event.data:
                fact = "dead" if event.data["dead"] else "trouble"
                self._found[fact] = Trouble(TroubleSource(event.data["party"]), event.text)
                self._show(fact, event)

    def _text(self, fact: str, event: Event | None) -> None:
        if event is not None:
            self._found[fact] = event.text
            self._show(fact, event)

    def _show(self, fact: str, *events: Event | None) -> None:
        self._refs[fact] = tuple(event.seq for event in events if event is not None)

    def _first(self, name: Phase) -> Span | None:
        return next(iter(self._phases.get(name, ())), None)

    def _last(self, name: Phase) -> Span | None:
        return self._phases[name][-1] if name in self._phases else None

    def _end_of(self, name: Phase) -> dict[str, Any]:
        span = self._last(name)
        return {} if span is None else span.found

    def _between(self, span: Span | None, end: Event | None) -> Sequence[Event]:
        """Return the events from the beginning of a phase (None: it did not come) until ``end`` (None: so far)."""
        if span is None:
            return ()
        return [event for event in self._events if span.begin.seq <= event.seq and (end is None or event.seq < end.seq)]


def _mqtt(events: Iterable[Event], kind: MqttEventKind) -> Event | None:
    return next((event for event in events if event.kind is Kind.MQTT and event.data.get("kind") == kind), None)


def _carrying(events: Iterable[Event], nonce: str) -> Event | None:
    """Return the message, at the observer or the device, that carries a trial's nonce."""
    messages = (event for event in events if event.kind in (Kind.CLOUD, Kind.MQTT))
    return next((event for event in messages if nonce in str(event.data.get("payload", ""))), None)
