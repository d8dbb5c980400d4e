"""Policy documents back to JSON, for example a mutant that a local cloud is to enforce."""

import json
from typing import Any

from harness.policy.document import PolicyDocument
from harness.policy.statement import Statement


def document_json(document: PolicyDocument) -> str:
    """Return JSON text that reads as the same document. Placeholders (``${AWSAccountId}``) are filled already.

    Raises ValueError for a document without statements, which AWS does not take.
    """
    if not document.statements:
        raise ValueError(f"{document.name} has no statement")
    statements = [_statement(statement) for statement in document.statements]
    return json.dumps({"Version": document.version, "Statement": statements}, indent=2) + "\n"


def _statement(statement: Statement) -> dict[str, Any]:
    conditions: dict[str, dict[str, list[str]]] = {}
    for condition in statement.conditions:
        conditions.setdefault(condition.operator, {})[condition.key] = list(condition.values)
    written: dict[str, Any] = {"Sid": statement.sid} if statement.sid is not None else {}
    written["Effect"] = statement.effect.value
    written["NotAction" if statement.not_action else "Action"] = list(statement.actions)
    written["NotResource" if statement.not_resource else "Resource"] = list(statement.resources)
    return written | ({"Condition": conditions} if conditions else {})
