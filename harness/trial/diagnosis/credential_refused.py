"""The cloud refused the board's identity, before any topic was asked for; or the board has no key to prove it with."""

import re
from collections.abc import Iterator

from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record
from harness.words import Ask

_RETURN_CODES = {1: "protocol", 2: "client id", 4: "user name or password", 5: "not authorised"}
_NO_KEY = re.compile(r"Could not connect to .* err: -111|TRANSPORT_CONNECT_ERROR: -9")


def credential_refused(record: Record) -> Iterator[Finding]:
    """Source: MQTT 3.1.1 §3.2.2.3; nRF Connect SDK's log of missing credentials."""
    for event in record.events:
        refused = event.kind is Kind.MQTT and event.data.get("kind") == "refused"
        if refused and (why := _RETURN_CODES.get(event.data["result"])):
            text = f"CONNACK {event.data['result']}: {why}"
            yield Finding(Cause.CREDENTIAL_REFUSED, Weight.LIKELY, text, (event.seq,))
            return
    if log := next((event for event in record.lines() if _NO_KEY.search(event.text)), None):
        text = f"the board's log of missing or refused credentials: {log.text!r}"
        yield Finding(Cause.CREDENTIAL_REFUSED, Weight.LIKELY, text, (log.seq,))
        return
    for event in record.lines(Kind.RESULT):
        if event.data.get("ok") is False and record.asked(event).what is Ask.CONNECT:
            text = "no TLS session: name, network, trust and key all look alike to the board"
            yield Finding(Cause.CREDENTIAL_REFUSED, Weight.POSSIBLE, text, (event.seq,))
            return
