"""The line between board and harness: garbage, lost lines, a port that went away."""

import re
from collections.abc import Iterator

from harness.timeline import Event, Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record

_WORDS = ("garbled", "port had gone away", "went away", "dropped", "overrun", "unplugged", "lines lost")
_NOT_CONNECTED = r"#XMQTTCON: 0\b"
_HAS_A_LINE = re.compile(r"AT(#XMQTTCON|\+CEREG|\+CFUN)\?$", re.IGNORECASE)  # whatever the answer is


def uart_trouble(record: Record) -> Iterator[Finding]:
    """Look for what the port's reader complained of, for an end whose line never came, and for answers without one."""
    fault = next((e for e in record.lines(Kind.FAULT) if any(word in e.text for word in _WORDS)), None)
    if fault and "observer" not in fault.source:
        yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, f"the UART: {fault.text}", (fault.seq,))
    session = record.sessions[-1] if record.sessions else None
    asked = record.first(_NOT_CONNECTED)
    if asked and session and session.opened and session.opened.seq < asked.seq and session.closed is None:
        text = f"the board says that it is not connected ({asked.text!r}), and no line said that the connection ended"
        yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, text, (asked.seq,))
    if (result := _lineless(record)) is not None:
        text = f"{result.data['command']} was answered by OK alone: the line of its answer got lost"
        yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, text, (result.seq,))


def _lineless(record: Record) -> Event | None:
    """Return the first OK of a question whose answer always has a line, where none came."""
    said = False
    for event in record.lines(Kind.TX, Kind.RX, Kind.RESULT):
        if event.kind is not Kind.RESULT:
            said = event.kind is Kind.RX
        elif event.text == "OK" and not said and _HAS_A_LINE.match(str(event.data.get("command", ""))):
            return event
    return None
