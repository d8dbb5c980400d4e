"""Finds the command that undoes a command to a stand-in, so that a fault leaves everything as it was. Pure."""

from collections.abc import Mapping
from typing import Any, Final

_BY: Final[Mapping[str, tuple[str, tuple[str, ...], Mapping[str, Any]]]] = {  # by what; its keys; more of its fields
    "set-fault": ("clear-fault", ("board", "fault"), {}),
    "clear-fault": ("set-fault", ("board", "fault"), {}),
    "unplug-board": ("plug-board", ("board",), {}),
    "lose-registration": ("regain-network", ("board",), {}),
    "drop-pdn": ("regain-network", ("board",), {}),
    "detach-network": ("regain-network", ("board",), {}),
    "slow-attach": ("slow-attach", ("board",), {"seconds": 0.0}),
    "set-latency": ("set-latency", ("board",), {"seconds": 0.0}),
    "reset-during": ("reset-during", ("board", "begins"), {"times": 0}),
    "disturb-urcs": ("disturb-urcs", ("board", "how"), {"count": 0}),
    "stop-broker": ("start-broker", (), {}),
    "duplicate-client": ("stop-duplicate", ("client_id",), {}),
    "deafen-client": ("hear-client", ("client_id",), {}),
    "disturb-rest": ("clear-rest", (), {}),
}


def undo_of(name: str, fields: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the command, with its fields, that undoes a command; None: nothing can, or nothing has to.

    ``name``, ``fields``: of the command. ``answer``: to the command.
    """
    if name == "change-broker":
        return "change-broker", {"settings": dict(answer["settings"])}
    if name not in _BY:
        return None
    undo, keys, more = _BY[name]
    return undo, {key: fields[key] for key in keys} | dict(more)
