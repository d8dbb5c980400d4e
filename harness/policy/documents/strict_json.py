"""Reads JSON as a policy needs it: duplicate keys are noticed, and every mistake says where it is."""

import json
from typing import Any, NoReturn

from harness.policy.errors import PolicyError


class Object(dict[str, Any]):
    """A JSON object. ``repeated``: a key that it has twice. Python's reader silently keeps the last value."""

    repeated: str | None = None


def parse_json(text: str, *, name: str) -> Any:
    """Return the JSON value of ``text``, objects as :class:`Object`. ``name``: the document's, for the message."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise PolicyError(f"{name}: not JSON, at line {error.lineno} column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{name}: not JSON that can be read: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> Object:
    result = Object(pairs)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            result.repeated = key
        seen.add(key)
    return result


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON value")
