"""Reads boards.yaml and reports every mistake in it: one line each, with line, column and what to do."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from serial.tools import list_ports

from harness.errors import Misuse
from harness.lab.boards_text import NotAFile, read_boards_text
from harness.lab.config import BUILT_IN_CLOUDS, LabFile, LocalCloudConfig, NrfCloudAccount, Schema
from harness.lab.cross_checks import boards_without_cloud, relations
from harness.lab.discovery import PortInfo
from harness.lab.hardware_checks import hardware
from harness.lab.places.config import LabgridConfig
from harness.lab.power_config import POWER_KINDS
from harness.lab.yaml_marks import Document, Mistake, Place
from harness.settings.fields import known_keys
from harness.settings.sentences import TYPES, nearest, sentence, unknown_key

_KEY_NAMES = {3: "cloud name", 6: "address"}  # mappings with keys of the user's choice, by the length of their path


class BoardsFileError(Misuse):
    """All mistakes in a boards file. ``lines``: one for each, in the file's order."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


def load_boards_file(path: Path, *, comports: Callable[[], Iterable[PortInfo]] = list_ports.comports) -> LabFile:
    """Read and check a boards file. Raises BoardsFileError with every mistake found.

    ``comports``: the attached serial ports, with which the file is compared.
    """
    try:
        text = read_boards_text(path)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise _error(path, [Mistake(line, column, "the file is not UTF-8; save it as UTF-8")]) from error
    except OSError as error:
        raise unreadable(path, error) from error
    document = Document(text)
    if document.empty:
        raise _error(path, [Mistake(1, 1, "the file is empty; write 'boards:' and a list of boards")])
    mistakes = list(document.mistakes)
    if document.value is not None:
        mistakes += relations(document, path.parent)
        mistakes += hardware(document, _boards(document.value), comports)
    schema: Schema | None = None
    if document.value is not None or not mistakes:
        try:
            schema = Schema.model_validate(document.value)
        except ValidationError as error:
            mistakes += [_mistake(document, details) for details in error.errors(include_url=False)]
    if mistakes or schema is None:
        raise _error(path, mistakes)
    lab_ca = None if schema.lab_ca is None else path.parent / schema.lab_ca
    clouds = BUILT_IN_CLOUDS | schema.clouds
    given: dict[str, Any] = {name: getattr(schema, name) for name in ("boards", "reports", "verdicts")}
    given["labgrid"] = schema.labgrid or LabgridConfig()
    given["without_cloud"] = {name: _line(path, mistake) for name, mistake in boards_without_cloud(document)}
    given["firmware_lines"] = dict(_firmware_lines(path, document))
    return LabFile(path=path, lab_ca=lab_ca, clouds=clouds, lab=schema.lab or "", **given)


def unreadable(path: Path, error: OSError) -> BoardsFileError:
    """Return the error to raise for a boards file that ``error`` has kept from being read."""
    advice = "name an existing file, or write one: docs/boards-yaml.md describes it"
    if isinstance(error, NotAFile):
        advice = error.cure
    elif not isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        advice = "name another file"
    elif isinstance(error, PermissionError):
        advice = "let your user read it, or name another file"
    return BoardsFileError([f"{path}: cannot read the boards file: {error.strerror}; {advice}"])


def _firmware_lines(path: Path, document: Document) -> Iterator[tuple[str, str]]:
    """Yield name and ``file:line: firmware: ...`` of each board whose firmware is written as one word."""
    for index, board in enumerate(_boards(document.value)):
        if isinstance(board.get("firmware"), str):
            place = ("boards", index, "firmware")
            yield board["name"], f"{path}:{document.mistake(place, '').line}: firmware: {document.raw(place)}"


def _boards(value: Any) -> list[Any]:
    boards = value.get("boards") if isinstance(value, dict) else None
    return boards if isinstance(boards, list) else []


def _error(path: Path, mistakes: list[Mistake]) -> BoardsFileError:
    return BoardsFileError([_line(path, mistake) for mistake in sorted(set(mistakes))])


def _line(path: Path, mistake: Mistake) -> str:
    return f"{path}:{mistake.line}:{mistake.column}: {mistake.text}"


def _mistake(document: Document, details: ErrorDetails) -> Mistake:
    place, kind, value = _as_written(document, details["loc"]), details["type"], details["input"]
    is_key = place[-1:] == ("[key]",)
    key = (
        ("reason" if "reasons" in place[-3:-2] else _KEY_NAMES.get(len(place), "key"))
        if is_key
        else str(next((part for part in reversed(place) if isinstance(part, str)), ""))
    )
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        return document.mistake(place, unknown_key(key, key, _keys(details["loc"])), at_key=True)
    if kind == "missing":
        return document.mistake(place[:-1], sentence(details, repr(key)))
    if kind == "union_tag_not_found":
        kinds = " or ".join(f"kind: {kind}" for kind in (POWER_KINDS if key == "power" else ("local", "nrfcloud")))
        return document.mistake(place, f"key 'kind' is missing; add {kinds}")
    if kind == "union_tag_invalid":
        choices = [choice.strip(" '") for choice in str(context["expected_tags"]).split(",")]
        tag = context["tag"]
        return document.mistake((*place, "kind"), f"'kind' cannot be {tag!r}; {nearest('value', str(tag), choices)}")
    if kind == "too_short":
        what = "a board" if key == "boards" else "an entry"
        return document.mistake(place, f"{key!r} is an empty list; add {what} to it")
    what, cure = repr(key), "correct it"
    if kind in TYPES:
        what = "the file" if not place else f"an entry of {key!r}" if isinstance(place[-1], int) else repr(key)
        cure = _retyped(document.raw(place), value, kind)
    return document.mistake(place, sentence(details, what, cure=cure), at_key=is_key)


def _as_written(document: Document, place: Place) -> Place:
    """Return where a value is in the file if it was read apart: firmware: {kind: cloud-library, sample: ...}."""
    if len(place) > 2 and place[0] == "boards" and place[2] == "cloud_library":
        board = _boards(document.value)[int(place[1])]
        if isinstance(board, dict) and isinstance(board.get("firmware"), dict):
            return (*place[:2], "firmware", *place[3:])
    return place


def _retyped(raw: str, value: Any, kind: str) -> str:
    """Return how to correct a value of the wrong type: how to write what was probably meant."""
    if raw and kind == "string_type":
        return f'write "{raw}"'
    if raw and kind == "tuple_type":
        return f"write [{raw}]"
    if raw.isdigit() and isinstance(value, str) and kind in ("int_type", "float_type"):
        return f"write {raw} without quotes"
    return "correct it"


def _keys(place: Place) -> list[str]:
    """Return the keys that are known at the place of an unknown one: those of the model there."""
    if place[0] == "clouds" and len(place) > 2:
        kind, rest = (LocalCloudConfig if place[2] == "local" else NrfCloudAccount), place[3:-1]
        return known_keys(kind, rest)
    if len(place) > 3 and place[2] == "power":
        return known_keys(POWER_KINDS[str(place[3])], place[4:-1])
    return known_keys(Schema, place[:-1])
