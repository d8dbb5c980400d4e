"""The lab of one run: its boards with their ports, leases and power, its clouds, and the stand-ins that it started."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from harness.errors import Misuse, PortMissing
from harness.lab.clouds import Clouds
from harness.lab.config import BoardConfig, LabFile, select
from harness.lab.discovery import find_port, in_place_of_device, is_plain_file, list_kits
from harness.lab.lease import Lease, lease_folder, place_key, port_key, private_folder
from harness.lab.places.helper import LabgridHelper
from harness.lab.places.holding import Holding, PlaceHolder
from harness.lab.places.places import Places
from harness.lab.power.switches import Switch, switch_of
from harness.lab.seen_ports import SeenPorts
from harness.lab.stand_ins import StandIns


class Lab:
    """Starts each cloud and virtual board once, when it is first needed, and ends them in :meth:`close`.

    ``file``: the boards file. ``leases``: the folder of leases, None: the computer's.
    ``folder``: stand-ins keep their files in a private folder in it; None: in a temporary one, while the lab is open.
    ``cloud_override``: the cloud for every board, in place of the boards file's. Raises Misuse for an unknown one.
    ``clouds``: local clouds that another process started, by name, each with the line that it printed when ready.
    ``wait``: seconds to wait for a board that another process uses.
    ``places``: what lead_places returned in the process that leads this one.

    Attributes: ``clouds``: how each cloud is reached. ``stand_ins``: the processes. ``faults``: what went wrong with
    them, one line each; complete after :meth:`close`.
    """

    def __init__(
        self,
        file: LabFile,
        *,
        folder: Path | None = None,
        cloud_override: str | None = None,
        leases: Path | None = None,
        clouds: Mapping[str, Mapping[str, Any]] | None = None,
        wait: float = 0.0,
        places: Path | None = None,
    ) -> None:
        self.file = file
        self.faults: list[str] = []
        self.stand_ins = StandIns(folder, clouds or {})
        self.clouds = Clouds(file, self.stand_ins, cloud_override)
        self._leases = leases
        self._wait = wait
        self._seen_ports = SeenPorts()
        self._holder = PlaceHolder(self._start_labgrid, places)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process that this lab started. Those that did not end properly are in ``faults``."""
        self.faults += self.stand_ins.close()
        if fault := self._holder.close():
            self.faults.append(fault)
        self.stand_ins.remove_files()

    def select(self, names: Sequence[str] = ()) -> list[BoardConfig]:
        """Return the boards with one of these names or tags, or all; each has the name of the cloud that it will use.

        Raises Misuse if no board has one of the names, or if a board cannot reach its cloud.
        """
        boards = select(self.file.boards, names)
        return [board.model_copy(update={"cloud": self.clouds.of(board)}) for board in boards]

    def port_url(self, board: BoardConfig) -> str:
        """Return the path or URL of the board's port. Starts a virtual board on first use.

        With ``faults: line`` in the boards file it is the port of a man in the middle. Raises PortMissing if the port
        or the USB kit is missing, BoardLost if a virtual board does not start.
        """
        port = self._own_port(board)
        return self.stand_ins.wiring.port(board, port) if board.faults.line else port

    def _own_port(self, board: BoardConfig) -> str:
        if board.virtual is not None:
            return self._virtual_port(board)
        if board.place is not None:
            return self.places.url(board.place, board.vcom)
        if board.serial is not None:
            return find_port(board.serial, board.vcom, location=board.location)
        named = str(board.port)
        port = self._seen_ports.find(named) if named.startswith("/") else named
        if port is None:
            there = "; ".join(str(kit) for kit in list_kits()) or "none"
            raise PortMissing(
                f"board {board.name!r}: no such port: {named}; plug it in or correct {self.file.path}; kits: {there}"
            )
        if is_plain_file(port):
            cure = "remove it, and plug it in" if in_place_of_device(port) else f"correct {self.file.path}"
            raise PortMissing(f"board {board.name!r}: {port} is a plain file, not a device; {cure}")
        return port

    def _virtual_port(self, board: BoardConfig) -> str:
        cloud = self.clouds.of(board)
        named = board.model_copy(update={"cloud": cloud})
        started = self.stand_ins.start_board(named, self.clouds.network(cloud), self.clouds.endpoints(cloud).rest_ca)
        return str(started.ready["boards"][0]["port"])

    def lease(self, board: BoardConfig, *, timeout: float | None = None) -> Lease | Holding:
        """Take the board for this process alone; wait up to ``timeout`` seconds, None: the lab's ``wait``.

        Raises PortBusy with the owner.
        """
        timeout = self._wait if timeout is None else timeout
        if board.virtual is not None:  # a virtual board belongs to the run that started it: no other run wants it
            return Lease(
                board.name, f"virtual-{board.name}-{os.getpid()}", folder=self.stand_ins.folder, timeout=timeout
            )
        folder = self._leases or lease_folder()
        if board.place is not None:
            lease = Lease(board.name, place_key(board.place), folder=folder, timeout=timeout)
            return Holding(lease, self.places, board.place, wait=timeout)
        port = self._own_port(board)
        return Lease(board.name, port_key(port), folder=folder, timeout=timeout, port=port)

    @property
    def places(self) -> Places:
        """The places of the labgrid coordinator that the boards file names."""
        return self._holder.places

    def lead_places(self, boards: Sequence[BoardConfig]) -> str | None:
        """Begin to acquire the places of ``boards``; return what another process needs to reach them, or None.

        Raises LabError: labgrid is not installed.
        """
        places = [board.place for board in boards if board.place is not None]
        if not places:
            return None
        folder = private_folder(self.stand_ins.folder / "places")
        self._holder.lead(folder, places)
        return str(folder)

    def heal(self, board: BoardConfig) -> str | None:
        """Repair the connection to a board as far as possible; return what was done, None: nothing. Raises LabError."""
        return None if board.place is None else self.places.heal(board.place, board.vcom)

    def wrong(self, board: BoardConfig) -> str | None:
        """Return what is wrong with the connection to a board in use, or None if nothing is known to be wrong."""
        return None if board.place is None else self.places.wrong(board.place)

    def switch(self, board: BoardConfig) -> Switch:
        """Return the switch of a board's power. Raises Misuse if the boards file names none."""
        if board.power is None:
            raise Misuse(f"board {board.name!r} has no power: in the boards file, so nothing can switch it; add it")
        return switch_of(board.power, place=board.place, places=self.places)

    def _start_labgrid(self) -> LabgridHelper:
        labgrid = self.file.labgrid
        python = labgrid.python(self.file.path.parent)
        return LabgridHelper(python, labgrid.address(), self.stand_ins.folder / "labgrid.stderr")
