"""What an experiment on a firmware's own connection proved, and the sentences that say how it showed. Pure."""

from collections.abc import Sequence
from typing import Final

from harness.firmware.cloud_library.evidence import LogClass
from harness.timeline import Event
from harness.trial.judgement import How, Sentence
from harness.trial.own_attempt import own_attempts
from harness.trial.verdict import Outcome

_LOST_OR_HUNG_UP: Final = {LogClass.KICKED, LogClass.LINK_LOST, None}


def hung_up_on(events: Sequence[Event]) -> Outcome:
    """Return what a refusal is. One that no line shows as a hang-up is not proved: something else ended them."""
    ends = {attempt.cause.what for provoked, attempt in own_attempts(events) if provoked and not attempt.connected}
    hung_up = LogClass.KICKED in ends and ends <= _LOST_OR_HUNG_UP
    return Outcome.POLICY_DISCONNECT if hung_up else Outcome.INCONCLUSIVE


def own_sentences(events: Sequence[Event]) -> list[Sentence]:
    """Return what the log showed: how often it was hung up on, and the first chain."""
    attempts = own_attempts(events)
    on = [attempt for provoked, attempt in attempts if provoked]
    off = [attempt for provoked, attempt in attempts if not provoked]
    kicked = [attempt for attempt in on if attempt.cause.what is LogClass.KICKED]
    stayed = [attempt for attempt in off if attempt.connected]
    text = (
        f"{len(kicked)} of {len(on)} connections with the provocation were hung up on, "
        f"{len(stayed)} of {len(off)} without it stayed."
    )
    refs = tuple(sorted(seq for attempt in (*kicked, *stayed) for seq in attempt.refs))
    chain = next((attempt for attempt in on if attempt.chain is not None), None)
    if chain is None:
        return [Sentence("own", text, refs), Sentence("chain", "No hang-up.", how=How.ABSENCE)]
    return [Sentence("own", text, refs), Sentence("chain", f"{chain.chain}.", chain.refs)]
