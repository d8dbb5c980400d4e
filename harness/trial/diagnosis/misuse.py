"""The harness, or the test, did something that no verdict can rest on."""

from collections.abc import Iterator

from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record
from harness.words import Ask, Asked


def misuse(record: Record) -> Iterator[Finding]:
    """Look for topics that MQTT forbids, and for more than one operation in flight at the end.

    A broker closes for the first, and of the second nobody can say which one it was (PUBACK has no id on the UART).
    Source: MQTT 3.1.1 §4.7.
    """
    for event in record.lines(Kind.TX):
        asked = record.asked(event)
        if fault := _fault(asked):
            yield Finding(Cause.MISUSE, Weight.LIKELY, f"{asked.topic!r} {fault}", (event.seq,))
            return
    session = record.ended
    # UNSUBSCRIBE needs no right and has an answer of its own kind: experiments send one behind an action.
    flying = [one for one in session.outstanding if record.asked(one).what is not Ask.UNSUBSCRIBE] if session else []
    if session and session.closed and len(flying) > 1:
        refs = (*(event.seq for event in flying), session.closed.seq)
        text = f"{len(flying)} operations were in flight at the end: nobody can say which one it was"
        yield Finding(Cause.MISUSE, Weight.POSSIBLE, text, refs)


def _fault(asked: Asked) -> str:
    topic = asked.topic
    if topic is None or asked.what is Ask.UNSUBSCRIBE:
        return ""
    if not topic:
        return "is an empty topic"
    if asked.what is Ask.PUBLISH:
        return "has a wildcard, which no topic of a PUBLISH may have" if set("#+") & set(topic) else ""
    levels = topic.split("/")
    if any("#" in level and (level != "#" or index != len(levels) - 1) for index, level in enumerate(levels)):
        return "has a # that is not its last level"
    if any("+" in level and level != "+" for level in levels):
        return "has a + that is not a whole level"
    return ""
