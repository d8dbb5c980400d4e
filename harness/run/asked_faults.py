"""Faults as a test asks for them: told to the stand-ins, or put on the way to the broker, and taken away afterwards."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Self

from harness.at.foreign_writer import FAULTS
from harness.errors import Misuse
from harness.faults import Fault, TcpProxy
from harness.lab import AttachedStandIn, StandIn
from harness.run.board import Board
from harness.settings import NRF_CLOUD_MQTT
from harness.settings.undo import undo_of
from harness.timeline import Kind


class AskedFaults:
    """The faults of one test of ``board``. As a context manager it undoes what can be undone, the last one first."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def board(self, command: str, **fields: Any) -> dict[str, Any]:
        """Tell the virtual board something, e.g. ``faults.board("lose-registration", seconds=2)``; return the answer.

        docs/virtual.md, "Commands", lists them. Raises Misuse: not this one, or the board is a real one.
        """
        return self._tell(self._board.stand_in, command, {"board": self._board.name, **fields})

    def cloud(self, command: str, **fields: Any) -> dict[str, Any]:
        """Tell the local cloud something, e.g. ``faults.cloud("restart-broker")``; return the answer. Raises Misuse."""
        return self._tell(self._board.cloud.stand_in, command, fields)

    def broker(self, *faults: Fault, seed: int = 0) -> TcpProxy:
        """Put a proxy with ``faults`` between the virtual board and its broker, for connections from now on.

        ``seed``: of the random choices. Raises Misuse for a real board.
        """
        stand_in = self._board.stand_in
        ready = self._board.cloud.stand_in.ready["cloud"]
        host, port = ready["mqtt"]
        proxy = self._undo.enter_context(TcpProxy((host, port), faults, seed=seed))
        self._undo.callback(stand_in.command, "set-route", name=NRF_CLOUD_MQTT, target=f"{host}:{port}")
        near, at = proxy.address
        stand_in.command("set-route", name=NRF_CLOUD_MQTT, target=f"{near}:{at}")
        self._step(f"a proxy stands before the broker, with {_listed(faults)}")
        return proxy

    def _tell(self, stand_in: StandIn | AttachedStandIn, command: str, fields: dict[str, Any]) -> dict[str, Any]:
        answer = stand_in.command(command, **fields)
        self._step(f"{command} {', '.join(f'{name}={value}' for name, value in fields.items())}".strip())
        undo = undo_of(command, fields, answer)
        if undo is not None:
            self._undo.callback(_quietly, stand_in.command, undo[0], undo[1])
        return answer

    def _step(self, text: str) -> None:
        self._board.timeline.add(Kind.STEP, FAULTS, text)


def _quietly(command: Callable[..., object], name: str, fields: dict[str, Any]) -> None:
    try:
        command(name, **fields)
    except Misuse:
        return  # it is undone already: the test did it itself, or its time was over


def _listed(faults: Sequence[Fault]) -> str:
    return "; ".join(map(str, faults)) or "no faults"
