"""Mistakes in settings, in one sentence each: for boards.yaml, for a JSON document and for a command line."""

import difflib
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.settings.board import RENAMED
from harness.settings.fields import known_keys

TYPES: Final = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
}


def sentences(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one sentence for each mistake in a document, in its order."""
    found = []
    for details in error.errors(include_url=False):
        place = details["loc"]
        if details["type"] == "extra_forbidden":
            key = str(place[-1])
            where = "".join(f"{part}." for part in place[:-1])
            found.append(unknown_key(f"{where}{key}", key, known_keys(model, place[:-1])))
        else:
            found.append(sentence(details, ".".join(map(str, place)) or "the document"))
    return found


def sentence(details: ErrorDetails, name: str, *, cure: str = "correct it") -> str:
    """Return what is wrong with a value and what to do.

    ``details``: pydantic's; not those of an unknown key. ``name``: what the value is to the user, e.g. ``--baud``.
    ``cure``: what to do about a value of the wrong type or range.
    """
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    if kind == "missing":
        return f"key {name} is missing; add it"
    if kind == "value_error" and not details["loc"]:  # about how the parts of a document fit together
        return f"{context['error']}; {cure}"
    if kind == "json_invalid":
        return f"it is not JSON: {context['error']}; {cure}"
    if kind in ("literal_error", "enum"):
        said_so = str(context["expected"]).replace(" or ", ", ").split(",")
        choices = [choice for said in said_so if (choice := said.strip(" '"))]  # "" is what is meant if it is left out
        if not isinstance(value, str) and str(value) in choices:
            return f'{name} cannot be {show(value)}: it must be text; write "{value}"'
        return f"{name} cannot be {show(value)}; {nearest('value', str(value), choices)}"
    if kind in TYPES:
        said = TYPES[kind]
    elif kind == "value_error":
        said = str(context["error"])
    else:  # pydantic's "Input should be ..." or "Tuple should have ..."
        said = "must " + details["msg"].partition(" should ")[2]
    if isinstance(value, dict | list | tuple):
        return f"{name} {said}" + (f", not {show(value)}; {cure}" if kind in TYPES else f"; {cure}")
    return f"{name} cannot be {show(value)}: it {said}; {cure}"


def unknown_key(name: str, key: str, known: Sequence[str]) -> str:
    """Return the sentence about an unknown key.

    ``name``: the key with its place. ``key``: the key alone. ``known``: the keys that there are.
    """
    if key in RENAMED and RENAMED[key] in known:
        return f"key {name!r} is called {RENAMED[key]!r} now; rename it"
    return f"unknown key {name!r}; {nearest('key', key, known)}"


def nearest(what: str, word: str, known: Sequence[str]) -> str:
    """Return "nearest known … is …; …", or all known ones if none is near.

    ``what``: the kind of word, e.g. "key". ``word``: the unknown one. ``known``: the words that there are.
    """
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"nearest known {what} is {near[0]!r}; correct it"
    return f"known {what}s: {', '.join(known)}; use one of them or leave it out"


def show(value: Any) -> str:
    """Return a value as a message shows it."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case str():
            return repr(value)
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
    return str(value)
