"""Lint of resources that lie inside others: redundant ones, and an Allow that a Deny takes back."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.policy.documents.arn import resource_part, resource_start
from harness.policy.documents.conditions import Condition
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.json_paths import Note, placed_resources
from harness.policy.documents.pattern import tokenise
from harness.policy.documents.statement import Effect, Statement
from harness.policy.lint.actions import TYPES, is_greengrass, taken_by
from harness.policy.lint.containment import ONE, Encoder, Index
from harness.policy.lint.resources import types_met


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource with its statement. ``text``: the encoded pattern."""

    order: int
    statement: Statement
    path: str
    resource: str
    text: str
    actions: frozenset[str]  # the statement's known actions that the resource may be for
    conditions: frozenset[Condition]

    @property
    def part(self) -> str:
        """What follows the fifth colon, encoded."""
        return self.text[resource_start(self.text) :]

    @property
    def clear(self) -> bool:
        """Whether its meaning is known. How AWS IoT reads fewer than five colons is undocumented."""
        return self.resource == "*" or resource_start(self.resource) > 0

    def as_strong_as(self, other: "Entry") -> bool:
        """Tell whether its statement has all actions of the other's, and applies whenever that one does."""
        return self.actions >= other.actions and self.conditions <= other.conditions


def entries_of(document: PolicyDocument, encoder: Encoder) -> list[Entry]:
    """Return the resources that can be compared, in the order of the document."""
    found: list[Entry] = []
    for statement in document.statements:
        if statement.not_resource:
            continue
        taken, conditions = taken_by(statement), frozenset(statement.conditions)
        for path, resource in placed_resources(statement):
            met = types_met(resource, variables=statement.variables)
            actions = frozenset(name for name in taken if TYPES[name] in met)
            # A text with letters that the encoding uses itself cannot be compared.
            if actions and max(resource, default="") < ONE:
                text = encoder.encode(tokenise(resource, variables=statement.variables))
                found.append(Entry(len(found), statement, path, resource, text, actions, conditions))
    return found


def about_overlaps(entries: list[Entry]) -> Iterator[tuple[int, Note]]:
    """Yield warnings on resources without an effect of their own, each with the number of its statement.

    Either a Deny takes them back, or another resource has the same effect.
    """
    indexes = {
        effect: Index((one.text, one) for one in entries if one.statement.effect is effect and one.clear)
        for effect in Effect
    }
    for entry in entries:
        if any(map(is_greengrass, entry.statement.actions)):
            continue  # nothing is known to cover it
        effect, number = entry.statement.effect, entry.statement.number
        denied = _stronger(indexes[Effect.DENY], entry) if effect is Effect.ALLOW else None
        wider = denied or _stronger(indexes[effect], entry)
        if wider is None:
            continue
        one, other = _names(entry.resource, wider.resource)
        if denied:
            text = f"never allowed: {one} lies inside {other}, which statement {wider.statement.number} denies"
        else:
            where = "" if wider.statement is entry.statement else f" of statement {wider.statement.number}"
            text = f"redundant: {one} lies inside {other}{where}"
        yield number, (entry.path, text)


def _stronger(index: Index[Entry], entry: Entry) -> Entry | None:
    for other in index.covering(entry.text):
        if other is entry or not other.as_strong_as(entry):
            continue
        same_effect = other.statement.effect is entry.statement.effect
        # Of two that mean the same, only the later one is redundant.
        if same_effect and other.order > entry.order and other.text == entry.text and entry.as_strong_as(other):
            continue
        return other
    return None


def _names(one: str, other: str) -> tuple[str, str]:
    """Return the parts of two ARNs that a reader needs to see the difference."""
    starts = one[: resource_start(one)], other[: resource_start(other)]
    if all(starts) and starts[0] != starts[1]:
        return one, other
    return resource_part(one), resource_part(other)
