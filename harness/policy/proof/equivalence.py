"""Explains why a mutant changes nothing: every packet of the devices is decided as before.

In one connection conditions and variables are constant, so two versions of a statement can be compared as patterns.
Example: the mutant drops the Allow of ``a/b``, and an Allow of ``a/*`` stays. Its pattern covers ``a/b``, so no packet
is decided differently.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from harness.policy.derivation.case import Case
from harness.policy.documents.arn import resource_start
from harness.policy.documents.pattern import Token, as_text
from harness.policy.documents.statement import Effect, Statement
from harness.policy.evaluation.principal import Context, Principal
from harness.policy.proof.containment import covers, remainders
from harness.policy.proof.mutants import Mutant

_RESOURCE_TYPES = {
    "iot:Connect": "client",
    "iot:Publish": "topic",
    "iot:RetainPublish": "topic",
    "iot:Receive": "topic",
    "iot:Subscribe": "topicfilter",
}
MQTT_ACTIONS = tuple(_RESOURCE_TYPES)


class Equivalent(NamedTuple):
    """A mutant that changes nothing. ``proved``: there is a proof; otherwise no packet that shows it was found."""

    mutant: Mutant
    reason: str
    proved: bool

    def __str__(self) -> str:
        return f"{self.mutant}: {self.reason}"


def proved_equivalent(mutant: Mutant, cases: Iterable[Case]) -> bool:
    """Tell whether the patterns alone prove that every packet on the connections of ``cases`` is decided as before."""
    return _proof(mutant, cases) is not None


def explain_equivalence(
    mutant: Mutant,
    cases: Sequence[Case],
    *,
    untaken: Case | None = None,
    certain: bool = False,
    cut_off: bool = False,
) -> Equivalent:
    """Return why none of ``cases`` tells ``mutant`` from the documents.

    ``untaken``: a packet that tells it apart, but that the service never takes. ``certain``: it is proved that no other
    packet does. ``cut_off``: the search for one was given up.
    """
    reason = _proof(mutant, cases)
    if reason:
        return Equivalent(mutant, reason, True)
    given_up = "; the search for a topic that does was given up, because it took too long" if cut_off else ""
    if untaken is not None:
        text = f"only what AWS IoT does not take tells them apart, like {untaken.id}{given_up}"
        return Equivalent(mutant, text, certain)
    if certain:
        return Equivalent(mutant, "no topic is decided differently", True)
    return Equivalent(mutant, f"none of {len(cases)} candidates tells them apart{given_up}", False)


class _Meaning(NamedTuple):
    """What one pattern of a statement does in one connection for one action."""

    effect: Effect
    pattern: tuple[Token, ...]


def _proof(mutant: Mutant, cases: Iterable[Case]) -> str | None:
    before, after = mutant.before, mutant.after
    if not any(statement and statement.takes(action) for statement in (before, after) for action in MQTT_ACTIONS):
        return "no MQTT packet asks for its actions"
    connections = {(id(case.principal), case.documents): case for case in cases if mutant.document in case.documents}
    if not connections:
        return f"{mutant.document} is not in force for any of these devices"
    insides: list[str] = []
    settled: list[tuple[Principal, tuple[str, ...]]] = []
    for case in connections.values():
        # Values of the CONNECT count only for the CONNECT itself.
        plain = replace(case.principal, connect_attributes=(), last_will_topic=None), case.documents
        actions = ("iot:Connect",) if plain in settled else MQTT_ACTIONS
        settled.append(plain)
        rest = [
            statement
            for name in case.documents
            for statement in mutant.documents[name].statements
            if statement is not after
        ]
        for action in actions:
            context = Context(case.principal, connecting=action == "iot:Connect")
            old = _meanings([before], action, context, case)
            new = _meanings([after] if after else [], action, context, case)
            if old == new and old is not None:
                continue
            others = _meanings(rest, action, context, case)
            if old is None or new is None or others is None:
                return None
            for lost, kept in ((old - new, others | new), (new - old, others | old)):
                for meaning in lost:
                    wide = _holder(meaning, kept)
                    if wide is None:
                        return None
                    insides.append(as_text(wide.pattern))
    if insides:
        return f"all of it lies inside {insides[0]}, which stays"
    return _same(mutant)


def _same(mutant: Mutant) -> str:
    if mutant.after is None or mutant.after.effect != mutant.before.effect:
        return "it applies to no packet of these devices"
    if mutant.after.conditions != mutant.before.conditions:
        return "the condition holds in every connection that the document reaches"
    if mutant.after.actions != mutant.before.actions:
        return "no packet asks for the other action on these resources"
    if mutant.before.takes("iot:Connect"):
        return "a connection that the document reaches has the device's own id, which fits before and after"
    return "it comes to the same text in every connection that the document reaches"


def _meanings(statements: Iterable[Statement], action: str, context: Context, case: Case) -> set[_Meaning] | None:
    """Return what statements say about an action, or None if one has NotResource, which no pattern can express."""
    connect = next(resource for name, resource in case.checks if name == "iot:Connect")
    start = resource_start(connect)
    found: set[_Meaning] = set()
    for statement in statements:
        if not statement.takes(action) or statement.failed_condition(context):
            continue
        if statement.not_resource:
            return None
        for pattern in statement.parts(context, connect):
            if action == "iot:Connect":
                if pattern.matches(connect[start:]):
                    found.add(_Meaning(statement.effect, (connect,)))
            elif pattern.unresolved is None:
                rests = remainders(pattern.tokens, f"{_RESOURCE_TYPES[action]}/")
                found.update(_Meaning(statement.effect, rest) for rest in rests)
    return found


def _holder(meaning: _Meaning, others: Iterable[_Meaning]) -> _Meaning | None:
    """Return what makes ``meaning`` redundant: a wider resource with the same effect, or for an Allow a wider Deny."""
    for other in sorted(others, key=lambda other: len(as_text(other.pattern))):
        if other.effect in (meaning.effect, Effect.DENY) and covers(other.pattern, meaning.pattern):
            return other
    return None
