"""The policy refused it. One hang-up cannot show that; an experiment can, or the cloud's own word."""

from collections.abc import Iterator

from harness import device_errno
from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record, errno_of

_CLOSES = {device_errno.ENOTCONN, device_errno.ECONNABORTED, device_errno.ECONNRESET}


def policy(record: Record) -> Iterator[Finding]:
    """Take a proved experiment as proof, and one unanswered operation before a remote close as a possibility."""
    for event in record.events:
        # Only an experiment has ``one_in``, of "chance of a coincidence below 1 in N". A single trial proves nothing.
        if event.kind is Kind.FACTS and event.data.get("one_in"):
            text = f"an experiment showed it, with a chance of a coincidence below 1 in {event.data['one_in']:,}"
            yield Finding(Cause.POLICY, Weight.CERTAIN, text, (event.seq,))
            return
    session = record.ended
    if not session or not session.closed or errno_of(session.closed) not in _CLOSES:
        return
    if session.outstanding:
        sent = session.outstanding[0]
        text = (
            f"the other side closed {session.closed.t - sent.t:.3g} s after {sent.text[:80]!r}, before answering it "
            f"({device_errno.describe(errno_of(session.closed))})"
        )
        yield Finding(Cause.POLICY, Weight.POSSIBLE, text, (sent.seq, session.closed.seq))
    elif session.opened is None and session.asked is not None:
        text = "the other side closed before CONNACK: the policy refuses the CONNECT, or the certificate is not known"
        yield Finding(Cause.POLICY, Weight.POSSIBLE, text, (session.closed.seq,))
        yield Finding(Cause.CREDENTIAL_REFUSED, Weight.POSSIBLE, text, (session.closed.seq,))
