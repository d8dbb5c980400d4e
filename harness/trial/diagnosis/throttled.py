"""The cloud asked to go slower: HTTP 429, CONNACK 3, or the operator's APN rate control."""

from collections.abc import Iterator

from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record, errno_of

_TOO_MANY = 429
_SERVER_UNAVAILABLE = 3
_ECANCELED = 140


def throttled(record: Record) -> Iterator[Finding]:
    """Source: MQTT 3.1.1 §3.2.2.3; libmodem's ECANCELED; +CGEV: APNRATECTRL."""
    for event in record.events:
        if event.kind is Kind.CLOUD and event.data.get("status") == _TOO_MANY:
            yield Finding(Cause.THROTTLED, Weight.LIKELY, "the cloud answered HTTP 429", (event.seq,))
            return
        refused = event.kind is Kind.MQTT and event.data.get("kind") == "refused"
        if refused and event.data.get("result") == _SERVER_UNAVAILABLE:
            yield Finding(Cause.THROTTLED, Weight.LIKELY, "CONNACK 3: the server is unavailable", (event.seq,))
            return
    end = record.hang_up
    limited = record.first(r"\+CGEV: APNRATECTRL") or (end if end and errno_of(end) == _ECANCELED else None)
    if limited:
        text = "the operator limits the rate (APN rate control)"
        yield Finding(Cause.THROTTLED, Weight.LIKELY, text, (limited.seq,))
