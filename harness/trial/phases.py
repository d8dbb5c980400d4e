"""What a trial writes to the timeline while it acts, so that the timeline alone is enough to judge it again.

An attempt is a phase that holds all others. A phase's begin says what is about to be done. Its end says what only the
actor knows (did the board take the packet? was the message seen?). Everything else is on the timeline already: lines of
the board, MQTT events, the observer's messages.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final, NamedTuple

from harness.errors import BoardLost, CloudUnreachable, LabError, NotRegistered
from harness.timeline import Event, Kind, Timeline
from harness.trial.not_connected import NothingAllowed

SOURCE: Final = "trial"


class Phase(StrEnum):
    """What is being done. In brackets: data of the event that ends it."""

    ATTEMPT = "attempt"  # all of the others; begins with the action, its sort, and what the documents say of it
    CONNECT = "connect"  # the right login, until an allowed action works (control: its description)
    BASELINE = "baseline"  # the allowed action, or call, before the action (a Control, or an answer)
    ACTION = "action"  # what the trial is about (sent; or how far a CONNECT came; or an answer)
    FENCE = "fence"  # the allowed action behind it (a Control)
    HOLD = "hold"  # waiting for a hang-up that comes late
    EFFECT = "effect"  # was the action's effect seen? (an ActionEffect)
    QUESTIONS = "questions"  # to modem and board (registered, registration)
    RECONNECT = "reconnect"  # the same credentials again (error)
    AFTER = "after"  # the allowed action, or call, on the next connection (a Control, or an answer)
    DELIVERY = "delivery"  # after a hang-up: did the message reach anybody? (reached)


_NAMES = frozenset(phase.value for phase in Phase)


class TroubleSource(StrEnum):
    """Where the trouble came from that kept a trial from being proved."""

    NETWORK = "network"
    BOARD = "board"
    CLOUD = "cloud"
    LAB = "lab"
    POLICIES = "policies"  # the cloud's, which refuse what the documents allow

    @classmethod
    def of(cls, error: LabError) -> "TroubleSource":
        """Return where an error of the lab comes from."""
        by_class: dict[type[LabError], TroubleSource] = {
            NotRegistered: cls.NETWORK,
            BoardLost: cls.BOARD,
            CloudUnreachable: cls.CLOUD,
            NothingAllowed: cls.POLICIES,
        }
        return next((party for kind, party in by_class.items() if isinstance(error, kind)), cls.LAB)


class PhaseLog:
    """Writes the phases of one attempt.

    ``trial``: a number that the trial's attempts share; ``attempt``: counted from 1.
    """

    def __init__(self, timeline: Timeline, *, trial: int, attempt: int) -> None:
        self._timeline = timeline
        self.number = {"trial": trial, "attempt": attempt}
        self._start = timeline.mark()
        self._first: Event | None = None

    @contextmanager
    def phase(self, name: Phase, text: str = "", **begin: Any) -> Iterator[dict[str, Any]]:
        """Write the begin, yield the data for the end, and write the end, whatever happens in between."""
        found: dict[str, Any] = {}
        self._phase(name, "begin", text or f"{name}", begin)
        try:
            yield found
        finally:
            self._phase(name, "end", f"{name} ends", found)

    def trouble(self, error: LabError, *, dead: bool = False) -> None:
        """Write what kept the attempt from being proved. ``dead``: found out when its cause was looked for."""
        data = {"party": TroubleSource.of(error), "dead": dead, **self.number}
        self._timeline.add(Kind.FAULT, SOURCE, str(error), **data)

    def events(self) -> list[Event]:
        """Return everything that happened since the attempt began, or its beginning and what is still in memory."""
        events = self._timeline.since(self._start)
        if self._first is None or (events and events[0].seq <= self._first.seq):
            return events
        return [self._first, *events]

    def _phase(self, name: Phase, on: str, text: str, data: dict[str, Any]) -> None:
        event = self._timeline.add(Kind.PHASE, SOURCE, text, **self.number, name=name.value, on=on, **data)
        self._first = self._first or event


class Span(NamedTuple):
    """One phase as it was recorded: how it began, what happened in it, how it ended (None: it did not, so far)."""

    begin: Event
    inside: Sequence[Event]
    end: Event | None

    @property
    def found(self) -> dict[str, Any]:
        """What its end said; empty as long as there is none."""
        return {} if self.end is None else self.end.data


def spans(events: Sequence[Event]) -> dict[Phase, list[Span]]:
    """Return the phases among the events of one attempt, in order. Phases of names that are not known are left out."""
    found: dict[Phase, list[Span]] = {}
    for first, event in enumerate(events):
        if event.kind is not Kind.PHASE or event.data["on"] != "begin" or event.data["name"] not in _NAMES:
            continue
        name = event.data["name"]
        last = next((i for i in range(first + 1, len(events)) if _ends(events[i], name)), None)
        inside = events[first + 1 : last]
        found.setdefault(Phase(name), []).append(Span(event, inside, None if last is None else events[last]))
    return found


def _ends(event: Event, name: str) -> bool:
    return event.kind is Kind.PHASE and event.data["on"] == "end" and event.data["name"] == name
