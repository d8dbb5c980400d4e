"""The harness, or the test, did something that no verdict can rest on."""

import re
from collections.abc import Iterator

from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record

_CHASER = re.compile(r"AT#XMQTTUNSUB=|MQTT UNSUBSCRIBE ", re.IGNORECASE)
_TOPIC = re.compile(r'AT#XMQTT(PUB|SUB)="([^"]*)"', re.IGNORECASE)


def misuse(record: Record) -> Iterator[Finding]:
    """Look for topics that MQTT forbids, and for more than one operation in flight at the end.

    A broker closes for the first, and of the second nobody can say which one it was (PUBACK has no id on the UART).
    Source: MQTT 3.1.1 §4.7.
    """
    for event in record.lines(Kind.TX):
        found = _TOPIC.match(event.text)
        if found and (fault := _fault(found[1].upper(), found[2])):
            yield Finding(Cause.MISUSE, Weight.LIKELY, f"{found[2]!r} {fault}", (event.seq,))
            return
    session = record.ended
    # UNSUBSCRIBE needs no right and has an answer of its own kind: experiments send one behind an action.
    flying = [event for event in session.outstanding if not _CHASER.search(event.text)] if session else []
    if session and session.closed and len(flying) > 1:
        refs = (*(event.seq for event in flying), session.closed.seq)
        text = f"{len(flying)} operations were in flight at the end: nobody can say which one it was"
        yield Finding(Cause.MISUSE, Weight.POSSIBLE, text, refs)


def _fault(command: str, topic: str) -> str:
    if not topic:
        return "is an empty topic"
    if command == "PUB":
        return "has a wildcard, which no topic of a PUBLISH may have" if set("#+") & set(topic) else ""
    levels = topic.split("/")
    if any("#" in level and (level != "#" or index != len(levels) - 1) for index, level in enumerate(levels)):
        return "has a # that is not its last level"
    if any("+" in level and level != "+" for level in levels):
        return "has a + that is not a whole level"
    return ""
