"""Runs a command to its end, at once or after a time."""

from collections.abc import Callable

from harness.virtual.board.commands import Later, Lines, Refused, Reply, Wait
from harness.virtual.board.outputs import Outbox


def run(work: Callable[[], Reply], outbox: Outbox, finish: Callable[[Lines | Refused], None]) -> None:
    """Do ``work``; ``finish`` gets the answer or the refusal, unless somebody else answers later.

    ``outbox``: takes the timer of a command whose answer comes after a time.
    """
    try:
        reply = work()
    except Refused as refusal:
        finish(refusal)
        return
    if isinstance(reply, Wait):
        then = reply.then
        outbox.after(reply.seconds, lambda: run(then, outbox, finish))
    elif reply is not Later.LATER:
        finish(reply)
