"""Carries out the commands to a running process of stand-ins: from a line to the line that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.settings.commands import (
    BadControlLine,
    ClearFault,
    CloseConnection,
    Command,
    DisturbOutput,
    PlugBoard,
    RemoveRoute,
    ResetBoard,
    SetFault,
    SetRoute,
    StartBroker,
    StopBroker,
    TrustIdentity,
    UnplugBoard,
    answer,
    parse_request,
    refusal,
)
from harness.virtual.board import Network, VirtualBoard
from harness.virtual.board.line_noise import Disturbance
from harness.virtual.cloud.provisioning.attestation import parse_identity

if TYPE_CHECKING:
    from harness.virtual.cloud.local_cloud import LocalCloud


class CannotDo(Exception):
    """The command is good, but not here or not now. One line that says why."""


@dataclass
class StandIns:
    """What runs in this process. ``cloud`` None: boards only."""

    boards: Mapping[str, VirtualBoard]
    cloud: LocalCloud | None
    network: Network
    broker_stopped: bool = False


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


async def perform(command: Command, stand_ins: StandIns) -> dict[str, Any]:
    """Carry out a command and return what its answer says besides ``ok``. Raises CannotDo or OSError."""
    match command:
        case SetFault() | ClearFault():
            return _change_fault(command, _board(stand_ins, command.board))
        case ResetBoard() | UnplugBoard() | PlugBoard():
            return await _power(command, _board(stand_ins, command.board))
        case DisturbOutput():
            _board(stand_ins, command.board).disturb(command.place, Disturbance(command.how))
        case SetRoute():
            stand_ins.network.route(*_address(command.name), _address(command.target))
        case RemoveRoute():
            stand_ins.network.unroute(*_address(command.name))
        case TrustIdentity():
            _trust(_cloud(stand_ins), command.identity)
        case CloseConnection():
            if not _cloud(stand_ins).broker.disconnect(command.client_id, style=command.style):
                raise CannotDo(f"client {command.client_id!r} has no connection")
        case StopBroker() | StartBroker():
            return await _switch_broker(command, stand_ins)
    return {}


def _board(stand_ins: StandIns, name: str) -> VirtualBoard:
    if name not in stand_ins.boards:
        raise CannotDo(f"no board {name!r} here; boards: {', '.join(stand_ins.boards) or 'none'}")
    return stand_ins.boards[name]


def _cloud(stand_ins: StandIns) -> LocalCloud:
    if stand_ins.cloud is None:
        raise CannotDo("no cloud here: the process has boards only")
    return stand_ins.cloud


def _change_fault(command: SetFault | ClearFault, board: VirtualBoard) -> dict[str, Any]:
    if isinstance(command, SetFault):
        board.faults.add(command.fault)
    else:
        board.faults.discard(command.fault)
    return {"faults": sorted(board.faults)}


async def _power(command: ResetBoard | UnplugBoard | PlugBoard, board: VirtualBoard) -> dict[str, Any]:
    plugged = board.plugged
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


async def _switch_broker(command: StopBroker | StartBroker, stand_ins: StandIns) -> dict[str, Any]:
    cloud, stop = _cloud(stand_ins), isinstance(command, StopBroker)
    if stop == stand_ins.broker_stopped:
        raise CannotDo(f"the broker {'is stopped' if stop else 'runs'} already")
    if stop:
        await cloud.broker.stop()
    else:
        await cloud.broker.start(*cloud.mqtt_address)
    stand_ins.broker_stopped = stop
    return {"mqtt": list(cloud.mqtt_address)}


def _trust(cloud: LocalCloud, identity: str) -> None:
    try:
        cloud.identities.trust(*parse_identity(identity))
    except ValueError:
        raise CannotDo("'identity' is not a UUID with a point on P-256") from None


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)
