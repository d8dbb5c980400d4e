"""Unsolicited result codes (URCs): read from the timeline, by whoever waits for them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from harness.errors import HarnessError, NoAnswer
from harness.timeline import Event, Kind, Timeline, unpacked

_NAME: Final = re.compile(r"([+%#][A-Z][A-Z0-9_]*)(?:: ?(.*))?\Z", re.DOTALL)
_FAILED: Final = (Kind.FAULT, Kind.STEP)  # how a port that went away, or was closed, shows on the timeline


@dataclass(frozen=True, slots=True)
class Urc:
    """One URC: ``+CEREG: 5,"0901"`` has the name "+CEREG" and the args ``5,"0901"``.

    ``text``: the whole line. ``blobs``: raw bytes that followed a counted line (``#XMQTTMSG``: topic, payload).
    ``t``: seconds of ``time.monotonic()`` at its arrival; ``seq``: of its event. For a line that is not a URC
    (``Ready``), name and text are the line.
    """

    name: str
    args: str
    text: str
    t: float
    blobs: tuple[bytes, ...] = ()
    seq: int = -1

    @classmethod
    def of(cls, event: Event) -> "Urc | None":
        """Return ``event`` as a URC, or as a line of the board's log; None if it is neither."""
        return urc_in(event.t, event.kind, event.text, event.data, event.seq)


def urc_in(t: float, kind: Kind, text: str, data: dict[str, object], seq: int = -1) -> Urc | None:
    """Return the URC, or the line of the board's log, in these fields of an event; None if there is neither.

    ``t``, ``kind``, ``text``, ``data``, ``seq``: as in :class:`harness.timeline.Event`.
    """
    if kind is Kind.URC:
        found = _NAME.match(text)
        name, args = (found[1], found[2] or "") if found else (text, "")
        blobs = data.get("blobs")
        return Urc(name, args, text, t, tuple(map(unpacked, blobs)) if isinstance(blobs, list) else (), seq)
    if kind is Kind.RX and "role" not in data:
        return Urc(text, "", text, t, (), seq)
    return None


def urcs(events: Iterable[Event], port: str, names: Iterable[str]) -> list[Urc]:
    """Return the URCs of ``port`` with these ``names`` ("+CEREG"; or whole lines, "Ready") among ``events``."""
    wanted = _wanted(port, names)
    return [urc for event in events if (urc := wanted(event)) is not None]


class EventWait(Protocol):
    """What :meth:`Timeline.wait` does."""

    def __call__(self, match: Callable[[Event], bool], *, since: int, timeout: float) -> Event | None:
        """Return the first event from ``since`` on that ``match`` accepts; None after ``timeout`` seconds."""


def _any(urc: Urc) -> bool:
    return True


class Listener:
    """The URCs with certain names, from now on. Made by ``AtPort.listen``.

    What :meth:`next` and :meth:`poll` return or pass over is not returned again. ``timeline``: where they are looked
    for. ``names``: theirs, such as "+CEREG". ``port``: its name. ``failure``: why the port failed, None while it works.
    ``heard``: tells an error message what the last lines were. ``wait``: does what Timeline.wait does; None: that one.
    """

    def __init__(
        self,
        timeline: Timeline,
        names: Iterable[str],
        *,
        port: str,
        heard: Callable[[], str],
        failure: Callable[[], HarnessError | None],
        wait: EventWait | None = None,
    ) -> None:
        self.names: Final = tuple(names)
        self._timeline = timeline
        self._mark = timeline.mark()
        self._port = port
        self._heard = heard
        self._failure = failure
        self._wanted = _wanted(port, self.names)
        self._wait = wait

    def poll(self) -> Urc | None:
        """Return the oldest URC, or None when there is none now."""
        for event in self._timeline.since(self._mark):
            self._mark = event.seq + 1
            if (urc := self._wanted(event)) is not None:
                return urc
        return None

    def next(self, timeout: float, *, match: Callable[[Urc], bool] = _any, what: str = "") -> Urc:
        """Return the first URC that ``match`` accepts, within ``timeout`` seconds; those before it are passed over.

        Raises NoAnswer, naming ``what`` was waited for and what was last heard; BoardLost as soon as the board is gone.
        """

        def decisive(event: Event) -> bool:
            self._mark = event.seq + 1
            urc = self._wanted(event)
            if urc is not None:
                return match(urc)
            return event.kind in _FAILED and event.source == self._port and self._failure() is not None

        left = timeout if self._failure() is None else 0.0
        wait = self._wait or self._timeline.wait
        event = wait(decisive, since=self._mark, timeout=left)
        urc = None if event is None else self._wanted(event)
        if urc is not None:
            return urc
        raise self._failure() or NoAnswer(
            f"{self._port}: no {what or ' or '.join(self.names)} within {timeout:g} s; {self._heard()}"
        )


def _wanted(port: str, names: Iterable[str]) -> Callable[[Event], Urc | None]:
    known = frozenset(names)

    def wanted(event: Event) -> Urc | None:
        if event.source != port:
            return None
        urc = Urc.of(event)
        return urc if urc is not None and urc.name in known else None

    return wanted
