"""Reads boards.yaml and reports every mistake in it: one line each, with line, column and what to do."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import Misuse
from harness.lab.config import BUILT_IN_CLOUDS, BoardConfig, LabFile, LocalCloud, NrfCloudAccount, Schema, VirtualConfig
from harness.lab.yaml_marks import Document, Mistake, Place

_MODELS: tuple[type[BaseModel], ...] = (Schema, BoardConfig, VirtualConfig, LocalCloud, NrfCloudAccount)
_PLACES = ("virtual", "port", "serial")  # a board is at exactly one of them
_TYPES = {
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


class BoardsFileError(Misuse):
    """Everything that is wrong with a boards file. ``lines``: one per mistake, in the file's order."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


def load_boards_file(path: Path) -> LabFile:
    """Read and check a boards file. Raises BoardsFileError with every mistake found."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise _error(path, [Mistake(line, column, "the file is not UTF-8; save it as UTF-8")]) from error
    except OSError as error:
        advice = "name an existing file with --boards, or write one: docs/boards-yaml.md describes it"
        raise BoardsFileError([f"{path}: cannot read the boards file: {error.strerror}; {advice}"]) from error
    document = Document(text)
    if document.empty:
        raise _error(path, [Mistake(1, 1, "the file is empty; write 'boards:' and a list of boards")])
    mistakes = list(document.mistakes)
    if document.value is not None:
        mistakes += _relations(document, path.parent)
    schema: Schema | None = None
    if document.value is not None or not mistakes:
        try:
            schema = Schema.model_validate(document.value)
        except ValidationError as error:
            mistakes += [_mistake(document, details) for details in error.errors(include_url=False)]
    if mistakes or schema is None:
        raise _error(path, mistakes)
    return LabFile(path=path, clouds=BUILT_IN_CLOUDS | schema.clouds, boards=schema.boards)


def _error(path: Path, mistakes: list[Mistake]) -> BoardsFileError:
    return BoardsFileError([f"{path}:{m.line}:{m.column}: {m.text}" for m in sorted(set(mistakes))])


def _relations(document: Document, folder: Path) -> Iterator[Mistake]:
    """Find what no single value shows. Looks at the plain data, so that one wrong value hides nothing else."""
    data = document.value if isinstance(document.value, dict) else {}
    clouds = data.get("clouds")
    clouds = clouds if isinstance(clouds, dict) else {}
    for name, cloud in clouds.items():
        policies = cloud.get("policies") if isinstance(cloud, dict) else None
        if isinstance(policies, str) and not (folder / policies).is_dir():
            text = f"no such directory: {folder / policies}; give one relative to this file, or leave the key out"
            yield document.mistake(("clouds", name, "policies"), text)
    known = [*BUILT_IN_CLOUDS, *(str(cloud) for cloud in clouds if cloud not in BUILT_IN_CLOUDS)]
    boards = data.get("boards")
    names: dict[str, int] = {}  # with the line of the first board of the name
    for index, board in enumerate(boards if isinstance(boards, list) else []):
        if not isinstance(board, dict):
            continue
        place = ("boards", index)
        yield from _where(document, place, board)
        name = board.get("name")
        if isinstance(name, str):
            if name in names:
                text = f"board {name!r} is there already, in line {names[name]}; give this one another name"
                yield document.mistake((*place, "name"), text)
            else:
                names[name] = document.mistake((*place, "name"), "").line
        wanted = board.get("cloud")
        if isinstance(wanted, str) and wanted not in known:
            text = f"unknown cloud {wanted!r}; {_nearest('cloud', wanted, known)}"
            yield document.mistake((*place, "cloud"), text)


def _where(document: Document, place: Place, board: dict[Any, Any]) -> Iterator[Mistake]:
    for key in (key for key in board if key in _PLACES and board[key] is None):
        text = f"{key!r} has no value; give it one" + (", virtual: {} for the defaults" if key == "virtual" else "")
        yield document.mistake((*place, key), text, at_key=True)
    given = [key for key in board if key in _PLACES]
    if not given:
        text = "the board has none of virtual, port and serial; give one of them: where it is"
        yield document.mistake(place, text)
    for extra in given[1:]:
        text = f"the board has {given[0]!r} and {extra!r}; keep one of them: a board is in one place"
        yield document.mistake((*place, extra), text, at_key=True)
    if "vcom" in board and "serial" not in board:
        text = "'vcom' chooses among the ports of a USB serial number; give 'serial' or remove 'vcom'"
        yield document.mistake((*place, "vcom"), text, at_key=True)


def _mistake(document: Document, details: ErrorDetails) -> Mistake:
    place, kind, value = details["loc"], details["type"], details["input"]
    is_key = place[-1:] == ("[key]",)
    key = "cloud name" if is_key else str(next((part for part in reversed(place) if isinstance(part, str)), ""))
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        text = f"unknown key {key!r}; {_nearest('key', key, _keys(place))}"
        return document.mistake(place, text, at_key=True)
    if kind == "missing":
        return document.mistake(place[:-1], f"key {key!r} is missing; add it")
    if kind == "union_tag_not_found":
        return document.mistake(place, "key 'kind' is missing; add kind: local or kind: nrfcloud")
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = str(context.get("expected") or context.get("expected_tags")).replace(" or ", ", ")
        choices = [choice.strip(" '") for choice in allowed.split(",")]
        shown, place = (value, place) if kind == "literal_error" else (context.get("tag"), (*place, "kind"))
        name = "kind" if kind == "union_tag_invalid" else key
        return document.mistake(place, f"{name!r} cannot be {shown!r}; {_nearest('value', str(shown), choices)}")
    if kind == "too_short":
        return document.mistake(place, f"{key!r} is an empty list; add a board to it")
    if kind in _TYPES:
        what = "the file" if not place else f"an entry of {key!r}" if isinstance(place[-1], int) else repr(key)
        cure = _retyped(document.raw(place), value, kind)
        return document.mistake(place, f"{what} cannot be {_shown(value)}: it {_TYPES[kind]}; {cure}", at_key=is_key)
    said = str(context["error"]) if kind == "value_error" else _plain(details["msg"])
    return document.mistake(place, f"{key!r} cannot be {_shown(value)}: it {said}; correct it", at_key=is_key)


def _retyped(raw: str, value: Any, kind: str) -> str:
    """Return the cure for a value of the wrong type: how to write what was probably meant."""
    if raw and kind == "string_type":
        return f'write "{raw}"'
    if raw and kind == "tuple_type":
        return f"write [{raw}]"
    if raw.isdigit() and isinstance(value, str) and kind in ("int_type", "float_type"):
        return f"write {raw} without quotes"
    return "correct it"


def _plain(message: str) -> str:
    """Turn pydantic's "Input should be …" into the second half of our sentence."""
    return "must " + message.partition(" should ")[2]


def _shown(value: Any) -> str:
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


def _keys(place: Place) -> list[str]:
    """Return the keys known where an unknown one stands: those of the model that the path leads to."""
    names = [part for part in place[:-1] if isinstance(part, str)]
    if not names:
        model: type[BaseModel] = Schema
    elif names[0] == "clouds":
        model = LocalCloud if names[-1] == "local" else NrfCloudAccount
    else:
        model = VirtualConfig if names[-1] == "virtual" else BoardConfig
    return list(model.model_fields)


def _nearest(what: str, word: str, known: list[str]) -> str:
    """Return "nearest known … is …; …", or all known ones when none is near."""
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"nearest known {what} is {near[0]!r}; correct it"
    return f"known {what}s: {', '.join(known)}; use one of them or remove the line"
