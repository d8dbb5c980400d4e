"""From the events of one attempt to what is known of it beside its experiment: a pure function."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from harness.firmware import restart
from harness.timeline import Event, Kind
from harness.trial.facts import Attempt, Facts, OwnResult, Reply, Sort, Stage, Trouble
from harness.trial.own_attempt import OwnAttempt, own_attempt
from harness.trial.phases import SOURCE, Phase, Span, TroubleSource, spans
from harness.trial.watches import network_loss, own_switch

_NUMBER: Final = "(code "


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
        self._found["control"] = self._control()
        # A firmware that holds its connection itself may be restarted to make it connect anew.
        self._text("restarted_earlier", None if sort is Sort.FIRMWARE else restart(self._events))
        self._remembers()
        if sort is Sort.OWN_CONNECT:
            self._board()
            self._tries()
        elif sort is Sort.CALL:
            self._answers()
        elif sort is Sort.FIRMWARE:
            self._own()
        self._troubles()
        return Facts(**self._found, refs=self._refs)

    def _control(self) -> str:
        """Return the allowed action that worked last."""
        found = [span.found["control"] for span in self._phases.get(Phase.CONNECT, ()) if "control" in span.found]
        return str(found[-1]) if found else ""

    def _remembers(self) -> None:
        for span in self._phases.get(Phase.QUESTIONS, ()):
            if span.found.get("remembers"):
                self._found["remembers"] = True
                self._show("remembers", span.end)

    def _board(self) -> None:
        """What the board said by itself until it was asked, and what it said then."""
        questions, action = self._last(Phase.QUESTIONS), self._first(Phase.ACTION)
        watched = self._between(action, None if questions is None else questions.end)
        asked = {} if questions is None else questions.found
        self._text("network_loss", network_loss(watched) or own_switch(watched))
        self._text("restarted", restart(watched))
        if questions is not None and asked.get("registered"):
            self._found["registered"] = asked["registration"]
            self._show("registered", questions.end)

    def _tries(self) -> None:
        done = [span for span in self._phases.get(Phase.ACTION, ()) if "stage" in span.found]
        self._found["tries"] = tuple(
            Attempt(Stage(span.found["stage"]), span.found["detail"], span.found["seconds"]) for span in done
        )
        self._show("tries", *(span.end for span in done))

    def _answers(self) -> None:
        done = [span for span in self._phases.get(Phase.ACTION, ()) if "status" in span.found]
        if done:
            self._found["answers"] = tuple(_reply(span.found) for span in done)
            self._show("answers", *(span.end for span in done))

    def _own(self) -> None:
        done = [span for span in self._phases.get(Phase.RIGHT, ()) if span.end is not None]
        if not done or Phase.PLAN in self._phases:
            return
        attempts = [own_attempt(span) for span in done]
        self._found["own"] = tuple(_own_result(one) for one in attempts)
        self._refs["own"] = tuple(seq for one in attempts for seq in one.refs)

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

    def _between(self, span: Span | None, end: Event | None) -> Sequence[Event]:
        """Return the events from the beginning of a phase (None: it did not come) until ``end`` (None: so far)."""
        if span is None:
            return ()
        return [event for event in self._events if span.begin.seq <= event.seq and (end is None or event.seq < end.seq)]


def _reply(found: Mapping[str, Any]) -> Reply:
    # Recordings of older harnesses have the number in the text alone.
    in_words = bool(found.get("in_words", _NUMBER in found["said"]))
    return Reply(found["status"], found["authorised"], found["said"], in_words)


def _own_result(attempt: OwnAttempt) -> OwnResult:
    end = "" if attempt.cause.what is None else attempt.cause.what.value
    return OwnResult(attempt.connected, end, str(attempt))
