"""Writes policy documents as JSON again, for example a mutant that a local cloud is to enforce."""

import json
from collections.abc import Sequence
from typing import Any

from harness.policy.documents.document import MOST_CHARACTERS, VERSION_WITHOUT, PolicyDocument, characters
from harness.policy.documents.statement import Statement

Object = dict[str, Any]


def document_json(document: PolicyDocument) -> str:
    """Return the shortest JSON text of the document, because AWS IoT limits the length.

    Placeholders (``${AWSAccountId}``) are filled already. Raises ValueError for a document without statements, which
    AWS does not take.
    """
    if not document.statements:
        raise ValueError(f"{document.name} has no statement")
    statements = [_statement(statement) for statement in document.statements]
    version = {} if document.version == VERSION_WITHOUT else {"Version": document.version}
    written = version | {"Statement": _single(statements)}
    return json.dumps(written, indent=2, ensure_ascii=False) + "\n"


def too_long(document: PolicyDocument) -> bool:
    """Tell whether even the shortest text of the document is too long for AWS IoT."""
    return bool(document.statements) and characters(document_json(document)) > MOST_CHARACTERS


def _statement(statement: Statement) -> Object:
    conditions: dict[str, Object] = {}
    for condition in statement.conditions:
        conditions.setdefault(condition.operator, {})[condition.key] = _single(condition.values)
    written: Object = {"Sid": statement.sid} if statement.sid is not None else {}
    written["Effect"] = statement.effect.value
    written["NotAction" if statement.not_action else "Action"] = _single(statement.actions)
    written["NotResource" if statement.not_resource else "Resource"] = _single(statement.resources)
    return written | ({"Condition": conditions} if conditions else {})


def _single(items: Sequence[Any]) -> Any:
    """Return the item alone if the list has only one, which means the same and is shorter."""
    return items[0] if len(items) == 1 else list(items)
