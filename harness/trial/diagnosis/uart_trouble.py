"""The line between board and harness: garbage, lost lines, a port that went away."""

from collections.abc import Iterator

from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record

_WORDS = ("garbled", "port had gone away", "went away", "dropped", "overrun", "unplugged", "lines lost")
_NOT_CONNECTED = r"#XMQTTCON: 0\b"


def uart_trouble(record: Record) -> Iterator[Finding]:
    """Look for what the port's reader complained of, and for an end whose line never came."""
    fault = next((e for e in record.lines(Kind.FAULT) if any(word in e.text for word in _WORDS)), None)
    if fault and "observer" not in fault.source:
        yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, f"the UART: {fault.text}", (fault.seq,))
    session = record.sessions[-1] if record.sessions else None
    asked = record.first(_NOT_CONNECTED)
    if asked and session and session.opened and session.opened.seq < asked.seq and session.closed is None:
        text = f"the board says that it is not connected ({asked.text!r}), and no line said that the connection ended"
        yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, text, (asked.seq,))
