"""The verdict on a trial: computed from facts, never guessed.

MQTT 3.1.1 gives a client no reason when the broker hangs up, so the reason is proved by what else is known: the same
connection carried an allowed publish just before, the modem stayed registered, nothing restarted, the message reached
nobody, the same credentials connected again and the allowed publish worked again. :func:`judge` is a pure function
from :class:`Facts`; whatever it cannot prove is inconclusive.
"""

from dataclasses import dataclass
from enum import StrEnum

from harness import device_errno
from harness.errors import LabError, Refusal


class Outcome(StrEnum):
    """What a trial showed."""

    TOLERATED = "tolerated"
    IGNORED = "ignored"  # the connection stayed, yet the action had no effect: neither allowed nor punished
    POLICY_DISCONNECT = "policy disconnect"
    REFUSED_AT_CONNECT = "refused at connect"
    REFUSED_IN_TLS = "refused in TLS"
    AUTHORISED = "authorised"  # REST
    DENIED = "denied"  # REST
    MODEM_RESET = "modem reset"
    NETWORK_LOST = "network lost"
    BOARD_LOST = "board lost"
    CLOUD_LOST = "cloud lost"
    INCONCLUSIVE = "inconclusive"


LAB_OUTCOMES = frozenset({Outcome.NETWORK_LOST, Outcome.BOARD_LOST, Outcome.CLOUD_LOST, Outcome.INCONCLUSIVE})
"""Outcomes that say nothing about the product: the lab's business, errors in a report."""

REMOTE_CLOSE = frozenset(
    {device_errno.ENOTCONN, device_errno.ECONNABORTED, device_errno.ECONNRESET, device_errno.ECONNREFUSED}
)
"""How firmware reports a connection that the other side ended: FIN, FIN with data waiting, RST, FIN before CONNACK."""


class WrongVerdict(Refusal):
    """The trial is proved, and it is not what was expected: the product's misbehaviour."""


class Unproved(LabError):
    """The lab kept the trial from being proved: network, board, cloud, or evidence that does not hold together."""


@dataclass(frozen=True, slots=True)
class Control:
    """One run of the allowed action that frames a trial. ``seconds``: from sending to being seen."""

    acked: bool
    seen: bool
    seconds: float
    detail: str = ""

    @property
    def ok(self) -> bool:
        """True when it was acknowledged and its message arrived where it should."""
        return self.acked and self.seen


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a verdict rests on. ``None`` means that nobody looked, or nobody could."""

    action: str
    control: str
    baseline: Control
    sent: bool = True
    fence: Control | None = None
    hang_up: int | None = None  # the device's errno, positive; 0: it was asked to end the connection
    hang_up_after: float = 0.0  # seconds from the action
    network_loss: str | None = None  # the +CEREG or +CGEV line that shows it
    registered: str | None = None  # how the modem answered +CEREG? afterwards, None: it was not registered
    restarted: str | None = None
    reached: bool | None = None
    effect: bool | None = None  # subscribe: a message arrived; publish: it was seen where it belongs
    effect_detail: str = ""
    message_sent: bool | None = None  # where there was no effect: was there a message that could have had one?
    reconnect_error: str | None = None
    after: Control | None = None
    policy: str = ""  # what the policy documents say of the action


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome with its evidence in one paragraph. ``attempts``: how often the trial was run to get it.

    ``effect``: whether what a publish or subscription is for was seen to happen; None: nobody could look.
    """

    outcome: Outcome
    action: str
    evidence: str
    attempts: int = 1
    effect: bool | None = None

    def expect(self, *wanted: Outcome) -> "Verdict":
        """Return self when the outcome is ``wanted``. Raises WrongVerdict, or Unproved for the lab's outcomes."""
        __tracebackhide__ = True
        if self.outcome in wanted:
            return self
        names = " or ".join(wanted)
        message = f"{self.action}: expected {names}, got {self.outcome}. {self.evidence}"
        raise (Unproved if self.outcome in LAB_OUTCOMES else WrongVerdict)(message)

    def __str__(self) -> str:
        tries = f" (attempt {self.attempts})" if self.attempts > 1 else ""
        return f"{self.action}: {self.outcome}{tries}. {self.evidence}"


def judge(facts: Facts) -> tuple[Outcome, str]:
    """Return the outcome that ``facts`` prove, and the evidence in one paragraph."""
    outcome, because = _judge(facts)
    return outcome, " ".join(sentence for sentence in (facts.policy, *because) if sentence)


def _judge(facts: Facts) -> tuple[Outcome, list[str]]:
    if facts.restarted:
        return Outcome.MODEM_RESET, [f"The board restarted or its modem failed during the trial: {facts.restarted!r}."]
    if facts.network_loss:
        return Outcome.NETWORK_LOST, [f"The radio network went away during the trial: {facts.network_loss!r}."]
    if not facts.baseline.ok:
        return Outcome.INCONCLUSIVE, [
            f"Nothing can be said: the allowed action ({facts.control}) did not work beforehand, "
            f"{_shortcoming(facts.baseline)}."
        ]
    if facts.hang_up is None:
        return _stayed(facts)
    return _hung_up(facts)


def _stayed(facts: Facts) -> tuple[Outcome, list[str]]:
    if not facts.sent:
        return Outcome.INCONCLUSIVE, ["The board refused to send it, and reported no end of the connection."]
    fence = facts.fence
    if fence is None or not fence.ok:
        return Outcome.INCONCLUSIVE, [
            _before(facts),
            "Then neither a hang-up nor the fence came: " + (_shortcoming(fence) if fence else "it was not sent") + ".",
        ]
    because = [_before(facts), f"The fence after it was acknowledged and seen too ({span(fence.seconds)})."]
    if facts.effect is False:
        because.append(f"The connection stayed, but there was no effect: {facts.effect_detail}.")
        # Without a message there can be none, so silence is a refusal only where one was sent.
        return Outcome.IGNORED if facts.message_sent else Outcome.INCONCLUSIVE, because
    if facts.effect_detail:
        because.append(f"Effect: {facts.effect_detail}.")
    return Outcome.TOLERATED, because


def _hung_up(facts: Facts) -> tuple[Outcome, list[str]]:
    errno = facts.hang_up or 0
    if errno == 0:
        return Outcome.INCONCLUSIVE, ["The connection was ended from this side, during the trial."]
    early = facts.fence is None or not facts.fence.ok
    because = [
        _before(facts),
        f"The board was hung up on, {device_errno.describe(errno)}, {span(facts.hang_up_after)} after the action"
        + (" and before the fence was acknowledged." if early else ", after the fence: a refusal that came late."),
    ]
    if errno not in REMOTE_CLOSE:
        return Outcome.INCONCLUSIVE, [*because, "That is not how a hang-up by the other side shows."]
    if facts.registered is None:
        return Outcome.NETWORK_LOST, [*because, "The modem was not registered afterwards."]
    because.append(f"The modem stayed registered ({facts.registered}) and nothing restarted.")
    if facts.reached:
        return Outcome.INCONCLUSIVE, [*because, "Yet the message was delivered: the hang-up was not its refusal."]
    if facts.reached is False:
        because.append("The message reached nobody.")
    if facts.reconnect_error or facts.after is None:
        reason = facts.reconnect_error or "nobody tried"
        return Outcome.INCONCLUSIVE, [*because, f"The same credentials did not connect again: {reason}."]
    if not facts.after.ok:
        return Outcome.INCONCLUSIVE, [
            *because,
            f"On the next connection the allowed action failed as well, {_shortcoming(facts.after)}: "
            "a duplicate client with this id, or something beyond the action, ends connections.",
        ]
    because.append("The same credentials connected again, and the allowed action worked again.")
    return Outcome.POLICY_DISCONNECT, because


def span(seconds: float) -> str:
    """Return a length of time for a reader: ``12 ms``, ``3.4 s``."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _before(facts: Facts) -> str:
    return f"Just before, on the same connection, {facts.control} worked ({span(facts.baseline.seconds)})."


def _shortcoming(control: Control) -> str:
    lacks = "not acknowledged" if not control.acked else "acknowledged but not seen"
    return f"{lacks}{': ' + control.detail if control.detail else ''}"
