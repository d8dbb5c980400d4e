"""The broker heard nothing for one and a half keep-alives. Source: MQTT 3.1.1 [MQTT-3.1.2-24]."""

from collections.abc import Iterator

from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record

_TOLERANCE = 0.05
_PING_LOG = "MQTT ping error"


def keep_alive(record: Record) -> Iterator[Finding]:
    """Compare the silence before the end with the keep-alive that was configured."""
    if ping := next((event for event in record.lines() if _PING_LOG in event.text), None):
        yield Finding(Cause.KEEP_ALIVE, Weight.LIKELY, f"a ping was not answered: {ping.text!r}", (ping.seq,))
    session, seconds = record.ended, _configured(record)
    if not session or not session.closed or not seconds:
        return
    spoken = [event.t for event in (session.opened, *session.sent) if event]
    end = session.closed.t
    pings = [e.t for e in record.lines(Kind.MQTT) if e.data.get("kind") == "other" and e.t < end]
    silence = end - max([*spoken, *pings], default=end)
    if abs(silence - 1.5 * seconds) <= _TOLERANCE * 1.5 * seconds:
        text = f"the connection ended after {silence:.0f} s of silence: 1.5 times its keep-alive of {seconds} s"
        yield Finding(Cause.KEEP_ALIVE, Weight.LIKELY, text, (session.closed.seq,))


def _configured(record: Record) -> int:
    said = (record.asked(event).keep_alive for event in reversed(record.events) if event.kind is Kind.TX)
    return next((seconds for seconds in said if seconds is not None), 0)
