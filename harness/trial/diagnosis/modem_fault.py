"""The board restarted, or its modem crashed: it says so itself, and everything before is void.

The modem is asked after such a line. If it has kept what a restart would have taken, it did not restart, and somebody
else wrote the line.

A board or modem that the harness itself restarted or shut down has no fault.
"""

from collections.abc import Iterator

from harness.timeline import Event, Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record
from harness.words import Ask, Told

_LOG = ("Modem has crashed", "*** Booting")  # whatever firmware prints one
_BOOTS = 10.0  # seconds in which a board is up again
_ESHUTDOWN = 110


def modem_fault(record: Record) -> Iterator[Finding]:
    """Source: nRF Connect SDK's log of a crash."""
    told = record.words.told
    shown = (event for event in record.lines() if event.text.startswith(_LOG) or told(event.text) is Told.FAULT)
    line = next((event for event in shown if not _was_asked_for(record, event)), None)
    if line and _kept_its_settings(record, line):
        text = f"a line says that the board restarted ({line.text!r}), but its modem had kept its settings"
        yield Finding(Cause.UART_TROUBLE, Weight.CERTAIN, text, (line.seq,))
    elif line:
        text = f"the board restarted, or its modem failed: {line.text!r}"
        yield Finding(Cause.MODEM_FAULT, Weight.CERTAIN, text, (line.seq,))
    elif record.hang_up and record.hang_up.data.get("result") in (_ESHUTDOWN, -_ESHUTDOWN):
        text = "the board reports ESHUTDOWN: its modem library was shut down"
        yield Finding(Cause.MODEM_FAULT, Weight.LIKELY, text, (record.hang_up.seq,))


def _was_asked_for(record: Record, line: Event) -> bool:
    return any(event.seq < line.seq and line.t - event.t <= _BOOTS for event in record.commands(Ask.STOP))


def _kept_its_settings(record: Record, line: Event) -> bool:
    """Tell whether a trial asked the modem behind ``line`` what it remembers, and it had kept it."""
    asked = (event for event in record.events if event.kind is Kind.PHASE and "remembers" in event.data)
    return next((bool(event.data["remembers"]) for event in asked if event.seq > line.seq), False)
