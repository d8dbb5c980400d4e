"""Tells what a trial shows if its outcome is not what the documents say. No I/O.

A connection that stays although the documents refuse the packet does not yet show a permission: brokers other than AWS
IoT refuse a subscription with SUBACK 0x80, which Serial Modem reports like a granted one, and lose a refused message. A
permission was gained only if its effect was seen, or if the cloud is known to hang up on refusals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.policy.derivation.case import Case, Verb
from harness.policy_trials.trials import expected
from harness.trial import Outcome, Verdict

_HUNG_UP = frozenset({Outcome.POLICY_DISCONNECT, Outcome.REFUSED_AT_CONNECT})
_SEEN_AS = {Outcome.LATE_DISCONNECT: Outcome.POLICY_DISCONNECT, Outcome.REFUSED_IN_SUBACK: Outcome.IGNORED}
"""Outcomes that say of a policy what another one says: refused by a hang-up, whenever; refused, and the connection
stayed."""
_PROVING = frozenset({Outcome.TOLERATED, Outcome.IGNORED, *_HUNG_UP})


class Discrepancy(StrEnum):
    """How the deployed policies differ from the documents."""

    LACKS = "lacks"  # the deployed policies refuse what the documents allow
    GAINED = "gained"  # the deployed policies allow what the documents refuse
    STAYED = "stayed"  # the cloud did not hang up on what the documents refuse, and nothing shows that it allows it


class Packets(StrEnum):
    """Packets that a cloud refuses in one way."""

    CONNECTS = "connects"
    PUBLISHES = "publishes"
    SUBSCRIPTIONS = "subscriptions"


@dataclass(frozen=True, slots=True)
class TriedCase:
    """One trial of the set. ``verdict`` None: it was not run, for ``reason``."""

    case: Case
    verdict: Verdict | None = None
    reason: str = ""

    @property
    def proved(self) -> Outcome | None:
        """The outcome, or None if nothing is proved.

        If an allowed message was lost and the connection stayed, no policy was the cause.
        """
        outcome = None if self.verdict is None else _SEEN_AS.get(self.verdict.outcome, self.verdict.outcome)
        lost = outcome is Outcome.IGNORED and self.packets is Packets.PUBLISHES and self.case.allowed
        return outcome if outcome in _PROVING and not lost else None

    @property
    def differs(self) -> bool:
        """Whether it is proved that the cloud does not do what the documents say."""
        return self.proved is not None and self.proved is not expected(self.case)

    @property
    def packets(self) -> Packets:
        """The kind of packet; a cloud may refuse each kind in another way."""
        match self.case.request.verb:
            case Verb.CONNECT:
                return Packets.CONNECTS
            case Verb.PUBLISH:
                return Packets.PUBLISHES
            case Verb.SUBSCRIBE | Verb.RECEIVE:
                return Packets.SUBSCRIPTIONS

    @property
    def took_effect(self) -> bool:
        """Whether its effect was seen. A connection is its own effect."""
        accepted = self.proved is Outcome.TOLERATED
        return accepted and (self.packets is Packets.CONNECTS or bool(self.verdict and self.verdict.effect))

    @property
    def undelivered(self) -> bool:
        """Whether a message that was sent to a subscription did not arrive."""
        return self.packets is Packets.SUBSCRIPTIONS and self.proved is Outcome.IGNORED


def discrepancy(one: TriedCase, tried: Sequence[TriedCase]) -> Discrepancy | None:
    """Return the discrepancy that ``one`` of the trials shows; None: it agrees with the documents, or shows nothing."""
    if not one.differs:
        return None
    if one.case.closes:
        if one.took_effect:
            return Discrepancy.GAINED
        # A message that was refused in silence has no effect either, wherever it was refused.
        stayed = one.proved is Outcome.IGNORED or not _hangs_up(one.packets, tried)
        return Discrepancy.STAYED if stayed else Discrepancy.GAINED
    # Where the documents refuse the delivery alone, a hang-up shows that the subscription is refused too.
    return Discrepancy.GAINED if one.proved is Outcome.TOLERATED else Discrepancy.LACKS


def never_hung_up(packets: Packets, tried: Sequence[TriedCase]) -> int:
    """Return how many refused packets of this kind were tried, if the cloud hung up on none of them; else 0."""
    refused = _refused(packets, tried)
    return 0 if any(one.proved in _HUNG_UP for one in refused) else len(refused)


def _hangs_up(packets: Packets, tried: Sequence[TriedCase]) -> bool:
    """Tell whether a connection that stays shows that the cloud allows the packet.

    It does if the cloud hangs up on others of the kind, or refuses none. "Refuses none" needs a cloud that refuses no
    packet in silence, of whatever kind: an effect that was seen says nothing of packets that nobody can see.
    """
    if not never_hung_up(packets, tried):
        return True
    silent = any(one.proved is Outcome.IGNORED for kind in Packets for one in _refused(kind, tried))
    return not silent and any(one.took_effect for one in _refused(packets, tried))


def _refused(packets: Packets, tried: Sequence[TriedCase]) -> list[TriedCase]:
    return [one for one in tried if one.proved is not None and one.case.closes and one.packets is packets]
