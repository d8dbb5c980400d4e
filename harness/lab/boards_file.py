"""Reads boards.yaml and reports every mistake in it: one line each, with line, column and what to do."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import Misuse
from harness.lab.config import BUILT_IN_CLOUDS, BoardConfig, LabFile, LocalCloud, NrfCloudAccount, Schema, VirtualConfig
from harness.lab.nearest import nearest
from harness.lab.relations import relations
from harness.lab.yaml_marks import Document, Mistake, Place

_MODELS: tuple[type[BaseModel], ...] = (Schema, BoardConfig, VirtualConfig, LocalCloud, NrfCloudAccount)
_KEY_NAMES = {3: "cloud name", 6: "address"}  # of mappings whose keys are free, by the length of their path
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
        mistakes += relations(document, path.parent)
    schema: Schema | None = None
    if document.value is not None or not mistakes:
        try:
            schema = Schema.model_validate(document.value)
        except ValidationError as error:
            mistakes += [_mistake(document, details) for details in error.errors(include_url=False)]
    if mistakes or schema is None:
        raise _error(path, mistakes)
    lab_ca = None if schema.lab_ca is None else path.parent / schema.lab_ca
    return LabFile(path=path, lab_ca=lab_ca, clouds=BUILT_IN_CLOUDS | schema.clouds, boards=schema.boards)


def _error(path: Path, mistakes: list[Mistake]) -> BoardsFileError:
    return BoardsFileError([f"{path}:{m.line}:{m.column}: {m.text}" for m in sorted(set(mistakes))])


def _mistake(document: Document, details: ErrorDetails) -> Mistake:
    place, kind, value = details["loc"], details["type"], details["input"]
    is_key = place[-1:] == ("[key]",)
    key = (
        _KEY_NAMES.get(len(place), "key")
        if is_key
        else str(next((part for part in reversed(place) if isinstance(part, str)), ""))
    )
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        text = f"unknown key {key!r}; {nearest('key', key, _keys(place))}"
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
        return document.mistake(place, f"{name!r} cannot be {shown!r}; {nearest('value', str(shown), choices)}")
    if kind == "too_short":
        what = "a board" if key == "boards" else "an entry"
        return document.mistake(place, f"{key!r} is an empty list; add {what} to it")
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
