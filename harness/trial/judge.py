"""The verdict on an attempt: computed from what its events show, never guessed.

An experiment decides about a packet, another login, and a token in question (:mod:`harness.trial.wire`). This module
knows what comes before it: trouble in the lab, a board that restarted, a process that died. And it decides where there
is nothing to experiment with: the board's own login, a call that is right, and a firmware's own connection that nobody
provokes.
"""

from typing import Final

from harness.firmware.cloud_library.evidence import LogClass
from harness.trial.facts import Facts, Reply, Sort
from harness.trial.judgement import How, Judgement, Sentence
from harness.trial.phases import TroubleSource
from harness.trial.verdict import LAB_OUTCOMES, Outcome

VERSION: Final = 7
"""Of the rules: rises when the same events can get another verdict. From 3 on experiments decide; from 4 on a hang-up
at the action counts only as long as an answer may take; from 5 on shams and the action are chased, the bound is divided
among all that one verdict may claim, and nothing is refused by a single trial; from 6 on nothing is sent between an
answered action and the window in which its late refusal is expected, and a login during which the network went away is
no refused one; from 7 on hang-ups that took long count only if the experiment's connections stayed for long enough, and
the action has fewer places where connections end at a limit of packets."""

ALONE: Final = 2
"""How often a login or a call must be refused where there is nothing to compare it with.

Each refusal must be in words that a cut cannot forge.
"""

RECONNECTS: Final = 3
"""Reconnects of a firmware's own connection in a row that must end by the cloud's doing: one is perhaps a cut."""

REFUSING = (401, 403, 404)
"""UNCONFIRMED which status nRF Cloud sends for which fault of a token, or for what a device may not see."""

_TROUBLE = {
    TroubleSource.NETWORK: Outcome.NETWORK_LOST,
    TroubleSource.BOARD: Outcome.BOARD_LOST,
    TroubleSource.CLOUD: Outcome.CLOUD_LOST,
    TroubleSource.LAB: Outcome.INCONCLUSIVE,
    TroubleSource.POLICIES: Outcome.NOTHING_ALLOWED,
}


def judge(facts: Facts, found: Judgement | None = None) -> Judgement:
    """Return the outcome, and the evidence. ``found``: what the attempt's experiment proved; None: it had none."""
    if facts.trouble:
        found = _troubled(facts)
    elif found is None:
        found = _ALONE.get(facts.sort, _call)(facts)
    if found.outcome not in LAB_OUTCOMES:
        return found
    # A board that is booting does not answer, so the trial may have ended before it could be asked. One whose port went
    # away had lost its power: a start that followed is not its own doing.
    went_away = found.outcome is Outcome.BOARD_LOST
    if facts.restarted_earlier and not facts.remembers and not went_away:
        text = f"The board restarted or its modem failed during the trial: {facts.restarted_earlier!r}."
        because = Sentence("restarted", text, facts.refs.get("restarted_earlier", ()))
        return Judgement(Outcome.MODEM_RESET, (because, *found.sentences), found.numbers)
    if facts.dead:
        because = Sentence("dead", f"{facts.dead.text}.", facts.refs.get("dead", ()))
        return Judgement(_TROUBLE[facts.dead.party], (because, *found.sentences), found.numbers)
    return found


def refused_in_words(answer: Reply) -> bool:
    """Tell whether the API itself refused a call: something in between that says 403 has no number of nRF Cloud's."""
    return answer.in_words and not answer.authorised and answer.status in REFUSING


def _troubled(facts: Facts) -> Judgement:
    trouble = facts.trouble
    assert trouble is not None  # noqa: S101 - for the type checker
    text = trouble.text if trouble.text.endswith(".") else f"{trouble.text}."
    return Judgement(_TROUBLE[trouble.party], (Sentence("trouble", text, facts.refs.get("trouble", ())),))


def _own_connect(facts: Facts) -> Judgement:
    policy = (Sentence("policy", facts.policy, how=How.DOCUMENTS),) if facts.policy else ()
    if facts.refused_twice:
        first, second = facts.tries
        text = (
            f"TLS came up and CONNECT was refused, twice: {first}; {second}. "
            f"The modem stayed registered ({facts.registered}) and nothing restarted."
        )
        refs = facts.refs_of("tries", "registered")
        return Judgement(Outcome.REFUSED_AT_CONNECT, (*policy, Sentence("connect refused", text, refs)))
    if facts.closed_twice:
        first, second = facts.tries
        text = (
            f"The own login came through TLS and no further, twice: {first}; {second}. A cut looks the same, and there "
            "is nothing to compare it with: this firmware cannot send a CONNECT without its end."
        )
        return Judgement(Outcome.INCONCLUSIVE, (*policy, Sentence("closed", text, facts.refs_of("tries"))))
    if not facts.control:
        text = "Nothing can be said: no attempt to connect was recorded."
        return Judgement(Outcome.INCONCLUSIVE, (Sentence("unrecorded", text, how=How.ABSENCE),))
    text = f"Mutual TLS and CONNECT were accepted, and {facts.control} worked."
    return Judgement(Outcome.TOLERATED, (Sentence("connected", text, facts.refs_of("tries")),))


def _call(facts: Facts) -> Judgement:
    if not facts.answers:
        text = "Nothing can be said: no answer was recorded."
        return Judgement(Outcome.INCONCLUSIVE, (Sentence("unrecorded", text, how=How.ABSENCE),))
    text = "; ".join(answer.said for answer in facts.answers)
    said = (Sentence("answer", f"It was answered {text}.", facts.refs_of("answers")),)
    if facts.answers[-1].authorised:
        return Judgement(Outcome.AUTHORISED, said)
    if sum(refused_in_words(answer) for answer in facts.answers) >= ALONE:
        why = f"The API refused it {ALONE} times in its own words; there is no call to compare it with."
        return Judgement(Outcome.DENIED, (*said, Sentence("refused", why, facts.refs_of("answers"))))
    why = "Nothing is proved: the API neither granted nor refused it in its own words; something in between may have."
    return Judgement(Outcome.INCONCLUSIVE, (*said, Sentence("unproved", why, how=How.ABSENCE)))


_OWN_ENDS = {
    # Nothing was forbidden, and it was hung up on.
    LogClass.KICKED: Outcome.NOTHING_ALLOWED,
    LogClass.REFUSED: Outcome.REFUSED_AT_CONNECT,
    LogClass.LINK_LOST: Outcome.NETWORK_LOST,
    LogClass.MODEM_FAULT: Outcome.MODEM_RESET,
}
_BY_CLOUD = frozenset({Outcome.NOTHING_ALLOWED, Outcome.REFUSED_AT_CONNECT})


def _firmware(facts: Facts) -> Judgement:
    if not facts.own:
        text = "Nothing can be said: no reconnect was recorded."
        return Judgement(Outcome.INCONCLUSIVE, (Sentence("unrecorded", text, how=How.ABSENCE),))
    refs, last = facts.refs_of("own"), facts.own[-1]
    before = "".join(f" Before that it did not stay: {one.said}." for one in facts.own[:-1])
    if last.connected:
        return Judgement(Outcome.TOLERATED, (Sentence("connected", f"It {last.said}.{before}", refs),))
    outcome = _OWN_ENDS.get(LogClass(last.end), Outcome.INCONCLUSIVE) if last.end else Outcome.INCONCLUSIVE
    text = f"Its connection did not stay: {last.said}.{before}"
    if outcome in _BY_CLOUD and len(facts.own) < RECONNECTS:
        outcome = Outcome.INCONCLUSIVE
        text += f" {RECONNECTS} such ends in a row would show that the cloud does it."
    return Judgement(outcome, (Sentence("own", text, refs),))


_ALONE = {Sort.OWN_CONNECT: _own_connect, Sort.FIRMWARE: _firmware}
"""What decides where there is no experiment."""
