"""The harness ended the connection itself: by a command, or by switching the radio off.

The line for it may come late, inside the next session: errno 0 is never a hang-up by the other side.
"""

from collections.abc import Iterator, Sequence

from harness.timeline import Event, Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record
from harness.words import Ask


def own_disconnect(record: Record) -> Iterator[Finding]:
    """Look for the command, and for an end that the board reports as asked for.

    It is certain only where the end may be taken for a hang-up: it has an errno, or its line came where nothing had
    asked for it. An end that came as it was asked for surprises nobody, so it explains nothing.
    """
    end = record.hang_up
    asked = record.commands(Ask.DISCONNECT, Ask.OFFLINE, Ask.STOP)
    before = [event for event in asked if end is None or event.seq < end.seq]
    weight = Weight.CERTAIN if end is not None or _surprised(record, asked) else Weight.POSSIBLE
    if before and not _was_followed(record, before[-1], end):
        text = f"the harness asked for it: {before[-1].text}"
        yield Finding(Cause.OWN_DISCONNECT, weight, text, (before[-1].seq,))
        return
    for event in record.lines(Kind.MQTT):
        if end is None and event.data.get("kind") == "closed":
            text = "the board reports an end that was asked for"
            yield Finding(Cause.OWN_DISCONNECT, weight, text, (event.seq,))
            return


def _surprised(record: Record, asked: Sequence[Event]) -> bool:
    """True when a connection ended as asked, and the harness did not know that it would, or that it had.

    Nothing had asked for it since its CONNECT, and none went on; or packets were sent behind it, without a new CONNECT.
    """
    if any(session.sent and not session.asked and not session.opened for session in record.sessions[1:]):
        return True
    if any(session.opened and session.sent and session.closed is None for session in record.sessions):
        return False
    for session in record.sessions:
        begun = session.asked or session.opened
        if begun and session.closed and not any(begun.seq < event.seq < session.closed.seq for event in asked):
            return True
    return False


def _was_followed(record: Record, asked: Event, end: Event | None) -> bool:
    """True when a session ended between the command and ``end``: then the command belongs to an older one."""
    return end is not None and any(
        asked.seq < event.seq < end.seq and event.data.get("kind") == "closed" for event in record.lines(Kind.MQTT)
    )
