"""A window of a timeline and the sessions in it, as diagnosers see them.

It is read from events alone, so a saved run serves as well as a live one: the kinds and data that the timeline defines,
and, for firmwares that only print, their log lines.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.timeline import Event, Kind
from harness.words import Ask, Asked, Dictionary

_REASON = re.compile(r'disconnectReason"?\s*[:=]\s*"?([A-Z_]{4,})')
_INPUT_ERROR = re.compile(r"MQTT input error: (-?\d+)")
_AFTERWARDS = 10.0  # seconds: lines of the modem and of the application take different ways and may swap
_ANSWERS = {"puback", "suback", "unsuback"}


@dataclass(slots=True)
class SeenConnection:
    """One MQTT connection. ``asked``: its command; ``sent``: packets that want an answer; ``answers``: the answers."""

    asked: Event | None = None
    opened: Event | None = None
    closed: Event | None = None
    sent: list[Event] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)

    @property
    def age(self) -> float | None:
        """Seconds from CONNACK to the end; None where one of both was not seen."""
        return self.closed.t - self.opened.t if self.opened and self.closed else None

    @property
    def outstanding(self) -> list[Event]:
        """What was sent and never answered."""
        return self.sent[len(self.answers) :]


@dataclass(frozen=True)
class Record:
    """A window of a timeline. ``run``: the whole run's events, for what shows only in many sessions (may be empty).

    ``words``: what commands and lines mean.
    """

    events: Sequence[Event]
    run: Sequence[Event] = ()
    words: Dictionary = field(kw_only=True)

    @cached_property
    def sessions(self) -> list[SeenConnection]:
        """The window's sessions, oldest first."""
        return list(self._sessions(self.events))

    @cached_property
    def all_sessions(self) -> list[SeenConnection]:
        """The run's sessions, or the window's where no run is known."""
        return list(self._sessions(self.run)) if self.run else self.sessions

    @cached_property
    def ended(self) -> SeenConnection | None:
        """The last session that was ended, and not as the harness asked."""
        return next((one for one in reversed(self.sessions) if one.closed and errno_of(one.closed) != 0), None)

    @cached_property
    def hang_up(self) -> Event | None:
        """The event of its end."""
        return self.ended.closed if self.ended else None

    @cached_property
    def reason(self) -> tuple[str, Event] | None:
        """The cloud's own word on why the device was disconnected, as read last."""
        for event in reversed(self.events):
            if event.kind is Kind.CLOUD and (found := _REASON.search(_searched(event))):
                return found[1], event
        return None

    @cached_property
    def scope(self) -> list[Event]:
        """The events that can have to do with the end in question: from its session's begin to ten seconds after it.

        Events that ended an older session, or restarted the board for the next test, did not cause this end.
        """
        if self.ended is None or self.hang_up is None:
            return list(self.events)
        first = self.ended.opened.seq if self.ended.opened else 0
        last = self.hang_up.t + _AFTERWARDS
        return [event for event in self.events if event.seq >= first and event.t <= last]

    def lines(self, *kinds: Kind) -> Iterator[Event]:
        """Yield the events of the scope that are of these kinds; lines from the board, where none is named."""
        wanted = kinds or (Kind.RX, Kind.URC)
        return (event for event in self.scope if event.kind in wanted)

    def first(self, pattern: str, *kinds: Kind) -> Event | None:
        """Return the first such event whose text matches ``pattern`` from its beginning."""
        match = re.compile(pattern).match
        return next((event for event in self.lines(*kinds) if match(event.text)), None)

    def asked(self, event: Event) -> Asked:
        """Return what a command asks for: ``event`` is the command itself, or its result."""
        return self.words.asked(event.text if event.kind is Kind.TX else event.data.get("command", ""))

    def commands(self, *what: Ask) -> list[Event]:
        """Return the commands of the scope that ask for one of these."""
        return [event for event in self.lines(Kind.TX) if self.asked(event).what in what]

    def _sessions(self, events: Sequence[Event]) -> Iterator[SeenConnection]:
        session = SeenConnection()
        for event in events:
            kind = event.data.get("kind") if event.kind is Kind.MQTT else None
            if kind == "accepted" or (kind is None and event.text.startswith("Connection to nRF Cloud ready")):
                if session.opened and not session.closed:
                    yield session
                session = SeenConnection(asked=session.asked, opened=event)
            elif kind in _ANSWERS:
                session.answers.append(event)
            elif kind == "closed" or _INPUT_ERROR.search(event.text):
                session.closed = event
                yield session
                session = SeenConnection()
            elif event.kind is Kind.TX:
                asked = self.asked(event)
                if asked.what is Ask.CONNECT:
                    session.asked = event
                elif asked.wants_answer:
                    session.sent.append(event)
            elif event.kind is Kind.RESULT and event.data.get("ok") is False and self.asked(event).wants_answer:
                del session.sent[-1:]  # the board did not send it
        if session.opened or session.sent or session.asked:
            yield session


def errno_of(closed: Event) -> int:
    """Return the device's errno of an end, positive; 0: as asked."""
    if closed.kind is Kind.MQTT:
        return abs(int(closed.data.get("result", 0)))
    found = _INPUT_ERROR.search(closed.text)
    return abs(int(found[1])) if found else 0


def _searched(event: Event) -> str:
    return f"{event.text} {json.dumps(event.data)}"
