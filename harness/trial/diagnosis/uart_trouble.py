"""The line between board and harness: garbage, lost lines, a port that went away."""

from collections.abc import Iterator
from itertools import dropwhile

from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record
from harness.words import Ask, Told

_WORDS = (
    "garbled",
    "port had gone away",
    "went away",
    "dropped",
    "overrun",
    "unplugged",
    "lines lost",
    "asked once more",
)


def uart_trouble(record: Record) -> Iterator[Finding]:
    """Look for what the port's reader complained of, for an end whose line never came, and for answers without one."""
    fault = next((e for e in record.lines(Kind.FAULT) if any(word in e.text for word in _WORDS)), None)
    if fault and "observer" not in fault.source:
        yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, f"the UART: {fault.text}", (fault.seq,))
    session = record.sessions[-1] if record.sessions else None
    asked = next((event for event in record.lines() if record.words.told(event.text) is Told.NOT_CONNECTED), None)
    if asked and session and session.opened and session.opened.seq < asked.seq and session.closed is None:
        text = f"the board says that it is not connected ({asked.text!r}), and no line said that the connection ended"
        yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, text, (asked.seq,))
    yield from _answers(record)


def _answers(record: Record) -> Iterator[Finding]:
    """Look for the first question that was answered by no line, or by two, where every answer has one."""
    # A question from before the window may have had its line there.
    for event in dropwhile(lambda event: event.kind is not Kind.TX, record.lines(Kind.TX, Kind.RX, Kind.RESULT)):
        if event.kind is Kind.TX:
            said = 0
        elif event.kind is Kind.RX:
            said += event.data.get("role") == "answer"
        elif event.text == "OK" and said != 1 and record.asked(event).what is Ask.QUESTION:
            what = "got lost" if said == 0 else "came twice"
            text = f"{event.data['command']} was answered by {said} lines: the line of its answer {what}"
            yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, text, (event.seq,))
            return
