"""From events to a cause: what speaks for it, what speaks for others, and what nobody looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.timeline import Event, Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record
from harness.trial.diagnosis.registry import DIAGNOSERS
from harness.words import Dictionary


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``findings``: all, the strongest first. ``missing``: what nobody looked at."""

    cause: Cause
    findings: tuple[Finding, ...]
    missing: tuple[str, ...]

    @property
    def speaks_for(self) -> tuple[Finding, ...]:
        """Findings of the cause itself."""
        return tuple(finding for finding in self.findings if finding.cause is self.cause)


def diagnose(events: Sequence[Event], run: Sequence[Event] = (), *, words: Dictionary) -> Diagnosis:
    """Return why the connection in the window ``events`` ended, as far as it can be told.

    ``run``: the whole run's events; what shows only in many sessions (the same age at each end) needs it, and can
    overturn what a window alone says. ``words``: what commands and lines mean; of every firmware, because a timeline
    does not say which one it is of.
    """
    record = Record(events, run, words=words)
    found = [finding for diagnoser in DIAGNOSERS for finding in diagnoser(record)]
    found.sort(key=lambda finding: (-finding.weight, finding.refs[:1]))
    return Diagnosis(_cause(found), tuple(found), tuple(_missing(record)))


def _cause(found: Sequence[Finding]) -> Cause:
    """Return the cause of the strongest findings, the first of them in time: what came later may follow from it.

    A cause that merely fits is not named. The policy is never blamed if another cause is as strong: a refusal is the
    product's fault alone, so it must be beyond doubt.
    """
    strongest = [finding for finding in found if finding.weight is found[0].weight]
    if not strongest or strongest[0].weight < Weight.LIKELY:
        return Cause.INCONCLUSIVE
    causes = {finding.cause for finding in strongest}
    if Cause.POLICY in causes and len(causes) > 1:
        return Cause.INCONCLUSIVE
    return strongest[0].cause


def _missing(record: Record) -> list[str]:
    missing = []
    if record.reason is None:
        missing.append("the cloud's own reason was not read")
    lines = list(record.lines())
    if not any(event.text.startswith(("+CEREG", "+CGEV")) for event in lines):
        missing.append("nothing was heard of the radio network")
    if not any(event.text.startswith("+CGPADDR") for event in lines):
        missing.append("the device's address was not asked for")
    if not any(event.kind is Kind.MQTT for event in record.events):
        missing.append("the firmware reports no MQTT events, only log lines")
    return missing
