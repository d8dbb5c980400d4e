"""JSON trees of device shadows: merging with time stamps, comparing, measuring. Pure functions.

Merging is JSON Merge Patch (RFC 7396). The metadata of a tree has the same shape, with ``{"timestamp": seconds}`` in
place of each leaf. Example: ``{"a": 1, "b": 2}`` with the change ``{"b": null, "c": 3}`` is ``{"a": 1, "c": 3}``.
"""

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]


def merge(tree: Mapping[str, Any], stamps: Mapping[str, Any], change: Mapping[str, Any], now: int) -> tuple[Tree, Tree]:
    """Return ``tree`` with ``change`` applied, and its metadata. The arguments are not modified.

    ``stamps``: the metadata so far. ``now``: seconds since 1970.
    """
    merged, metadata = dict(tree), dict(stamps)
    for key, new in change.items():
        if new is None:
            merged.pop(key, None)
            metadata.pop(key, None)
        elif isinstance(new, dict):
            old = merged.get(key)
            below, below_stamps = (old, metadata[key]) if isinstance(old, dict) else ({}, {})
            merged[key], metadata[key] = merge(below, below_stamps, new, now)
        else:
            merged[key], metadata[key] = new, stamp(new, now)
    return merged, metadata


def stamp(value: Any, now: int) -> Any:
    """Return metadata for ``value``. Removed members (null) have none."""
    if isinstance(value, dict):
        return {key: stamp(item, now) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [stamp(item, now) for item in value]
    return {"timestamp": now}


def difference(desired: Mapping[str, Any], reported: Mapping[str, Any]) -> Tree:
    """Return the members of ``desired`` that ``reported`` lacks or has different. Lists are compared as a whole."""
    delta: Tree = {}
    for key, want in desired.items():
        have = reported.get(key)
        if isinstance(want, dict) and isinstance(have, dict):
            below = difference(want, have)
            if below:
                delta[key] = below
        elif not same(want, have):
            delta[key] = want
    return delta


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal. Unlike with Python's ``==``, true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def depth(value: Any) -> int:
    """Return how many objects and lists are nested: 0 for a scalar, 1 for ``{"a": 1}``."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def contains_null_in_list(value: Any) -> bool:
    """Tell whether a list holds null at any depth, which a shadow could neither store nor remove."""
    if isinstance(value, dict):
        return any(map(contains_null_in_list, value.values()))
    return isinstance(value, list) and any(map(_holds_null, value))


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(_holds_null, value)))
