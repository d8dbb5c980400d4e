"""The commands to a running process of stand-ins: a JSON line each, answered by a JSON line.

A command: ``{"id": 1, "command": "set-fault", "board": "virtual-1", "fault": "no-sim"}``. ``id`` is any text or number
and stands in the answer: ``{"id": 1, "ok": true, ...}``, or ``{"id": 1, "ok": false, "error": "..."}``. No I/O here.
What can happen to boards is in board_faults.py, to the cloud in cloud_faults.py.
"""

import difflib
import json
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError

from harness.settings.board_faults import BoardCommand
from harness.settings.cloud_faults import CloudCommand
from harness.settings.model import Address, Settings
from harness.settings.sentences import nearest, sentence, unknown_key

LONGEST_LINE: Final = 65_536  # bytes
RequestId = str | int | float | None


class SetRoute(Settings):
    """Make a name and port of the boards' network lead to an address from now on."""

    command: Literal["set-route"] = "set-route"
    name: Address
    target: Address


class RemoveRoute(Settings):
    """Make a name and port of the boards' network unknown again."""

    command: Literal["remove-route"] = "remove-route"
    name: Address


StandInCommand = BoardCommand | CloudCommand | SetRoute | RemoveRoute
_BY_NAME: Final[dict[str, type[Settings]]] = {
    kind.model_fields["command"].default: kind for kind in get_args(StandInCommand)
}
_PARSER: Final[TypeAdapter[StandInCommand]] = TypeAdapter(Annotated[StandInCommand, Field(discriminator="command")])
COMMANDS: Final = tuple(_BY_NAME)
_ALL: Final = "use one of those in docs/virtual.md, section Commands"


@dataclass(frozen=True)
class ControlRequest:
    """A command with the id that its answer will have."""

    id: RequestId
    command: StandInCommand


class BadControlLine(Exception):
    """A line is not a command. The text says why, in one line; ``id``: the line's id, None if it has none."""

    def __init__(self, text: str, id: RequestId = None) -> None:
        super().__init__(text)
        self.id = id


class Target(StrEnum):
    """Whom a command is for."""

    BOARD = "board"
    CLOUD = "cloud"


def command_of(value: dict[str, Any], target: Target) -> StandInCommand:
    """Return the command in a mapping, if it is one to a ``target``. Raises BadControlLine."""
    kinds = get_args(BoardCommand if target is Target.BOARD else CloudCommand)
    name = value.get("command")
    if isinstance(name, str) and name in _BY_NAME and _BY_NAME[name] not in kinds:
        raise BadControlLine(f"{name} is not a command to a {target}")
    return _command(value, None)


def parse_request(line: bytes) -> ControlRequest:
    """Return the command in a line, with or without its line feed. Raises BadControlLine."""
    if len(line) > LONGEST_LINE:
        raise BadControlLine(f"the line is longer than {LONGEST_LINE} bytes; send one command a line")
    twice: list[str] = []
    try:
        value = json.loads(line, object_pairs_hook=partial(_object, twice=twice))
    except (ValueError, RecursionError):
        raise BadControlLine(f"the line is not JSON: {_start(line)}; send one JSON object a line") from None
    if not isinstance(value, dict):
        raise BadControlLine(f"the line is not a JSON object: {_start(line)}; send one JSON object a line")
    request_id = value.pop("id", None)
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | float | None):
        raise BadControlLine("'id' must be text or a number; correct it")
    if isinstance(request_id, float) and not math.isfinite(request_id):  # the answer would not be JSON
        raise BadControlLine("'id' must be text or a finite number; correct it")
    if twice:
        raise BadControlLine(f"key {twice[0]!r} is there twice; keep one of the two", request_id)
    return ControlRequest(request_id, _command(value, request_id))


def answer(request_id: RequestId, result: dict[str, Any]) -> bytes:
    """Return the answer line to a command that was carried out."""
    return json.dumps({"id": request_id, "ok": True, **result}).encode() + b"\n"


def refusal(request_id: RequestId, text: str) -> bytes:
    """Return the answer line to a command that was refused. ``text``: why, in one line."""
    return json.dumps({"id": request_id, "ok": False, "error": " ".join(text.split())}).encode() + b"\n"


def _command(value: dict[str, Any], request_id: RequestId) -> StandInCommand:
    name = value.get("command")
    if name is None:
        raise BadControlLine(f"key 'command' is missing; {_ALL}", request_id)
    if not isinstance(name, str) or name not in _BY_NAME:
        near = difflib.get_close_matches(str(name), COMMANDS, n=1)
        cure = nearest("command", str(name), COMMANDS) if near else _ALL
        raise BadControlLine(f"unknown command {name!r}; {cure}", request_id)
    try:
        return _PARSER.validate_python(value)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        key = str(details["loc"][-1])
        if details["type"] == "extra_forbidden":
            text = unknown_key(key, key, list(_BY_NAME[name].model_fields))
        else:
            text = sentence(details, repr(key))
        raise BadControlLine(f"{name}: {text}", request_id) from None


def _object(pairs: list[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    """Return a JSON object, and note in ``twice`` a key of which it has two: the first would go without a word."""
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            twice.append(key)
        made[key] = value
    return made


def _start(line: bytes) -> str:
    text = line.strip()
    return repr(text[:60].decode(errors="replace")) + ("..." if len(text) > 60 else "")
