"""The account and region of a cloud are those that its documents name.

A device only meets resources of its own cloud's account and region. Requests here have the account and region of AWS's
examples. Documents exported from AWS have the real ones in their ARNs and would grant nothing, so they are read as if
they had those of the examples too.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from harness.policy.documents.arn import EXAMPLE_ACCOUNT, EXAMPLE_REGION
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.json_paths import place_of, placed_resources
from harness.policy.documents.pattern import tokenise
from harness.policy.documents.quotation import Quotation
from harness.policy.documents.statement import Statement
from harness.policy.errors import PolicyError
from harness.policy.proof.containment import covers

# Parts of an ARN by position, with their text in requests. A malformed part (lint reports it) stays as it is.
_PARTITION, _REGION, _ACCOUNT = 1, 3, 4
_WORDS: Final = {_PARTITION: "partition", _REGION: "region", _ACCOUNT: "account"}
_EXAMPLE: Final = {_PARTITION: "aws", _REGION: EXAMPLE_REGION, _ACCOUNT: EXAMPLE_ACCOUNT}
_FORM: Final = {
    _PARTITION: re.compile(r"aws[a-z-]*"),
    _REGION: re.compile(r"(?!\*$)[a-z0-9*?-]+"),
    _ACCOUNT: re.compile(r"(?!\*$)(?:[0-9]{12}|(?=.*[*?])[0-9*?]+)"),
}


class Clash(NamedTuple):
    """Two parts of one cloud's documents that contradict each other. ``path``: of the second one, in ``document``."""

    document: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}: {self.path}: {self.text}"


def clash(documents: Iterable[PolicyDocument]) -> Clash | None:
    """Return where documents name a second account, region or partition, or None if one cloud can have them all."""
    found = _named(documents)
    return found if isinstance(found, Clash) else None


def at_home(documents: Iterable[PolicyDocument]) -> list[PolicyDocument]:
    """Return the documents with the account and region of AWS's examples in place of the cloud's own.

    Raises PolicyError if the documents contradict each other, see :func:`clash`.
    """
    documents = list(documents)
    named = _named(documents)
    if isinstance(named, Clash):
        raise PolicyError(str(named))
    if not named.parts:
        return documents
    return [
        replace(document, statements=tuple(_moved(statement, named) for statement in document.statements))
        for document in documents
    ]


class _Named(NamedTuple):
    """The parts that have to be rewritten, by position, because requests have others. They may hold wildcards.

    ``head``: the start of an ARN of this cloud, as far as its documents name it.
    """

    parts: dict[int, set[str]]
    head: str


def _named(documents: Iterable[PolicyDocument]) -> _Named | Clash:
    """Return the parts that the documents of one cloud name, or where they contradict each other."""
    own: dict[int, tuple[str, str, str]] = {}
    seen: dict[int, set[str]] = {}
    for document in documents:
        for path, text in _texts(document):
            for position, part in _parts(text):
                if _is_any(text, position):
                    continue
                seen.setdefault(position, set()).add(part)
                name, where, known = own.setdefault(position, (document.name, path, part))
                if _fits(known, part):
                    own[position] = document.name, path, part
                elif not _fits(part, known):
                    other = where if name == document.name else f"{name}, {where},"
                    word = _WORDS[position]
                    reason = f"its {word} is {part}, but that of {other} is {known}; a cloud has one: write that, or *"
                    return Clash(document.name, path, reason)
    others = {position: seen[position] for position, (_, _, part) in own.items() if part != _EXAMPLE[position]}
    narrowest = {position: part for position, (_, _, part) in own.items()}
    partition, region, account = (narrowest.get(position, part) for position, part in _EXAMPLE.items())
    return _Named(others, f"arn:{partition}:iot:{region}:{account}:")


def _is_any(text: str, position: int) -> bool:
    """Tell whether a part stands for the cloud's own part, whatever that is.

    The examples' account comes from ${AWSAccountId}. An ARN with it and without a region fits any cloud, so its
    partition ``aws`` says nothing: nRF Cloud's documents may be of a cloud in China too.
    """
    parts = text.split(":", 5)
    placeholder = parts[_ACCOUNT] == EXAMPLE_ACCOUNT
    if position == _PARTITION:
        return parts[_PARTITION] == "aws" and parts[_REGION] == "*" and parts[_ACCOUNT] in (EXAMPLE_ACCOUNT, "*")
    return position == _ACCOUNT and placeholder


def _fits(wide: str, narrow: str) -> bool:
    return covers(tokenise(wide, variables=False), tokenise(narrow, variables=False))


def _texts(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """Yield the path and text of everything that may be an ARN."""
    for statement in document.statements:
        start = f"$.Statement[{statement.number - 1}]"
        yield from ((start + place, resource) for place, resource in placed_resources(statement))
        for condition in statement.conditions:
            yield from ((start + place_of(condition), value) for value in condition.values)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    parts = text.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn" and parts[2] in ("iot", "*"):
        yield from ((position, parts[position]) for position, form in _FORM.items() if form.fullmatch(parts[position]))


def _moved(statement: Statement, named: "_Named") -> Statement:
    conditions = tuple(
        replace(condition, values=tuple(_rewritten(value, named.parts) for value in condition.values))
        for condition in statement.conditions
    )
    texts = [*statement.resources, *(value for condition in statement.conditions for value in condition.values)]
    said = {_rewritten(text, named.parts): text for text in reversed(texts)}
    return replace(
        statement,
        resources=tuple(_rewritten(text, named.parts) for text in statement.resources),
        conditions=conditions,
        quotation=Quotation(said, named.head),
    )


def _rewritten(text: str, named: Mapping[int, set[str]]) -> str:
    parts = text.split(":", 5)
    for position, part in _parts(text):
        if part in named.get(position, ()):
            parts[position] = _EXAMPLE[position]
    return ":".join(parts)
