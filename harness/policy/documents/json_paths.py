"""Where the parts of a statement stand, as ends of a JSON path."""

import json
from collections.abc import Iterator

from harness.policy.documents.conditions import Condition
from harness.policy.documents.statement import Statement

# A place within a statement (``.Resource[1]``), and the warning about it.
Note = tuple[str, str]


def placed_actions(statement: Statement) -> Iterator[tuple[str, str]]:
    """Yield place and text of each action."""
    return _placed("NotAction" if statement.not_action else "Action", statement.actions)


def placed_resources(statement: Statement) -> Iterator[tuple[str, str]]:
    """Yield place and text of each resource."""
    return _placed("NotResource" if statement.not_resource else "Resource", statement.resources)


def place_of(condition: Condition) -> str:
    """Return the place of a condition."""
    return f".Condition[{json.dumps(condition.operator)}][{json.dumps(condition.key)}]"


def _placed(element: str, items: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if len(items) == 1:
        yield f".{element}", items[0]
        return
    for number, item in enumerate(items):
        yield f".{element}[{number}]", item
