"""The harness ended the connection itself: by a command, or by switching the radio off.

The line for it may come late, inside the next session: errno 0 is never a hang-up by the other side.
"""

import re
from collections.abc import Iterator

from harness.timeline import Event, Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record

_COMMANDS = re.compile(r"AT(#XMQTTCON=0|\+CFUN=[04]\b|#XRESET|#XMODEMRESET|#XSHUTDOWN|#XSLEEP)")

_ENDED = "AT#XMQTTCON=0"


def own_disconnect(record: Record) -> Iterator[Finding]:
    """Look for the command, and for an end that the board reports as asked for.

    Where nobody hung up, and the harness went on with a connection of its own, or with what needs none, that was its
    routine: it explains nothing.
    """
    end = record.hang_up
    weight = Weight.POSSIBLE if end is None and _routine(record) else Weight.CERTAIN
    asked = [event for event in record.lines(Kind.TX) if _COMMANDS.match(event.text)]
    before = [event for event in asked if end is None or event.seq < end.seq]
    if before and not _was_followed(record, before[-1], end):
        text = f"the harness asked for it: {before[-1].text}"
        yield Finding(Cause.OWN_DISCONNECT, weight, text, (before[-1].seq,))
        return
    for event in record.lines(Kind.MQTT):
        if end is None and event.data.get("kind") == "closed":
            text = "the board reports an end that was asked for"
            yield Finding(Cause.OWN_DISCONNECT, weight, text, (event.seq,))
            return


def _routine(record: Record) -> bool:
    if _went_on_without(record):
        return True
    opened = [session for session in record.sessions if session.opened]
    went_on = [session for session in opened if session.sent and session.closed is None]
    return bool(went_on and len(record.sessions) > 1) or sum(bool(session.closed) for session in opened) > 1


def _went_on_without(record: Record) -> bool:
    """Tell whether the last connection was ended as asked, and commands followed that need none."""
    last = next((event for event in reversed(record.events) if event.data.get("kind") == "closed"), None)
    if last is None:
        return False
    end = last.seq
    closed = record.sessions[-1].closed
    if closed is None or closed.seq != end:
        return False  # packets were sent after it, or a connection was made
    sent = [event for event in record.events if event.kind is Kind.TX]
    before = [event for event in sent if event.seq < end]
    # The first command behind it is the driver's, which looks whether it has ended.
    return any(event.text == _ENDED for event in before) and len(sent) > len(before) + 1


def _was_followed(record: Record, asked: Event, end: Event | None) -> bool:
    """True when a session ended or began between the command and ``end``: then the command belongs to an older one."""
    return end is not None and any(
        asked.seq < event.seq < end.seq and event.data.get("kind") in ("closed", "accepted")
        for event in record.lines(Kind.MQTT)
    )
