"""From the events of one plan on a firmware's own connection to what was seen of it: a pure function.

Each of its steps is a reconnect (:mod:`harness.trial.own_attempt`). A link that was lost by itself is no answer. The
observation is then worthless, which costs the experiment one bet and nothing else.
"""

from collections.abc import Sequence

from harness.firmware.cloud_library.evidence import LogClass
from harness.timeline import Event
from harness.trial.experiment import Done, Observation, Saw, VoidedBy
from harness.trial.own_attempt import own_attempts
from harness.trial.phases import span_of
from harness.trial.wire.plan_observation import Seen


def own_observation_of(events: Sequence[Event]) -> Seen:
    """Return what ``events`` show: those of one plan, from its begin on, as far as it came."""
    begin, inside, end = span_of(events, 0)
    attempts = [attempt for _, attempt in own_attempts((begin, *inside))]
    last = end or (inside[-1] if inside else begin)
    void, by = "", VoidedBy.NETWORK
    for attempt in attempts:
        if not attempt.connected and attempt.cause.what is not LogClass.KICKED:
            void = str(attempt.cause)
            by = VoidedBy.RESTART if attempt.cause.what is LogClass.MODEM_FAULT else VoidedBy.NETWORK
    done = tuple(Done(Saw.ANSWERED if one.connected else Saw.CLOSED, one.seconds) for one in attempts)
    refs = tuple(seq for one in attempts for seq in one.refs)
    return Seen(
        Observation(done, seconds=last.t - begin.t, void=void, voided_by=by),
        {"login": refs, "void": refs if void else ()},
    )
