"""The verdict on a trial: computed from facts, never guessed.

MQTT 3.1.1 gives a client no reason when the broker hangs up, so the reason is proved by what else is known: the same
connection carried an allowed publish just before, the modem stayed registered, nothing restarted, the message reached
nobody, the same credentials connected again and the allowed publish worked again. :func:`judge` is a pure function
from :class:`Facts`, whatever was tried; whatever it cannot prove is inconclusive.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, NamedTuple

from harness import device_errno
from harness.trial.facts import Control, Facts, Sort, Stage
from harness.trial.phases import TroubleSource
from harness.trial.verdict import LAB_OUTCOMES, Outcome

VERSION: Final = 2
"""Of the rules below: rises when the same facts can get another verdict."""

REMOTE_CLOSE = frozenset(
    {device_errno.ENOTCONN, device_errno.ECONNABORTED, device_errno.ECONNRESET, device_errno.ECONNREFUSED}
)
"""How firmware reports a connection that the other side ended: FIN, FIN with data waiting, RST, FIN before CONNACK."""

_REFUSING = (401, 403, 404)
"""UNCONFIRMED which status nRF Cloud sends for which fault of a token, or for what a device may not see."""

_TROUBLE = {
    TroubleSource.NETWORK: Outcome.NETWORK_LOST,
    TroubleSource.BOARD: Outcome.BOARD_LOST,
    TroubleSource.CLOUD: Outcome.CLOUD_LOST,
    TroubleSource.LAB: Outcome.INCONCLUSIVE,
    TroubleSource.POLICIES: Outcome.NOTHING_ALLOWED,
}


class How(StrEnum):
    """What a sentence rests on."""

    EVENTS = "events"
    DOCUMENTS = "documents"
    ABSENCE = "absence"  # something that would have been recorded, and was not


class Sentence(NamedTuple):
    """One sentence of the evidence. ``refs``: sequence numbers of the events that show it."""

    code: str
    text: str
    refs: tuple[int, ...] = ()
    how: How = How.EVENTS

    def as_data(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"code": self.code, "text": self.text, "refs": list(self.refs), "how": self.how.value}


class Judgement(NamedTuple):
    """What facts prove, and why."""

    outcome: Outcome
    sentences: tuple[Sentence, ...]

    @property
    def evidence(self) -> str:
        """The sentences in one paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)


class _Evidence:
    """Collects sentences about ``facts``."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._said: list[Sentence] = []
        if facts.policy:
            self.say("policy", facts.policy, how=How.DOCUMENTS)

    def say(self, code: str, text: str, *shown_by: str, how: How = How.EVENTS) -> "_Evidence":
        """Add a sentence. ``shown_by``: the facts that it rests on."""
        refs = {ref for fact in shown_by for ref in self.facts.refs.get(fact, ())}
        self._said.append(Sentence(code, text, tuple(sorted(refs)), how))
        return self

    def prove(self, outcome: Outcome) -> Judgement:
        """Return the outcome with everything that was said."""
        return Judgement(outcome, tuple(self._said))


def judge(facts: Facts) -> Judgement:
    """Return the outcome that ``facts`` prove, and the evidence."""
    found = _troubled(facts) if facts.trouble else _JUDGES[facts.sort](facts)
    if found.outcome not in LAB_OUTCOMES:
        return found
    # A board that is booting does not answer, so the trial may have ended before it could be asked. One whose port went
    # away had lost its power: a start that followed is not its own doing.
    went_away = found.outcome is Outcome.BOARD_LOST
    if facts.restarted_earlier and not facts.remembers and not went_away:
        text = f"The board restarted or its modem failed during the trial: {facts.restarted_earlier!r}."
        because = Sentence("restarted", text, facts.refs.get("restarted_earlier", ()))
        return Judgement(Outcome.MODEM_RESET, (because, *found.sentences))
    if facts.dead:
        because = Sentence("dead", f"{facts.dead.text}.", facts.refs.get("dead", ()))
        return Judgement(_TROUBLE[facts.dead.party], (because, *found.sentences))
    return found


def _troubled(facts: Facts) -> Judgement:
    trouble = facts.trouble
    assert trouble is not None  # noqa: S101 - for the type checker
    text = trouble.text if trouble.text.endswith(".") else f"{trouble.text}."
    return Judgement(_TROUBLE[trouble.party], (Sentence("trouble", text, facts.refs.get("trouble", ())),))


def _disturbed(facts: Facts, evidence: _Evidence) -> Judgement | None:
    """Return the verdict on a trial in which something restarted or the network went away, None: neither."""
    if facts.remembers:
        said = facts.restarted or facts.restarted_earlier
        text = (
            f"Something said {said!r}, and the modem had kept its settings, as none does that restarted: "
            "something else writes to this port (ModemManager?)."
        )
        return evidence.say("no restart", text, "restarted_earlier", "remembers").prove(Outcome.INCONCLUSIVE)
    if facts.restarted:
        text = f"The board restarted or its modem failed during the trial: {facts.restarted!r}."
        return evidence.say("restarted", text, "restarted").prove(Outcome.MODEM_RESET)
    if facts.network_loss:
        text = f"The radio network went away during the trial: {facts.network_loss!r}."
        return evidence.say("network lost", text, "network_loss").prove(Outcome.NETWORK_LOST)
    return None


def _packet(facts: Facts) -> Judgement:
    evidence = _Evidence(facts)
    disturbed = _disturbed(facts, evidence)
    if disturbed is not None:
        return disturbed
    baseline = facts.baseline
    if baseline is None or not baseline.ok:
        failed = "it was not tried" if baseline is None else _shortcoming(baseline)
        text = f"Nothing can be said: the allowed action ({facts.control}) did not work beforehand, {failed}."
        return evidence.say("baseline failed", text, "baseline").prove(Outcome.INCONCLUSIVE)
    if facts.hang_up == 0:
        text = "The connection was ended from this side, during the trial."
        return evidence.say("own disconnect", text, "hang_up").prove(Outcome.INCONCLUSIVE)
    if not facts.sent:
        # A connection that ended before the action refuses nothing: the board had nothing left to send it on.
        end = "reported no end of the connection" if facts.hang_up is None else "the connection had ended before it"
        text = f"The board refused to send it, and {end}."
        return evidence.say("not sent", text, "sent").prove(Outcome.INCONCLUSIVE)
    text = f"Just before, on the same connection, {facts.control} worked ({span(baseline.seconds)})."
    evidence.say("baseline", text, "baseline")
    return _stayed(facts, evidence) if facts.hang_up is None else _hung_up(facts, facts.hang_up, evidence)


def _stayed(facts: Facts, evidence: _Evidence) -> Judgement:
    fence = facts.fence
    if fence is None or not fence.ok:
        lacking = _shortcoming(fence) if fence else "it was not sent"
        text = f"Then neither a hang-up nor the fence came: {lacking}."
        return evidence.say("silence", text, "fence", how=How.ABSENCE).prove(Outcome.INCONCLUSIVE)
    evidence.say("fence", f"The fence after it was acknowledged and seen too ({span(fence.seconds)}).", "fence")
    if facts.effect is False:
        text = f"The connection stayed, but there was no effect: {facts.effect_detail}."
        evidence.say("no effect", text, "effect", how=How.ABSENCE)
        if facts.garbled:
            text = f"But bytes were lost on the way from the board, perhaps those of the message: {facts.garbled!r}."
            return evidence.say("garbled", text, "garbled").prove(Outcome.INCONCLUSIVE)
        # Without a message there can be none, so silence is a refusal only where one was sent.
        return evidence.prove(Outcome.IGNORED if facts.message_sent else Outcome.INCONCLUSIVE)
    if facts.effect_detail:
        evidence.say("effect", f"Effect: {facts.effect_detail}.", "effect")
    return evidence.prove(Outcome.TOLERATED)


def _hung_up(facts: Facts, errno: int, evidence: _Evidence) -> Judgement:
    early = facts.fence is None or not facts.fence.ok
    when = " and before the fence was acknowledged." if early else ", after the fence: a refusal that came late."
    after = span(facts.hang_up_after)
    text = f"The board was hung up on, {device_errno.describe(errno)}, {after} after the action{when}"
    evidence.say("hang-up" if early else "late hang-up", text, "hang_up")
    if errno not in REMOTE_CLOSE:
        text = "That is not how a hang-up by the other side shows."
        return evidence.say("odd hang-up", text, "hang_up").prove(Outcome.INCONCLUSIVE)
    if facts.registered is None:
        text = "The modem was not registered afterwards."
        return evidence.say("not registered", text, "registered").prove(Outcome.NETWORK_LOST)
    text = f"The modem stayed registered ({facts.registered}) and nothing restarted."
    evidence.say("registered", text, "registered")
    if facts.reached:
        text = "Yet the message was delivered: the hang-up was not its refusal."
        return evidence.say("delivered", text, "reached").prove(Outcome.INCONCLUSIVE)
    if facts.reached is False:
        evidence.say("reached nobody", "The message reached nobody.", "reached", how=How.ABSENCE)
    if facts.reconnect_error or facts.after is None:
        text = f"The same credentials did not connect again: {facts.reconnect_error or 'nobody tried'}."
        return evidence.say("locked out", text, "reconnect_error").prove(Outcome.INCONCLUSIVE)
    if not facts.after.ok:
        text = (
            f"On the next connection the allowed action failed as well, {_shortcoming(facts.after)}: "
            "a duplicate client with this id, or something beyond the action, ends connections."
        )
        return evidence.say("failed again", text, "after").prove(Outcome.INCONCLUSIVE)
    text = "The same credentials connected again, and the allowed action worked again."
    return evidence.say("worked again", text, "after").prove(Outcome.POLICY_DISCONNECT)


_CONNECTS = {
    Stage.ACCEPTED: Outcome.TOLERATED,
    Stage.NO_SESSION: Outcome.REFUSED_IN_TLS,
    Stage.NO_CONNACK: Outcome.REFUSED_AT_CONNECT,
    Stage.REFUSED: Outcome.REFUSED_AT_CONNECT,
    Stage.SILENT: Outcome.INCONCLUSIVE,
}


def _connect(facts: Facts) -> Judgement:
    disturbed = _disturbed(facts, _Evidence(facts))
    if disturbed is not None:
        return disturbed
    if not facts.tries:
        return _unrecorded()
    attempt = facts.tries[-1]
    # Without a TLS session it never came to a decision on policies.
    evidence = _Evidence(replace(facts, policy="") if attempt.stage is Stage.NO_SESSION else facts)
    if facts.reconnect_error or facts.after is None:
        text = f"{attempt}; but the right login failed afterwards: {facts.reconnect_error or 'nobody tried'}."
        return evidence.say("locked out", text, "tries", "reconnect_error").prove(Outcome.INCONCLUSIVE)
    if not facts.after.ok:
        text = f"{attempt}; the right login did not work: {facts.after.detail}."
        return evidence.say("failed again", text, "tries", "after").prove(Outcome.INCONCLUSIVE)
    text = (
        "Before and after it the right login connected to the same host and port, and its allowed action worked; "
        f"with {facts.difference}: {attempt}. The modem stayed registered."
    )
    return evidence.say("connect", text, "tries", "registered", "after").prove(_CONNECTS[attempt.stage])


def _own_connect(facts: Facts) -> Judgement:
    if facts.refused_twice:
        first, second = facts.tries
        text = (
            f"TLS came up and CONNECT was refused, twice: {first}; {second}. "
            f"The modem stayed registered ({facts.registered}) and nothing restarted."
        )
        evidence = _Evidence(facts).say("connect refused", text, "tries", "registered")
        return evidence.prove(Outcome.REFUSED_AT_CONNECT)
    if not facts.control:
        return _unrecorded()
    text = f"Mutual TLS and CONNECT were accepted, and {facts.control} worked."
    return Judgement(Outcome.TOLERATED, (Sentence("connected", text, facts.refs.get("tries", ())),))


def _unrecorded() -> Judgement:
    text = "Nothing can be said: no attempt to connect was recorded."
    return Judgement(Outcome.INCONCLUSIVE, (Sentence("unrecorded", text, how=How.ABSENCE),))


def _call(facts: Facts) -> Judgement:
    evidence = _Evidence(facts)
    answer, before, after = facts.answer, facts.answer_before, facts.answer_after
    if answer is None:
        text = f"The same call with the right token was answered {before.said if before else 'by nothing'}."
        return evidence.say("call before", text, "answer_before").prove(Outcome.INCONCLUSIVE)
    evidence.say("answer", f"It was answered {answer.said}.", "answer")
    if before is not None and after is not None:
        text = f"The same call with the right token was answered {before.said} before and {after.said} after it."
        evidence.say("calls around", text, "answer_before", "answer_after")
        if not after.authorised:
            return evidence.prove(Outcome.INCONCLUSIVE)
    if answer.authorised:
        return evidence.prove(Outcome.AUTHORISED)
    return evidence.prove(Outcome.DENIED if answer.status in _REFUSING else Outcome.INCONCLUSIVE)


_JUDGES: Final[dict[Sort, Callable[[Facts], Judgement]]] = {
    Sort.PACKET: _packet,
    Sort.CONNECT: _connect,
    Sort.OWN_CONNECT: _own_connect,
    Sort.CALL: _call,
}


def span(seconds: float) -> str:
    """Return a length of time for a reader: ``12 ms``, ``3.4 s``."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _shortcoming(control: Control) -> str:
    lacks = "not acknowledged" if not control.acked else "acknowledged but not seen"
    return f"{lacks}{': ' + control.detail if control.detail else ''}"
