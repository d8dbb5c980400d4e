"""Carries out the commands to a running process of stand-ins: from a line to the line that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.settings.board_faults import (
    BoardCommand,
    ClearFault,
    CoreFault,
    DisturbOutput,
    PlugBoard,
    PressButton,
    ResetBoard,
    SetFault,
    SetLatency,
    UnplugBoard,
)
from harness.settings.cloud_faults import CloudCommand
from harness.settings.commands import (
    BadControlLine,
    RemoveRoute,
    SetRoute,
    StandInCommand,
    answer,
    parse_request,
    refusal,
)
from harness.virtual.board import Network, VirtualBoard
from harness.virtual.board.line_noise import Disturbance
from harness.virtual.unusable import CannotDo

if TYPE_CHECKING:
    from harness.virtual.control_cloud import CloudControl


@dataclass
class StandIns:
    """What runs in this process. ``cloud`` None: boards only."""

    boards: Mapping[str, VirtualBoard]
    cloud: CloudControl | None
    network: Network


async def respond(line: bytes, stand_ins: StandIns) -> bytes:
    """Carry out the command in ``line`` and return the line that answers it; nothing is raised for a bad one."""
    try:
        request = parse_request(line)
    except BadControlLine as error:
        return refusal(error.id, str(error))
    try:
        return answer(request.id, await perform(request.command, stand_ins))
    except (CannotDo, OSError) as error:
        return refusal(request.id, str(error))


async def perform(command: StandInCommand, stand_ins: StandIns) -> dict[str, Any]:
    """Carry out a command and return what its answer says besides ``ok``. Raises CannotDo or OSError."""
    match command:
        case SetRoute():
            stand_ins.network.route(*_address(command.name), _address(command.target))
        case RemoveRoute():
            if not stand_ins.network.unroute(*_address(command.name)):
                raise CannotDo(f"no route has the name {command.name!r}")
        case _ if isinstance(command, CloudCommand):
            if stand_ins.cloud is None:
                raise CannotDo("no cloud here: the process has boards only")
            return await stand_ins.cloud.perform(command)
        case _:
            return await _to_board(command, _board(stand_ins, command.board))
    return {}


async def _to_board(command: BoardCommand, board: VirtualBoard) -> dict[str, Any]:
    match command:
        case SetFault() | ClearFault():
            return _change_fault(command, board)
        case ResetBoard() | UnplugBoard() | PlugBoard():
            return await _power(command, board)
        case PressButton():
            if not board.press():
                raise CannotDo(f"board {board.name!r} has no button that does anything")
        case DisturbOutput():
            board.disturb(command.place, Disturbance(command.how))
        case SetLatency():
            board.set_latency(command)
        case _ if isinstance(command, CoreFault):
            if not board.plugged:
                raise CannotDo(f"board {board.name!r} is unplugged; plug it in first")
            board.strike(command)
    return {}


def _board(stand_ins: StandIns, name: str) -> VirtualBoard:
    if name not in stand_ins.boards:
        raise CannotDo(f"no board {name!r} here; boards: {', '.join(stand_ins.boards) or 'none'}")
    return stand_ins.boards[name]


def _change_fault(command: SetFault | ClearFault, board: VirtualBoard) -> dict[str, Any]:
    if isinstance(command, SetFault):
        board.faults.add(command.fault)
    else:
        board.faults.discard(command.fault)
    return {"faults": sorted(board.faults)}


async def _power(command: ResetBoard | UnplugBoard | PlugBoard, board: VirtualBoard) -> dict[str, Any]:
    plugged = board.plugged
    if isinstance(command, ResetBoard) and not plugged:
        raise CannotDo(f"board {board.name!r} is unplugged; plug it in first")
    if isinstance(command, PlugBoard) == plugged:
        raise CannotDo(f"board {board.name!r} is {'plugged in' if plugged else 'unplugged'} already")
    match command:
        case ResetBoard():
            board.power_on()
        case UnplugBoard():
            board.unplug()
        case PlugBoard():
            await board.start()
    return {}


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)
