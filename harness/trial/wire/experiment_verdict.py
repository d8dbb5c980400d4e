"""From an experiment that was carried out to a verdict with its evidence. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from harness.firmware import WORDS
from harness.timeline import Event
from harness.trial.diagnosis import Cause, Diagnosis, Weight, diagnose
from harness.trial.experiment import Conclusion, ExperimentResult, Saw, Suspect
from harness.trial.facts import Sort, Stage
from harness.trial.judge import REFUSING
from harness.trial.judgement import How, Judgement, Sentence
from harness.trial.phases import Phase, spans
from harness.trial.verdict import LAB_OUTCOMES, Outcome
from harness.trial.wire.carried_experiment import CarriedOut, Changed, Setup, replayed
from harness.trial.wire.citations import cited
from harness.trial.wire.group_verdict import judged_group
from harness.trial.wire.later_look import looked_later
from harness.trial.wire.own_evidence import hung_up_on, own_sentences

_OUTCOMES: Final = {
    Conclusion.TOLERATED: Outcome.TOLERATED,
    Conclusion.IGNORED: Outcome.IGNORED,
    Conclusion.POLICY_DISCONNECT: Outcome.POLICY_DISCONNECT,
    Conclusion.LATE_DISCONNECT: Outcome.LATE_DISCONNECT,
    Conclusion.ACKNOWLEDGED_THEN_CLOSED: Outcome.ACKNOWLEDGED_THEN_CLOSED,
    Conclusion.REFUSED_IN_SUBACK: Outcome.REFUSED_IN_SUBACK,
    Conclusion.INCONCLUSIVE: Outcome.INCONCLUSIVE,
}
_SUSPECTS: Final = {Suspect.NETWORK_LOST: Outcome.NETWORK_LOST, Suspect.MODEM_RESET: Outcome.MODEM_RESET}
CONTROL: Final = "a CONNECT of MQTT 5"
"""What the own login is compared with."""
_COMPARED: Final = (
    "The right one was a CONNECT of MQTT 5 with the same credentials, its end held back until its session was older "
    "than any attempt of the login. Any CONNACK counts: it shows that the cloud's answers come through."
)
_TORN: Final = (
    "The right one was a session of the board with the same credentials, on which a CONNECT without its end was sent: "
    "a good link lets that stand, whatever the cloud thinks of the login."
)
"""In older files. It has no answer, so a link that cuts the cloud's answers alone was not seen."""
_ABSENT: Final = {"reached nobody", "rounds", "ignored"}


def judged(carried: CarriedOut, events: Sequence[Event]) -> Judgement:
    """Return the verdict. ``events``: of the attempt."""
    result = carried.result
    assert isinstance(result, ExperimentResult)  # noqa: S101 - for the type checker
    result = looked_later(result, events)
    sort = Sort(events[0].data["sort"])
    outcome = _OUTCOMES.get(result.conclusion) or _refused(sort, events)
    if sort is Sort.CALL and outcome is Outcome.TOLERATED:
        outcome = Outcome.AUTHORISED
    if result.suspect is not None:
        outcome = _SUSPECTS.get(result.suspect, outcome)
    refs = cited(result, carried.shown)
    # Without a TLS session it never came to a decision on policies.
    documents = "" if outcome is Outcome.REFUSED_IN_TLS else events[0].data.get("policy")
    policy = [Sentence("policy", documents, how=How.DOCUMENTS)] if documents else []
    said = [
        one
        if one.refs
        else Sentence(one.code, one.text, refs.get(one.code, ()), How.ABSENCE if one.code in _ABSENT else How.EVENTS)
        for one in result.sentences
    ]
    if sort is Sort.OWN_CONNECT:
        said.append(_compared(events))
    if sort is Sort.FIRMWARE:
        said += own_sentences(events)
    elif sort is Sort.NRF_CLOUD:
        text = "The firmware says that its connection ended (#XNRFCLOUD: 0), and never why."
        said.append(Sentence("no reason", text, how=How.ABSENCE))
    elif outcome in LAB_OUTCOMES or outcome in (Outcome.POLICY_DISCONNECT, Outcome.LATE_DISCONNECT):
        said += _diagnosed(diagnose(_last_end(events), events, words=WORDS), outcome)
    return Judgement(outcome, (*policy, *said), numbers(result))


def _compared(events: Sequence[Event]) -> Sentence:
    """Say what the own login was compared with, and which CONNACKs came: MQTT 5 has words for a refusal."""
    if events[0].data["experiment"]["subject"]["sham"] != CONTROL:
        return Sentence("compared", _TORN)
    answered = [span for span in spans(events).get(Phase.RIGHT, ()) if span.found.get("saw") == Saw.ANSWERED]
    codes = Counter(str(span.found.get("detail")) for span in answered)
    came = ", ".join(f"{code} ({number} times)" for code, number in codes.items()) or "none"
    ends = tuple(span.end.seq for span in answered if span.end is not None)
    return Sentence("compared", f"{_COMPARED} There came: {came}.", ends, How.EVENTS if ends else How.ABSENCE)


def _refused(sort: Sort, events: Sequence[Event]) -> Outcome:
    """Return where a login or a call was refused: where most of its attempts ended.

    If any was refused in words, only those count: the others may have been cut on the way.
    """
    if sort is Sort.FIRMWARE:
        return hung_up_on(events)
    if sort is Sort.NRF_CLOUD:  # it was connected, and its end is what was seen
        return Outcome.POLICY_DISCONNECT
    wrong = [span.found for span in spans(events).get(Phase.ACTION, ())]
    wrong = [found for found in wrong if found.get("saw") not in (Saw.ANSWERED, Saw.LATER)]
    wrong = [found for found in wrong if found.get("saw") == Saw.REFUSED] or wrong
    if sort is Sort.CALL:
        refusing = sum(found.get("status") in REFUSING for found in wrong)
        return Outcome.DENIED if 2 * refusing > len(wrong) else Outcome.INCONCLUSIVE
    stages = Counter(found.get("stage") for found in wrong)
    most = max(stages, key=stages.__getitem__, default=None)
    if most == Stage.SILENT or (sort is Sort.OWN_CONNECT and most == Stage.NO_SESSION):
        return Outcome.INCONCLUSIVE  # what the own login is compared with needs the same session
    return Outcome.REFUSED_IN_TLS if most == Stage.NO_SESSION else Outcome.REFUSED_AT_CONNECT


def judged_again(events: Sequence[Event]) -> Judgement:
    """Return the verdict that today's rules find in the events of an attempt."""
    setup = Setup.of(events[0].data["experiment"])
    judge_it = judged_group if setup.kind == "group" else judged
    try:
        return judge_it(replayed(events, setup), events)
    except Changed as change:
        return Judgement(Outcome.INCONCLUSIVE, (Sentence("changed", str(change)),))


def numbers(result: ExperimentResult) -> dict[str, Any]:
    """Return an experiment's numbers, ready for JSON."""
    suspect = None if result.suspect is None else result.suspect.value
    found: Mapping[str, Any] = asdict(result.tally)
    return {"one_in": result.one_in, "suspect": suspect, "tally": dict(found)}


def _last_end(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events of the connection that ended last, and not as asked: from CONNACK to what was asked then."""
    ends = [i for i, event in enumerate(events) if event.data.get("kind") == "closed" and event.data.get("result")]
    if not ends:
        return events
    opened = [i for i, event in enumerate(events[: ends[-1]]) if event.data.get("kind") == "accepted"]
    plan = (i for i in range(ends[-1], len(events)) if events[i].text == "plan ends")
    return events[opened[-1] if opened else 0 : next(plan, len(events)) + 1]


def _diagnosed(diagnosis: Diagnosis, outcome: Outcome) -> list[Sentence]:
    """Say what speaks for and against, and what nobody looked at."""
    said = []
    if outcome in LAB_OUTCOMES:
        for finding in (diagnosis.speaks_for or diagnosis.findings)[:3]:
            text = f"{finding.cause} is {finding.weight.name.lower()}: {finding.text}."
            said.append(Sentence("speaks for", text, finding.refs))
    else:
        for finding in diagnosis.findings:
            if finding.weight >= Weight.LIKELY:
                side = "for" if finding.cause is Cause.POLICY else "against"
                text = f"{side.capitalize()} it speaks ({finding.cause}): {finding.text}."
                said.append(Sentence(f"speaks {side}", text, finding.refs))
    if diagnosis.missing:
        said.append(Sentence("missing", f"Not looked at: {'; '.join(diagnosis.missing)}.", how=How.ABSENCE))
    return said
