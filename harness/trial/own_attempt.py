"""What became of one reconnect of a firmware that holds its connection itself: from its events alone. Pure.

A reconnect is a phase. The event at its beginning says whose lines count and which numbers they have. A witness inside
it says the one thing that no line shows: whether the firmware's report was seen in its shadow. Everything else is read
from the board's own lines, and from the evidence that stands behind them
(:mod:`harness.firmware.cloud_library.watcher`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from harness.firmware.cloud_library.cause import LogCause, Timed, cause_of
from harness.firmware.cloud_library.chain import Chain, chain_in
from harness.firmware.cloud_library.evidence import LogClass
from harness.firmware.cloud_library.numbers import Generation
from harness.firmware.cloud_library.watcher import CLASS
from harness.timeline import Event, Kind
from harness.trial.phases import Phase, Span, spans

DECISIVE: Final = frozenset({LogClass.CONNECTED, LogClass.KICKED, LogClass.REFUSED, LogClass.MODEM_FAULT})
"""Evidence of how a connect went."""
HANG_UPS: Final = frozenset({LogClass.KICKED, LogClass.REFUSED, LogClass.KEEPALIVE, LogClass.MODEM_FAULT})
ENDS: Final = HANG_UPS | {LogClass.LINK_LOST}
"""Evidence of the end of a connection that the log had shown."""
REPORTED: Final = "reported"
"""The key under which a witness says that the firmware's report is in its shadow."""
SHOWN: Final = "its log says so"
NOT_SHOWN: Final = "its log does not show it at this level; its shadow has a new report"
_REGISTERED: Final = ("+CEREG: 1", "+CEREG: 5")


@dataclass(frozen=True, slots=True)
class OwnAttempt:
    """``connected``: it came up and stayed. ``chain``: of a hang-up, as far as visible.

    ``seconds``: from its begin to what decided it. ``because``: how it is known that it is connected. ``refs``: the
    events that show it.
    """

    connected: bool
    cause: LogCause
    seconds: float
    chain: Chain | None = None
    because: str = ""
    refs: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.connected:
            return f"connected, and stayed ({self.because})"
        return f"{self.cause}" + (f"; {self.chain}" if self.chain is not None else "")


def own_attempt(span: Span) -> OwnAttempt:
    """Return what the events of a reconnect show, as far as it came."""
    begin, board = span.begin.data, span.begin.data["board"]
    told = [event for event in span.inside if event.source == board and CLASS in event.data]
    reported = any(event.kind is Kind.PHASE and event.data.get(REPORTED) for event in span.inside)
    first = None if reported else _first(told, DECISIVE)
    up = reported or (first is not None and first.data[CLASS] == LogClass.CONNECTED)
    ended = first
    since = span.begin.seq
    if up:
        # A report in the shadow is seen late: a hang-up may have come before. A link that is still searched for then is
        # no link that was lost.
        since, ends = (since, HANG_UPS) if first is None else (first.seq + 1, ENDS)
        ended = _first([event for event in told if event.seq >= since], ends)
    decided = ended or first or span.end or span.begin
    seconds = max(0.0, decided.t - span.begin.t)
    if up and ended is None:
        because = NOT_SHOWN if first is None else SHOWN
        return OwnAttempt(True, LogCause(LogClass.CONNECTED), seconds, because=because, refs=(decided.seq,))
    # The harness took the link away to make the firmware connect anew. What the firmware says of that is no lost link
    # and not part of the chain: it stands before the network on which the connection was made. Events are compared by
    # number, because lines that arrived together have one time.
    said = [event for event in span.inside if event.seq >= since and _said(event, board)]
    registered = [event.seq for event in said if event.seq < decided.seq and event.text.startswith(_REGISTERED)]
    lines = [Timed(event.t, event.text) for event in said if event.seq > max(registered, default=-1)]
    cause = cause_of(lines, generation=Generation(begin["generation"]), up=True)
    chain = chain_in([line.text for line in lines]) if cause.what is LogClass.KICKED else None
    return OwnAttempt(False, cause, seconds, chain, refs=(decided.seq,))


def own_attempts(events: Sequence[Event]) -> list[tuple[bool, OwnAttempt]]:
    """Return the reconnects among the events of one trial, in order: with the provocation (True), or without."""
    found = spans(events)
    reconnects = [(span.begin.seq, True, span) for span in found.get(Phase.ACTION, ())]
    reconnects += [(span.begin.seq, False, span) for span in found.get(Phase.RIGHT, ())]
    return [(provoked, own_attempt(span)) for _, provoked, span in sorted(reconnects, key=lambda one: one[0])]


def _first(told: Sequence[Event], classes: Collection[LogClass]) -> Event | None:
    return next((event for event in told if event.data[CLASS] in classes), None)


def _said(event: Event, board: str) -> bool:
    """Tell whether it is a line that the board said by itself."""
    return event.source == board and event.kind in (Kind.RX, Kind.URC) and "role" not in event.data
