"""The policy refused it. One hang-up cannot show that; an experiment can, or the cloud's own word."""

from collections.abc import Iterator

from harness import device_errno
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record, errno_of

_CLOSES = {device_errno.ENOTCONN, device_errno.ECONNABORTED, device_errno.ECONNRESET}
_PROVED = {"policy disconnect", "policy disconnect (late)", "acknowledged, then hung up on"}


def policy(record: Record) -> Iterator[Finding]:
    """Take a proved experiment as proof, and one unanswered operation before a remote close as a possibility."""
    for event in record.events:
        if event.kind == "facts" and event.data.get("outcome") in _PROVED:
            yield Finding(Cause.POLICY, Weight.CERTAIN, f"an experiment showed it: {event.text}", (event.seq,))
            return
    session = record.ended
    if not session or not session.closed or errno_of(session.closed) not in _CLOSES:
        return
    if len(session.outstanding) == 1:
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
