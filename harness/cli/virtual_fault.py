"""``nrf91-harness virtual fault``: makes something go wrong in the running stand-ins of ``virtual up``."""

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from harness.cli.arguments import Arguments
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.cli.tables import columns
from harness.cli.virtual import BOARDS_FILE, RELAYED
from harness.errors import Misuse
from harness.lab import load_boards_file
from harness.lab.relay import send
from harness.settings import Settings
from harness.settings.board_faults import BoardCommand
from harness.settings.commands import StandInCommand


def fault(given: Arguments, progress: Progress) -> Result:
    """Send one command and show its answer; without one, list them."""
    if given.fault is None:
        return Result({"commands": _described()}, columns([("COMMAND", "WHAT HAPPENS"), *_described().items()]))
    folder = given.boards.resolve().parent
    if not (folder / "relay").exists():
        raise Misuse(
            f"no stand-ins of virtual up beside {given.boards}; give --boards the file that virtual up printed"
        )
    fields = _fields(given.fields)
    if "board" not in fields and given.fault in _names(BoardCommand):
        fields["board"] = _only_board(folder)
    answer = send(folder, RELAYED, given.fault, fields)
    said = ", ".join(f"{name} {json.dumps(value)}" for name, value in answer.items())
    return Result({"answer": answer}, [f"{given.fault}: done{f' ({said})' if said else ''}"])


def _fields(words: Sequence[str]) -> dict[str, Any]:
    """Return KEY=VALUE words as fields. A value that is JSON is read as JSON, any other as text."""
    fields: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise Misuse(f"{word!r} is not of the form KEY=VALUE, e.g. seconds=2; correct it")
        try:
            fields[key] = json.loads(value)
        except ValueError:
            fields[key] = value
    return fields


def _only_board(folder: Path) -> str:
    names = [board.name for board in load_boards_file(folder / BOARDS_FILE).boards]
    if len(names) != 1:
        raise Misuse(f"there are several boards; add board=NAME; boards: {', '.join(names)}")
    return names[0]


def _described() -> Mapping[str, str]:
    return {
        str(kind.model_fields["command"].default): (inspect.getdoc(kind) or "").partition("\n")[0].replace("``", "")
        for kind in get_args(StandInCommand)
    }


def _names(union: Any) -> set[str]:
    kinds: Sequence[type[Settings]] = get_args(union)
    return {str(kind.model_fields["command"].default) for kind in kinds}
