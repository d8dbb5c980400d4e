"""Lets the faults of the boards file strike in the phases of trials, and writes to the timeline what struck.

It is a sink of a board's timeline: a trial's next step waits until the faults of its phase have struck. What it writes
is for whoever reads the report: a message may quote it, no outcome and no diagnosis rests on it.
"""

from collections.abc import Sequence
from typing import Any

from harness.at.foreign_writer import FAULTS, LINE_FAULT
from harness.errors import HarnessError
from harness.faults import Struck
from harness.lab import Lab
from harness.lab.config import LocalCloudConfig
from harness.lab.fault_config import DEVICE, ToldFault
from harness.lab.fault_names import of_command
from harness.run.board import Board
from harness.timeline import Event, Kind
from harness.timeline.events import now


def has_faults(lab: Lab, board: Board) -> bool:
    """Return whether the boards file has faults for a board or for its cloud."""
    cloud = lab.file.cloud(board.cloud.name)
    asked = [board.config.faults.line, board.config.faults.commands]
    if isinstance(cloud, LocalCloudConfig):
        asked += [cloud.faults.device, cloud.faults.observer, cloud.faults.commands]
    return any(asked)


class FaultDriver:
    """The faults of ``board`` and of its cloud."""

    def __init__(self, lab: Lab, board: Board) -> None:
        self._lab = lab
        self._board = board
        cloud = lab.file.cloud(board.cloud.name)
        self._to_board = [one for one in board.config.faults.told if one.phase]
        self._to_cloud = [one for one in cloud.faults.told if one.phase] if isinstance(cloud, LocalCloudConfig) else []
        self._sent: dict[int, int] = {}
        self.struck: set[str] = set()
        """Names of the commands that a stand-in took."""

    def __call__(self, events: Sequence[Event]) -> None:
        """Take in what happened."""
        for event in events:
            if event.kind is Kind.PHASE and event.data.get("on") == "begin":
                self._begins(str(event.data.get("name", "")))
        for struck in self._lab.stand_ins.wiring.struck(self._board.name, self._board.cloud.name):
            wire = LINE_FAULT if struck.fault in self._board.config.faults.on_line else "network"
            self._write(_in_words(struck), connection=struck.connection, age=round(struck.age, 6), wire=wire)

    def _begins(self, phase: str) -> None:
        self._lab.stand_ins.wiring.announce(self._board.name, self._board.cloud.name, phase)
        for told in self._to_board:
            if self._due(told, phase):
                self._send(told, board=self._board.name)
        for told in self._to_cloud:
            if self._due(told, phase):
                self._send(told)

    def _due(self, told: ToldFault, phase: str) -> bool:
        sent = self._sent.get(id(told), 0)
        if told.phase != phase or (told.times is not None and sent >= told.times):
            return False
        self._sent[id(told)] = sent + 1
        return True

    def _send(self, told: ToldFault, **target: Any) -> None:
        stand_in = self._board.stand_in if target else self._board.cloud.stand_in
        said = {**target, **told.fields}
        # Asked of what is known: to open the board from within a sink of its timeline would wait for itself.
        device = self._board.properties().get("device_id")
        if DEVICE in said.values() and device is None:
            self._write(f"{told.command} in phase {told.phase} came to nothing: the board's device is not known yet")
            return
        fields: dict[str, Any] = {name: device if value == DEVICE else value for name, value in said.items()}
        try:
            stand_in.command(told.command, **fields)
        except HarnessError as error:
            self._write(f"{told.command} in phase {told.phase} came to nothing: {error}")
        else:
            self.struck.add(of_command(self._board.name if target else self._board.cloud.name, told))
            self._write(f"{told.command} in phase {told.phase}", told={"command": told.command, **told.fields})

    def _write(self, text: str, **data: Any) -> None:
        # Not add(), which would wait for the sinks, of which this is one.
        self._board.timeline.append([(now(), Kind.STEP, FAULTS, text, data)])


def _in_words(struck: Struck) -> str:
    where = f"connection {struck.connection}, {struck.age:.3f} s old, after {struck.packets} packets"
    return f"a fault struck: {struck.fault} ({where})"
