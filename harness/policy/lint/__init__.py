"""Finds what is suspicious in a correct policy document: parts without effect, or with more effect than meant."""

from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from harness.policy.documents.account import clash
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.json_paths import Note
from harness.policy.documents.statement import Statement
from harness.policy.evaluation.ruling import one_line
from harness.policy.lint.actions import about_actions, taken_by
from harness.policy.lint.clients import about_clients, denies_strangers
from harness.policy.lint.conditions import about_conditions
from harness.policy.lint.containment import Encoder
from harness.policy.lint.filters import about_wider_filters
from harness.policy.lint.overlap import about_overlaps, entries_of
from harness.policy.lint.resources import about_resources


class LintWarning(NamedTuple):
    """One suspicious place. ``path``: where in the document; a list with one entry has no index in it."""

    document: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}: {self.path}: {self.text}"


def lint(document: PolicyDocument) -> list[LintWarning]:
    """Return the suspicious places of a document, statement by statement."""
    encoder = Encoder()
    entries = entries_of(document, encoder)
    notes: list[tuple[int, Note]] = []
    strangers_denied = any(map(denies_strangers, document.statements))
    for statement in document.statements:
        notes += ((statement.number, note) for note in _about(statement, strangers_denied=strangers_denied))
    notes += (*about_overlaps(entries), *about_wider_filters(entries, encoder))
    notes.sort(key=itemgetter(0))  # of one statement in this order
    found = [
        LintWarning(document.name, f"$.Statement[{number - 1}]{path}", one_line(text)) for number, (path, text) in notes
    ]
    two = clash([document])
    return found if two is None else [*found, LintWarning(*two)]


def _about(statement: Statement, *, strangers_denied: bool) -> Iterator[Note]:
    taken = taken_by(statement)
    yield from about_actions(statement)
    yield from about_resources(statement, taken)
    if not strangers_denied:
        yield from about_clients(statement)
    yield from about_conditions(statement, taken)
