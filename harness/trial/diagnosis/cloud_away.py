"""The cloud, or the way to it, went away: the observer lost its connection at the same moment, or a process died."""

from collections.abc import Iterator

from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record

_NEAR = 5.0
_WORDS = ("observer lost", "cloud went away", "cloud's process", "local cloud")


def cloud_away(record: Record) -> Iterator[Finding]:
    """Look for a loss on the cloud's side within seconds of the hang-up."""
    for event in record.lines(Kind.FAULT):
        if not any(word in event.text for word in _WORDS):
            continue
        near = record.hang_up is not None and abs(event.t - record.hang_up.t) <= _NEAR
        weight = Weight.LIKELY if near else Weight.POSSIBLE
        yield Finding(Cause.CLOUD_AWAY, weight, f"on the cloud's side: {event.text}", (event.seq,))
        return
