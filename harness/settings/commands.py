"""What a running process of stand-ins can be told: one JSON line each, answered by one JSON line.

A command: ``{"id": 1, "command": "set-fault", "board": "virtual-1", "fault": "no-sim"}``. ``id`` is any text or number
and stands in the answer: ``{"id": 1, "ok": true, ...}``, or ``{"id": 1, "ok": false, "error": "..."}``. No I/O here.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError

from harness.settings.board import BoardFault
from harness.settings.cloud import CloseStyle, Identity
from harness.settings.model import BY_VALUE, Address, Settings
from harness.settings.sentences import nearest, sentence, unknown_key

LONGEST_LINE: Final = 65_536  # bytes
Disturbance = Literal["garble", "double", "drop"]
RequestId = str | int | float | None


class SetFault(Settings):
    """Something goes wrong with a board from now on. Answer: ``faults``, all that the board has."""

    command: Literal["set-fault"] = "set-fault"
    board: str
    fault: Annotated[BoardFault, BY_VALUE]


class ClearFault(Settings):
    """A fault goes away. Answer: ``faults``, all that the board still has."""

    command: Literal["clear-fault"] = "clear-fault"
    board: str
    fault: Annotated[BoardFault, BY_VALUE]


class ResetBoard(Settings):
    """Power-cycle a board, as a debug probe's reset would: everything but the non-volatile memory starts anew."""

    command: Literal["reset-board"] = "reset-board"
    board: str


class DisturbOutput(Settings):
    """Make one byte of a board arrive wrong: byte ``place`` of those that it sends from now on (0: the next one)."""

    command: Literal["disturb-output"] = "disturb-output"
    board: str
    place: Annotated[int, Field(ge=0)] = 0
    how: Disturbance = "garble"


class UnplugBoard(Settings):
    """Pull a board's cable: its port vanishes and it loses power."""

    command: Literal["unplug-board"] = "unplug-board"
    board: str


class PlugBoard(Settings):
    """Plug a board in again: its port is back under the same path."""

    command: Literal["plug-board"] = "plug-board"
    board: str


class SetRoute(Settings):
    """Make a name and port of the boards' network lead to an address from now on."""

    command: Literal["set-route"] = "set-route"
    name: Address
    target: Address


class RemoveRoute(Settings):
    """Make a name and port of the boards' network not resolve any more."""

    command: Literal["remove-route"] = "remove-route"
    name: Address


class CloseConnection(Settings):
    """End an MQTT connection. ``style``: how, as in ``close_style``."""

    command: Literal["close-connection"] = "close-connection"
    client_id: str
    style: CloseStyle = "notify"


class StopBroker(Settings):
    """End every MQTT connection and stop listening; sessions, things and REST stay."""

    command: Literal["stop-broker"] = "stop-broker"


class StartBroker(Settings):
    """Listen again, on the same port."""

    command: Literal["start-broker"] = "start-broker"


class TrustIdentity(Settings):
    """Let a board of another process be claimed: its device UUID and identity key, ``UUID=HEX``."""

    command: Literal["trust-identity"] = "trust-identity"
    identity: Identity


Command = (
    SetFault
    | ClearFault
    | ResetBoard
    | DisturbOutput
    | UnplugBoard
    | PlugBoard
    | SetRoute
    | RemoveRoute
    | CloseConnection
    | StopBroker
    | StartBroker
    | TrustIdentity
)
_BY_NAME: Final[dict[str, type[Settings]]] = {kind.model_fields["command"].default: kind for kind in get_args(Command)}
_PARSER: Final[TypeAdapter[Command]] = TypeAdapter(Annotated[Command, Field(discriminator="command")])
COMMANDS: Final = tuple(_BY_NAME)


@dataclass(frozen=True)
class ControlRequest:
    """A command with the id that its answer will have."""

    id: RequestId
    command: Command


class BadControlLine(Exception):
    """A line is not a command. The text says why, in one line; ``id``: the line's id, None if it has none."""

    def __init__(self, text: str, id: RequestId = None) -> None:
        super().__init__(text)
        self.id = id


def parse_request(line: bytes) -> ControlRequest:
    """Return the command in a line, with or without its line feed. Raises BadControlLine."""
    if len(line) > LONGEST_LINE:
        raise BadControlLine(f"the line is longer than {LONGEST_LINE} bytes; send one command a line")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise BadControlLine(f"the line is not JSON: {_start(line)}; send one JSON object a line") from None
    if not isinstance(value, dict):
        raise BadControlLine(f"the line is not a JSON object: {_start(line)}; send one JSON object a line")
    request_id = value.pop("id", None)
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | float | None):
        raise BadControlLine("'id' must be text or a number; correct it")
    return ControlRequest(request_id, _command(value, request_id))


def answer(request_id: RequestId, result: dict[str, Any]) -> bytes:
    """Return the answer line to a command that was carried out."""
    return json.dumps({"id": request_id, "ok": True, **result}).encode() + b"\n"


def refusal(request_id: RequestId, text: str) -> bytes:
    """Return the answer line to a command that was refused; ``text``: why, in one line."""
    return json.dumps({"id": request_id, "ok": False, "error": " ".join(text.split())}).encode() + b"\n"


def _command(value: dict[str, Any], request_id: RequestId) -> Command:
    name = value.get("command")
    if name is None:
        raise BadControlLine(f"key 'command' is missing; known commands: {', '.join(COMMANDS)}", request_id)
    if not isinstance(name, str) or name not in _BY_NAME:
        raise BadControlLine(f"unknown command {name!r}; {nearest('command', str(name), COMMANDS)}", request_id)
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


def _start(line: bytes) -> str:
    text = line.strip()
    return repr(text[:60].decode(errors="replace")) + ("..." if len(text) > 60 else "")
