"""Something in between ends connections at the same age, or at the same packet, whatever the packet is.

A refused action that is tried at the same place each time gives the same ages and packet numbers. So equal ages or
packet numbers count only if different packets, or none, were in flight when the connections ended.
"""

import statistics
from collections.abc import Iterator, Sequence

from harness.trial.diagnosis.duplicate_client import LONGEST_BACK_OFF
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record, SeenConnection, errno_of

_AT_LEAST = 3
_SPREAD = 0.1


def connection_limit(record: Record) -> Iterator[Finding]:
    """Compare the ends of all sessions that were hung up on."""
    ended = [one for one in record.all_sessions if one.opened and one.closed and errno_of(one.closed)]
    if len(ended) < _AT_LEAST or len({_in_flight(one) for one in ended}) < 2:
        return
    refs = tuple(one.closed.seq for one in ended if one.closed)
    ages = [one.age for one in ended if one.age is not None]
    counts = [len(one.sent) for one in ended]
    at_age, at_packet = _alike(ages), len(set(counts)) == 1
    if at_packet and not at_age:
        text = f"{len(ended)} connections ended at the same packet (number {counts[0]}), whatever it was"
        yield Finding(Cause.CONNECTION_LIMIT, Weight.LIKELY, text, refs)
    elif at_age:
        # A second client with the same id that comes back after seconds looks just the same: then it is only possible.
        weight = Weight.LIKELY if min(ages) > LONGEST_BACK_OFF else Weight.POSSIBLE
        text = f"{len(ended)} connections ended at the age of {statistics.fmean(ages):.3g} s, whatever was in flight"
        yield Finding(Cause.CONNECTION_LIMIT, weight, text, refs)


def _in_flight(session: SeenConnection) -> str:
    return session.outstanding[0].text if session.outstanding else ""


def _alike(values: Sequence[float]) -> bool:
    return statistics.pstdev(values) <= _SPREAD * statistics.fmean(values)
