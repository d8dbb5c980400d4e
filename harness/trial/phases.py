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
from harness.firmware import restart
from harness.timeline import Event, Kind, Timeline
from harness.trial.not_connected import NothingAllowed

SOURCE: Final = "trial"


class Phase(StrEnum):
    """What is being done. In brackets: data of the event that ends it."""

    ATTEMPT = "attempt"  # all of the others; begins with the action, its sort, and what the documents say of it
    PLAN = "plan"  # what an experiment asked for, on one connection; holds its steps (see plan_log)
    CONNECT = "connect"  # the right login, until an allowed action works (control: its description; or error)
    BASELINE = "baseline"  # the allowed action, before the action (acked, seen, detail)
    SHAM = "sham"  # an allowed action of the action's shape (sent)
    ACTION = "action"  # what the trial is about (sent; or how far a CONNECT came; or an answer)
    CHASER = "chaser"  # an UNSUBSCRIBE right behind a sham or the action: it needs no right (sent)
    FENCE = "fence"  # the allowed action behind it, or behind a step that stays silent (sent)
    EFFECT = "effect"  # was the action's effect seen? (an ActionEffect)
    HOLD = "hold"  # nothing, for so many seconds (connected: what the board says then)
    FLIGHT = "flight"  # messages at once, the action's among them (acked, missing, action_missing, sent)
    PAUSE = "pause"  # nothing, with no connection
    RIGHT = "right"  # the right login or token (how far it came, or an answer)
    QUESTIONS = "questions"  # to modem and board (registered, registration)
    WITNESS = "witness"  # somebody else is asked after a hang-up (whatever the witness says)
    DELIVERY = "delivery"  # after a hang-up: did the message reach anybody? (reached; behind the last one: late)
    RECONNECT = "reconnect"  # the same credentials again (error)
    AFTER = "after"  # the allowed action on the next connection (a Control)


FORMER: Final = frozenset({Phase.RECONNECT, Phase.AFTER})
"""Phases that only recordings of harnesses without experiments have."""
LATE: Final = "late"
"""How many messages of hang-ups had reached somebody once none could still be on its way: the last DELIVERY tells."""

_NAMES: Final = {phase.value: phase for phase in Phase}
_PHASE: Final = Kind.PHASE  # an enumeration is slow to ask (Python 3.11)


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

    ``timeline``: where they go. ``trial``: a number that the trial's attempts share; ``attempt``: counted from 1.
    """

    def __init__(self, timeline: Timeline, *, trial: int, attempt: int) -> None:
        self._timeline = timeline
        self.number = {"trial": trial, "attempt": attempt}
        self._start = timeline.mark()
        self._first: Event | None = None
        self.begun = self._start
        """Number of the event that began the latest phase."""
        self.latest = self._start
        """Number of the event that began or ended a phase last."""
        self._restarted = False  # the board, as far as it was looked at
        self._looked_at: int | None = None

    @contextmanager
    def phase(self, name: Phase, text: str = "", **begin: Any) -> Iterator[dict[str, Any]]:
        """Write the begin, yield the data for the end, and write the end, whatever happens in between.

        ``name``: the phase. ``text``: of the begin, for people; "": the phase's name. ``begin``: the begin's data.
        """
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

    def since(self, mark: int) -> list[Event]:
        """Return the events from ``mark`` on. Raises LabError: they are too many to be in memory still."""
        events = self._timeline.since(mark)
        if events and events[0].seq > mark:
            raise LabError(
                f"the board said so much that {events[0].seq - mark} events of the trial are in its file alone"
            )
        return events

    def add(self, kind: Kind, source: str, text: str) -> None:
        """Write something else to the timeline: ``kind``, ``source`` and ``text`` of the event."""
        self._timeline.add(kind, source, text)

    def restarted(self) -> bool:
        """Tell whether the board showed since the attempt began that it restarted."""
        if not self._restarted:
            # A trial asks often: what was looked at is not looked at again.
            mark, first = self._timeline.mark(), self._start if self._first is None else self._first.seq
            fresh = self._timeline.since(first if self._looked_at is None else self._looked_at)
            self._restarted, self._looked_at = restart(fresh) is not None, mark
        return self._restarted

    def events(self) -> list[Event]:
        """Return everything that happened since the attempt began, or its beginning and what is still in memory."""
        # Others write here too (an observer that boards share), also between this log's making and its first phase.
        events = self._timeline.since(self._start if self._first is None else self._first.seq)
        if self._first is None or (events and events[0].seq <= self._first.seq):
            return events
        return [self._first, *events]

    def _phase(self, name: Phase, on: str, text: str, data: dict[str, Any]) -> None:
        event = self._timeline.add(Kind.PHASE, SOURCE, text, **self.number, name=name.value, on=on, **data)
        self._first = self._first or event
        self.latest = event.seq
        if on == "begin":
            self.begun = event.seq


def attempt_of(events: Sequence[Event], first: int = 0) -> Sequence[Event]:
    """Return the events of the attempt that begins at position ``first``: up to its end, both with it."""
    return (span := span_of(events, first)).begin, *span.inside, *(() if span.end is None else (span.end,))


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
    begun: list[int] = []
    last: dict[int, int] = {}  # from each phase's first position to its last
    going: dict[str, list[int]] = {}  # positions of the phases that have not ended, by name
    for at, event in enumerate(events):
        if event.kind is not _PHASE or (name := event.data["name"]) not in _NAMES:
            continue
        if event.data["on"] == "begin":
            begun.append(at)
            going.setdefault(name, []).append(at)
        else:
            last |= dict.fromkeys(going.pop(name, ()), at)
    found: dict[Phase, list[Span]] = {}
    for first in begun:
        end = last.get(first)
        span = Span(events[first], events[first + 1 : end], None if end is None else events[end])
        found.setdefault(_NAMES[events[first].data["name"]], []).append(span)
    return found


def span_of(events: Sequence[Event], first: int) -> Span:
    """Return the phase that begins with the event at position ``first``."""
    name = events[first].data["name"]
    last = next((i for i in range(first + 1, len(events)) if _ends(events[i], name)), None)
    return Span(events[first], events[first + 1 : last], None if last is None else events[last])


def _ends(event: Event, name: str) -> bool:
    return event.kind is _PHASE and event.data["on"] == "end" and event.data["name"] == name
