"""The account and region of a cloud: whichever its documents name.

A device only meets resources of its own cloud's account and region. So documents as exported from AWS, with the real
ones in their ARNs, are read as if they were of the examples', like the requests that are judged by them; taken at their
word they would grant nothing.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from harness.policy.documents.arn import EXAMPLE_ACCOUNT, EXAMPLE_REGION
from harness.policy.documents.conditions import Condition
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.json_paths import place_of, placed_resources
from harness.policy.documents.pattern import tokenise
from harness.policy.documents.statement import Statement
from harness.policy.errors import PolicyError
from harness.policy.proof.containment import covers

# Parts of an ARN by their position, and what is there in requests. One that is malformed (lint says so) stays as it is.
_PARTITION, _REGION, _ACCOUNT = 1, 3, 4
_WORDS: Final = {_PARTITION: "partition", _REGION: "region", _ACCOUNT: "account"}
_EXAMPLE: Final = {_PARTITION: "aws", _REGION: EXAMPLE_REGION, _ACCOUNT: EXAMPLE_ACCOUNT}
_FORM: Final = {
    _PARTITION: re.compile(r"aws[a-z-]*"),
    _REGION: re.compile(r"(?!\*$)[a-z0-9*?-]+"),
    _ACCOUNT: re.compile(r"(?!\*$)(?:[0-9]{12}|(?=.*[*?])[0-9*?]+)"),
}


class Clash(NamedTuple):
    """Two parts of one cloud's documents that no ARN can have both. ``path``: of the second one, in ``document``."""

    document: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}: {self.path}: {self.text}"


def clash(documents: Iterable[PolicyDocument]) -> Clash | None:
    """Return where documents name a second account, region or partition; None: they can be of one cloud."""
    found = _named(documents)
    return found if isinstance(found, Clash) else None


def at_home(documents: Iterable[PolicyDocument]) -> list[PolicyDocument]:
    """Return the documents of one cloud as if its account and region were the examples'. PolicyError for a clash."""
    documents = list(documents)
    named = _named(documents)
    if isinstance(named, Clash):
        raise PolicyError(str(named))
    if not named:
        return documents
    return [
        replace(document, statements=tuple(_moved(statement, named) for statement in document.statements))
        for document in documents
    ]


def _named(documents: Iterable[PolicyDocument]) -> dict[int, set[str]] | Clash:
    """Return by their position the parts that stand for another one than in requests; wildcards may fit it."""
    own: dict[int, tuple[str, str, str]] = {}
    seen: dict[int, set[str]] = {}
    for document in documents:
        for path, text in _texts(document):
            for position, part in _parts(text):
                if position == _ACCOUNT and part == EXAMPLE_ACCOUNT:
                    continue  # what ${AWSAccountId} was filled with: the cloud's own, whichever that is
                seen.setdefault(position, set()).add(part)
                name, where, known = own.setdefault(position, (document.name, path, part))
                if _fits(known, part):
                    own[position] = document.name, path, part
                elif not _fits(part, known):
                    other = where if name == document.name else f"{name}, {where},"
                    word = _WORDS[position]
                    reason = f"its {word} is {part}, but that of {other} is {known}; a cloud has one: write that, or *"
                    return Clash(document.name, path, reason)
    return {position: seen[position] for position, (_, _, part) in own.items() if part != _EXAMPLE[position]}


def _fits(wide: str, narrow: str) -> bool:
    return covers(tokenise(wide, variables=False), tokenise(narrow, variables=False))


def _texts(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """Yield path and text of whatever may be an ARN."""
    for statement in document.statements:
        start = f"$.Statement[{statement.number - 1}]"
        yield from ((start + place, resource) for place, resource in placed_resources(statement))
        for condition in statement.conditions:
            yield from ((start + place_of(condition), value) for value in condition.values)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    parts = text.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn" and parts[2] in ("iot", "*"):
        yield from ((position, parts[position]) for position, form in _FORM.items() if form.fullmatch(parts[position]))


def _moved(statement: Statement, named: dict[int, set[str]]) -> Statement:
    return replace(
        statement,
        resources=tuple(_rewritten(text, named) for text in statement.resources),
        conditions=tuple(_moved_condition(condition, named) for condition in statement.conditions),
    )


def _moved_condition(condition: Condition, named: dict[int, set[str]]) -> Condition:
    return replace(condition, values=tuple(_rewritten(text, named) for text in condition.values))


def _rewritten(text: str, named: dict[int, set[str]]) -> str:
    parts = text.split(":", 5)
    for position, part in _parts(text):
        if part in named.get(position, ()):
            parts[position] = _EXAMPLE[position]
    return ":".join(parts)
