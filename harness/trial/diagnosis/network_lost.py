"""The radio network went away: registration lost, PDN connection ended, or another address than before.

A changed cell with the registration kept is not a loss. Neither is a +CEREG: 2 before the first registration: that is
how every attach begins. Source: nRF91x1 AT Commands reference, +CEREG, +CGEV, +CGPADDR; libmodem documentation, PDN
loss.
"""

import re
from collections.abc import Iterator

from harness import device_errno
from harness.timeline import Event, Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record, errno_of

_GONE = r"\+CGEV: (NW DETACH|ME DETACH|NW PDN DEACT|ME PDN DEACT|ME OVERHEATED|ME BATTERY LOW)|%MDMEV: (ME |RESET LOOP)"
_LOG = "Network connectivity lost"
_CEREG = re.compile(r"\+CEREG: (?:\d,(?=\d))?(\d+)")
_ADDRESS = re.compile(r"\+CGPADDR: \d+,(\S+)")
_REGISTERED = {"1", "5"}
_PATH_DEAD = {114: "ENETUNREACH", 115: "ENETDOWN", 116: "ETIMEDOUT"}


def network_lost(record: Record) -> Iterator[Finding]:
    """Look for the loss itself, for an address that changed, and for an errno that only a dead path gives."""
    line = record.first(_GONE) or next((e for e in record.lines() if _LOG in e.text), None) or _deregistered(record)
    if line:
        text = f"the radio network went away: {line.text!r}"
        yield Finding(Cause.NETWORK_LOST, Weight.CERTAIN, text, (line.seq,))
    if changed := _address_changed(record):
        text = f"the device's address changed from {changed[0].text!r} to {changed[1].text!r}: its PDN was rebuilt"
        yield Finding(Cause.NETWORK_LOST, Weight.CERTAIN, text, (changed[1].seq,))
    end = record.hang_up
    if end and errno_of(end) in _PATH_DEAD:
        text = f"the board reports {device_errno.describe(errno_of(end))}, which a dead path gives and a close does not"
        yield Finding(Cause.NETWORK_LOST, Weight.LIKELY, text, (end.seq,))


def _deregistered(record: Record) -> Event | None:
    was_registered = False
    for event in record.events:
        # It carried something, so it was registered before; one that was asked for (0) ends without a network too.
        if event.kind is Kind.MQTT and (event.data.get("kind") != "closed" or event.data.get("result")):
            was_registered = True
        if event.kind not in (Kind.RX, Kind.URC) or not (found := _CEREG.match(event.text)):
            continue
        if found[1] in _REGISTERED:
            was_registered = True
        elif was_registered:
            return event
    return None


def _address_changed(record: Record) -> tuple[Event, Event] | None:
    before: tuple[str, Event] | None = None
    for event in record.lines():
        if found := _ADDRESS.match(event.text):
            if before and before[0] != found[1]:
                return before[1], event
            before = found[1], event
    return None
