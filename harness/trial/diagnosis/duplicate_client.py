"""Another client with the same id evicts the board, again and again, whether it does something or not."""

import itertools
import statistics
from collections.abc import Iterator

from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record

_AT_LEAST = 3
LONGEST_BACK_OFF = 15.0
"""Seconds within which clients that were evicted come back: 1 to 10 s were seen in public reports."""


def duplicate_client(record: Record) -> Iterator[Finding]:
    """Look for short lives in a row, of sessions that also ended while nothing was asked for.

    An age limit looks just the same from the board: only the cloud's word can tell them apart, so it stays possible.
    """
    short = [one for one in record.all_sessions if one.age is not None and one.age <= LONGEST_BACK_OFF]
    idle = [one for one in short if not one.outstanding and one.closed]
    if len(short) < _AT_LEAST or not idle:
        return
    ages = [one.age for one in short if one.age is not None]
    text = (
        f"{len(short)} connections ended {statistics.fmean(ages):.3g} s after CONNACK on average, "
        f"{len(idle)} of them while nothing was asked for"
    )
    refs = tuple(itertools.chain.from_iterable((one.closed.seq,) for one in short if one.closed))
    yield Finding(Cause.DUPLICATE_CLIENT, Weight.POSSIBLE, text, refs)
